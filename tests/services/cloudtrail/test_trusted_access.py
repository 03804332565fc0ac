"""Trusted access for CloudTrail: turned on where the organization's trail needs it, never off."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.sandbox import Fault, WireCall

from ...conftest import MEMBER, Bench, become

FILE = """
log_buckets: {logs: {name: acme-logs}}
cloudtrail: {name: audit, s3_bucket_name: logs, is_organization_trail: true}
"""
OWN = FILE.replace("true", "false")
OUTSIDE = "999988887777"


def of(bench: Bench, text: str = FILE) -> Any:
    return next(
        r
        for r in bench.diff(text, only=("cloudtrail_trusted_access",)).results
        if r.step == "cloudtrail_trusted_access"
    )


def test_it_is_turned_on_once(bench: Bench) -> None:
    [change] = of(bench).changes
    assert (change.resource, change.differences[0].field, change.consent) == (
        "organization",
        "trusted access for cloudtrail.amazonaws.com",
        None,
    )
    bench.apply(FILE, only=("cloudtrail_trusted_access",))
    assert [c.params["ServicePrincipal"] for c in bench.world.writes] == ["cloudtrail.amazonaws.com"]
    assert of(bench).changes == []


def test_a_trail_of_one_account_does_not_touch_it(bench: Bench) -> None:
    before = len(bench.world.calls)
    assert of(bench, OWN).changes == []
    assert {c.service for c in bench.world.calls[before:]} <= {"sts"}, "not even asked about"
    bench.apply(FILE, only=("cloudtrail_trusted_access",))
    assert of(bench, OWN).changes == [], "never turned off"


def test_a_failed_read_is_no_absence(bench: Bench) -> None:
    def deny(call: WireCall, phase: str) -> Fault | None:
        return Fault("AccessDeniedException") if call.operation.startswith("ListAWSService") else None

    bench.world.interrupt(deny)  # type: ignore[arg-type]
    result = of(bench)
    assert (result.changes, result.failure.code) == ([], "AccessDeniedException")


def test_an_account_in_no_organization_is_told_what_to_do(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(bench, monkeypatch, OUTSIDE)
    assert of(bench).failure.message == (
        "this account is in no organization: set `cloudtrail.is_organization_trail: false`"
    )
    assert of(bench, OWN).failure is None


def test_an_organization_that_only_pays_together_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(bench, monkeypatch, OUTSIDE)
    bench.client("organizations").create_organization(FeatureSet="CONSOLIDATED_BILLING")
    assert f"enable all features in account {OUTSIDE}" in of(bench).failure.message


def test_a_plain_member_may_not_even_look(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    become(bench, monkeypatch, MEMBER)
    said = of(bench).failure.message
    assert "run this in account 123456789012" in said
    assert "`cloudtrail.is_organization_trail: false`" in said


def test_a_delegated_administrator_sees_that_it_is_on_and_cannot_turn_it_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=MEMBER)
    with monkeypatch.context() as member:
        become(bench, member, MEMBER)
        assert "run this in account 123456789012" in of(bench).failure.message
    bench.apply(FILE, only=("cloudtrail_trusted_access",))
    become(bench, monkeypatch, MEMBER)
    result = of(bench)
    assert (result.changes, result.failure) == ([], None)
