"""Tests of the organization_services step: who may do it, other administrators, and mistakes in the file."""

from __future__ import annotations

import pytest

from provisioner.baseline import BaselineError

from ...conftest import MEMBER, Bench, assume_account

CONFIG = "config.amazonaws.com"
OTHER = "444455556666"
FILE = f"""
organization_services:
  trusted_access: [{CONFIG}]
  delegated_administrators: {{{CONFIG}: "{MEMBER}"}}
"""


def failure(bench: Bench, text: str = FILE) -> str:
    [result] = bench.diff(text).results
    return str(result.failure.message) if result.failure else ""


def test_access_is_given_before_the_administrator_is_registered(bench: Bench) -> None:
    bench.apply(FILE)
    assert [call.operation for call in bench.world.writes] == [
        "EnableAWSServiceAccess",
        "RegisterDelegatedAdministrator",
    ]
    [result] = bench.run(FILE).verify()
    assert [(each.ok, each.detail) for each in result.findings] == [(True, f"account {MEMBER} is ACTIVE")]


def test_access_of_other_services_stays(bench: Bench) -> None:
    bench.client("organizations").enable_aws_service_access(ServicePrincipal="ssm.amazonaws.com")
    bench.apply(FILE)
    found = bench.client("organizations").list_aws_service_access_for_organization()
    assert "ssm.amazonaws.com" in {each["ServicePrincipal"] for each in found["EnabledServicePrincipals"]}


def test_another_administrator_is_an_error_and_stays(bench: Bench) -> None:
    client = bench.client("organizations")
    client.enable_aws_service_access(ServicePrincipal=CONFIG)
    client.register_delegated_administrator(AccountId=OTHER, ServicePrincipal=CONFIG)
    assert failure(bench).startswith(
        f"account {OTHER} administers {CONFIG}, and the baseline asks for {MEMBER}"
    )
    [result] = bench.run(FILE).verify()
    assert [each.ok for each in result.findings] == [False]


def test_a_member_is_told_where_to_run_this(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    assert "only the management account gives access to the organization" in failure(bench)


def test_without_an_organization_it_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assume_account(bench, monkeypatch, "999999999999")
    assert "this account is in no organization" in failure(bench)


TYPES = "organization_services: {trusted_access: [], policy_types: [TAG_POLICY, DECLARATIVE_POLICY_EC2]}\n"


def types(bench: Bench) -> set[str]:
    [root] = bench.client("organizations").list_roots()["Roots"]
    return {each["Type"] for each in root["PolicyTypes"]}


def test_policy_types_are_enabled_one_after_the_other_and_others_stay(bench: Bench) -> None:
    client = bench.client("organizations")
    [root] = client.list_roots()["Roots"]
    client.enable_policy_type(RootId=root["Id"], PolicyType="BACKUP_POLICY")
    started = bench.clock.now()
    bench.apply(TYPES)
    assert types(bench) == {"BACKUP_POLICY", "TAG_POLICY", "DECLARATIVE_POLICY_EC2"}
    assert (
        bench.clock.now() > started
    )  # "organizations.policy_types" has each of them wait for the one before
    client.disable_policy_type(RootId=root["Id"], PolicyType="TAG_POLICY")
    assert [c.differences[0].field for _, c in bench.diff(TYPES).changes] == ["TAG_POLICY"]


def test_accounts_with_invalid_policies_fail_verification(bench: Bench) -> None:
    """The rule "organizations.invalid_policies"."""

    def found() -> list[tuple[str, bool | None]]:
        return [(each.detail, each.ok) for r in bench.run(TYPES).verify() for each in r.findings]

    assert found() == [("not enabled", False), ("not enabled", False)]
    bench.apply(TYPES)
    bench.world.memory["invalid_policies"] = {"TAG_POLICY": [MEMBER]}
    valid, enabled = ("in each account", True), ("ENABLED", True)
    assert found() == [enabled, (f"not in {MEMBER}", False), enabled, valid]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trusted_access: [config]", "want a service principal such as 'config.amazonaws.com'"),
        (f"trusted_access: [{CONFIG}, {CONFIG}]", "is listed twice; keep one of them"),
        (
            f'trusted_access: [], delegated_administrators: {{{CONFIG}: "{MEMBER}"}}',
            f"add '{CONFIG}' to `trusted_access`, too",
        ),
        (
            f'trusted_access: [], delegated_administrators: {{guardduty.amazonaws.com: "{MEMBER}"}}',
            "this service has a call of its own for its administrator",
        ),
        (f"trusted_access: [], delegated_administrators: {{{CONFIG}: 12}}", "want an account id"),
        ("trusted_access: [], policy_types: [SERVICE_POLICY]", "knows no `SERVICE_POLICY`"),
    ],
)
def test_mistakes_in_the_file(bench: Bench, text: str, message: str) -> None:
    with pytest.raises(BaselineError) as found:
        bench.baseline(f"organization_services: {{{text}}}\n")
    assert message in str(found.value)
