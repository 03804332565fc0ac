"""Tests of the step cloudtrail_trusted_access: turned on for an organization trail, never off."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.sandbox import Fault, WireCall

from ...conftest import MEMBER, Bench, assume_account

FILE = """
log_buckets: {logs: {name: acme-logs}}
cloudtrail: {name: audit, s3_bucket_name: logs, is_organization_trail: true}
"""
ONE_ACCOUNT = FILE.replace("true", "false")
OUTSIDE = "999988887777"


def result(bench: Bench, text: str = FILE) -> Any:
    return next(
        r
        for r in bench.diff(text, only=("cloudtrail_trusted_access",)).results
        if r.step == "cloudtrail_trusted_access"
    )


def test_trusted_access_is_turned_on_once(bench: Bench) -> None:
    [change] = result(bench).changes
    assert (change.resource, change.differences[0].field, change.consent) == (
        "organization",
        "trusted access for cloudtrail.amazonaws.com",
        None,
    )
    bench.apply(FILE, only=("cloudtrail_trusted_access",))
    assert [c.params["ServicePrincipal"] for c in bench.world.writes] == ["cloudtrail.amazonaws.com"]
    assert result(bench).changes == []


def test_a_trail_of_one_account_leaves_it_as_it_is(bench: Bench) -> None:
    bench.apply(FILE, only=("cloudtrail_trusted_access",))
    bench.world.calls.clear()
    bench.apply(ONE_ACCOUNT)
    assert {c.operation for c in bench.world.calls if c.service == "organizations"} <= {
        "DescribeOrganization"
    }


def test_a_failed_read_fails_the_step(bench: Bench) -> None:
    def deny(call: WireCall, phase: str) -> Fault | None:
        return Fault("AccessDeniedException") if call.operation.startswith("ListAWSService") else None

    bench.world.interrupt(deny)  # type: ignore[arg-type]
    found = result(bench)
    assert (found.changes, found.failure.code) == ([], "AccessDeniedException")


def test_an_account_in_no_organization_is_refused_with_a_remedy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume_account(bench, monkeypatch, OUTSIDE)
    assert result(bench).failure.message == (
        "this account is in no organization: set `cloudtrail.is_organization_trail: false`"
    )
    assert bench.diff(ONE_ACCOUNT).failed == []


def test_an_organization_with_consolidated_billing_only_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume_account(bench, monkeypatch, OUTSIDE)
    bench.client("organizations").create_organization(FeatureSet="CONSOLIDATED_BILLING")
    assert f"enable all features in account {OUTSIDE}" in result(bench).failure.message


def test_a_member_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    message = result(bench).failure.message
    assert "run this in account 123456789012" in message
    assert "`cloudtrail.is_organization_trail: false`" in message


def test_a_delegated_administrator_can_read_it_and_not_turn_it_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=MEMBER)
    with monkeypatch.context() as member:
        assume_account(bench, member, MEMBER)
        assert "run this in account 123456789012" in result(bench).failure.message
    bench.apply(FILE, only=("cloudtrail_trusted_access",))
    assume_account(bench, monkeypatch, MEMBER)
    found = result(bench)
    assert (found.changes, found.failure) == ([], None)
