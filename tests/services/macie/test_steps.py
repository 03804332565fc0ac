"""Tests of the macie steps: drift, what the Macie administrator owns, Regions without Macie, the administrator itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.engine.plan import Plan
from provisioner.model import Kind
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.drift import Administrator, carry_out, every_break

from ...conftest import Bench, assume_account
from ...situations.test_organization import Organization, as_account
from .sample import ADMINISTRATOR, BUCKETS, HEAD, PLAIN, discovery_file, make_key

ACCOUNT, MEMBER = "123456789012", "444455556666"
ADMINISTERED = f"{HEAD}macie:\n  organization: {{admin_account_id: '{ADMINISTRATOR}', auto_enable: true}}\n"


def shown(plan: Plan) -> list[tuple[str, str, str]]:
    return [(r.target.region, c.call.name, d.field) for r, c in plan.changes for d in c.differences]


def told(plan: Plan, kind: Kind) -> set[str]:
    return {note.text for _, note in plan.notes(kind)}


def excluded(bench: Bench) -> Any:
    client = bench.client("macie2")
    scope = client.get_automated_discovery_configuration()["classificationScopeId"]
    return client.get_classification_scope(id=scope)["s3"]["excludes"]["bucketNames"]


def administered(bench: Bench, account: str = ACCOUNT) -> None:
    """Let another account administer Macie in this one, in the home Region."""
    bench.world.memory.setdefault("macie_members", {})[account, "us-east-1"] = MEMBER


def test_macie_is_enabled_in_each_region_and_the_rest_is_aws_default(bench: Bench) -> None:
    plan = bench.apply(PLAIN)
    assert sorted(shown(plan)) == [
        ("eu-west-1", "EnableMacie", "status"),
        ("us-east-1", "EnableMacie", "status"),
    ]
    assert any("AWS may enable automated discovery" in each for each in told(plan, Kind.WARNING))
    assert bench.diff(PLAIN).changes == []


def test_a_denied_read_is_not_taken_for_macie_that_is_not_enabled(bench: Bench) -> None:
    def deny(call: WireCall, phase: str) -> Fault | None:
        text = "User: x is not authorized to perform: macie2:GetMacieSession"
        return Fault("AccessDeniedException", 403, text) if call.operation == "GetMacieSession" else None

    bench.world.interrupt(deny)
    plan = bench.diff(PLAIN)
    assert plan.changes == []
    assert {r.step for r in plan.results if r.failure} == {"macie"}


def test_writes_wait_until_a_new_session_is_known(bench: Bench) -> None:
    left = [2]

    def fault(call: WireCall, phase: str) -> Fault | None:
        if phase == "before" and call.operation == "UpdateAutomatedDiscoveryConfiguration" and left[0]:
            left[0] -= 1
            return Fault("AccessDeniedException", 403, "Macie is not enabled")
        return None

    bench.world.interrupt(fault)
    bench.apply(discovery_file())
    assert "Macie to be enabled everywhere" in {each.until for each in bench.waits}


def test_regions_without_macie_are_told_and_passed_over(bench: Bench) -> None:
    text = PLAIN.replace("eu-west-1", "ca-west-1")
    plan = bench.apply(text)
    assert {region for region, _, _ in shown(plan)} == {"us-east-1"}
    assert "AWS has no Macie in ca-west-1: nothing is done there" in told(plan, Kind.WARNING)
    assert {r.target.region for r in bench.run(text).verify() if r.findings} == {"us-east-1"}
    assert not any(call.region == "ca-west-1" for call in bench.world.calls if call.service == "macie2")


def test_with_all_regions_those_without_macie_are_told_once(bench: Bench) -> None:
    bench.world.enable("ca-west-1", ACCOUNT)
    ran = Organization(bench, accounts=4).run("diff", "regions: all\naccounts: {all: true}\nmacie: {}\n")
    notes = [n.text for each in ran.outcomes.values() for r in each.results for n in r.notes]
    assert [text for text in notes if "no Macie" in text] == [
        "AWS has no Macie in ca-west-1: nothing is done there"
    ]
    assert all(r.ok for r in ran.results())


def test_an_organization_is_administered_by_its_archive(bench: Bench) -> None:
    bench.client("macie2").enable_macie()
    organization, key = Organization(bench, accounts=4), make_key(bench)
    more = (
        f"accounts: {{all: true, log_archive: '{ADMINISTRATOR}'}}\nmacie:\n"
        "  automated_discovery: {status: ENABLED, exclude_log_buckets: true,"
        " auto_enable_organization_members: ALL}\n"
        f"  organization: {{admin_account_id: '{ADMINISTRATOR}', auto_enable: true}}\n"
        f"  classification_export: {{bucket_name: macie, kms_key_arn: '{key}'}}\n"
    )
    text = f"{HEAD}{BUCKETS}{more}"
    policy = json.loads(bench.client("kms").get_key_policy(KeyId=key.rpartition("/")[2])["Policy"])
    policy["Statement"][1]["Condition"] = {"StringEquals": {"aws:SourceOrgID": "o-sandbox12345"}}
    bench.client("kms").put_key_policy(
        KeyId=key.rpartition("/")[2], PolicyName="default", Policy=json.dumps(policy)
    )
    ran = organization.run("apply", text)
    assert [str(r.failure) for r in ran.results() if not r.ok] == []
    again = organization.run("diff", text)
    assert again.plan().changes == []
    client = as_account(bench, ADMINISTRATOR, "macie2")
    assert client.describe_organization_configuration()["autoEnable"] is True
    scope = client.get_automated_discovery_configuration()["classificationScopeId"]
    found = client.get_classification_scope(id=scope)["s3"]["excludes"]["bucketNames"]
    assert found == ["acme-macie-results", "acme-config-logs"]
    stored = as_account(bench, MEMBER, "macie2").get_classification_export_configuration()
    assert stored["configuration"]["s3Destination"]["expectedBucketOwner"] == ADMINISTRATOR


def test_more_frequent_publishing_is_stricter(bench: Bench) -> None:
    text = PLAIN.replace("{}", "{finding_publishing_frequency: SIX_HOURS}")
    bench.client("macie2").enable_macie()
    plan = bench.diff(text)
    assert [each for each in shown(plan) if each[0] == "us-east-1"] == []
    [change] = [c for _, c in bench.diff(text.replace("{f", "{exact: true, f")).changes if c.consent]
    assert change.consent == "publish-findings-less-often"


def test_buckets_that_others_excluded_stay_and_are_told(bench: Bench) -> None:
    bench.apply(discovery_file())
    client = bench.client("macie2")
    scope = client.get_automated_discovery_configuration()["classificationScopeId"]
    excludes = {"bucketNames": ["theirs"], "operation": "REPLACE"}
    client.update_classification_scope(id=scope, s3={"excludes": excludes})
    plan = bench.apply(discovery_file())
    assert excluded(bench) == ["theirs", "acme-macie-results", "acme-config-logs"]
    assert told(plan, Kind.FOREIGN) >= {"buckets of others are left out of automated discovery: theirs"}


def test_nothing_is_excluded_where_nothing_is_searched(bench: Bench) -> None:
    text = discovery_file().replace("status: ENABLED, ", "")
    bench.apply(text)
    assert bench.diff(text).changes == []


def test_what_the_administrator_sets_is_told_and_not_written(bench: Bench) -> None:
    bench.apply(discovery_file())
    bench.client("macie2").update_automated_discovery_configuration(status="DISABLED")
    administered(bench)
    bench.world.calls.clear()
    plan = bench.apply(discovery_file())
    owner = f"Macie's administrator, account {MEMBER}, sets it"
    assert told(plan, Kind.OWNED) == {
        f"automatedDiscovery.status is DISABLED; the baseline asks for ENABLED, and {owner}",
        f"{owner.removesuffix(' it')} which buckets automated discovery leaves out",
    }
    assert bench.world.writes == []


def test_what_a_member_may_not_read_is_told(bench: Bench) -> None:
    bench.apply(discovery_file())
    administered(bench)

    def deny(call: WireCall, phase: str) -> Fault | None:
        denied = call.operation == "GetAutomatedDiscoveryConfiguration" and call.region == "us-east-1"
        return Fault("AccessDeniedException", 403, "not the administrator") if denied else None

    bench.world.interrupt(deny)
    plan = bench.diff(discovery_file())
    assert plan.failed == []
    assert plan.changes == []
    owner = f"Macie's administrator, account {MEMBER}, sets it"
    assert told(plan, Kind.OWNED) == {
        f"automated discovery cannot be looked at in this account: {owner}",
        f"{owner.removesuffix(' it')} which buckets automated discovery leaves out",
    }
    details = {f.detail for r in bench.run(discovery_file()).verify() for f in r.findings if f.ok is None}
    assert details == {owner}


def test_a_paused_session_fails_verification(bench: Bench) -> None:
    bench.apply(PLAIN)
    bench.client("macie2").update_macie_session(status="PAUSED")
    bench.client("macie2", "eu-west-1").disable_macie()
    found = {(r.target.region, f.ok, f.detail) for r in bench.run(PLAIN).verify() for f in r.findings}
    assert found == {("us-east-1", False, "PAUSED"), ("eu-west-1", False, "not enabled")}


def test_another_administrator_is_never_replaced(bench: Bench) -> None:
    other = MEMBER
    bench.client("macie2", "eu-west-1").enable_organization_admin_account(adminAccountId=other)
    plan = bench.diff(ADMINISTERED)
    [failed] = plan.failed
    assert failed.failure is not None
    assert failed.target.region == "eu-west-1"
    assert f"account {other} administers Macie in eu-west-1" in failed.failure.message
    assert {region for region, name, _ in shown(plan) if name == "EnableOrganizationAdminAccount"} == {
        "us-east-1"
    }
    assert {region for region, name, _ in shown(plan) if name == "EnableMacie"} == {"us-east-1", "eu-west-1"}


def test_a_failed_administrator_or_bucket_does_not_stop_macie(bench: Bench) -> None:
    def refuse(call: WireCall, phase: str) -> Fault | None:
        stopped = {"EnableOrganizationAdminAccount", "CreateBucket"}
        return Fault("AccessDenied", 403, "no") if call.operation in stopped else None

    bench.world.interrupt(refuse)
    text = discovery_file(f"  organization: {{admin_account_id: '{ADMINISTRATOR}'}}\n")
    run = bench.run(text)
    run.send(run.rehearse())
    assert bench.client("macie2").get_automated_discovery_configuration()["status"] == "ENABLED"


def test_the_administrator_sets_what_members_get(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    more = "  automated_discovery: {status: ENABLED, auto_enable_organization_members: NEW}\n"
    bench.apply(ADMINISTERED + more)
    assume_account(bench, monkeypatch, ADMINISTRATOR)
    plan = bench.apply(ADMINISTERED + more)
    fields = {field for _, _, field in shown(plan)}
    assert fields == {
        *("automatedDiscovery.status", "automatedDiscovery.autoEnableOrganizationMembers", "autoEnable")
    }
    assert bench.diff(ADMINISTERED + more).changes == []
    client = bench.client("macie2")
    client.update_organization_configuration(autoEnable=False)
    client.update_automated_discovery_configuration(status="ENABLED", autoEnableOrganizationMembers="NONE")
    assert {field for _, _, field in shown(bench.apply(ADMINISTERED + more))} == {
        "automatedDiscovery.autoEnableOrganizationMembers",
        "autoEnable",
    }
    client.update_automated_discovery_configuration(status="ENABLED", autoEnableOrganizationMembers="ALL")
    plan = bench.diff(ADMINISTERED + more)
    assert plan.changes == []
    assert told(plan, Kind.STRICTER) == {
        "automatedDiscovery.autoEnableOrganizationMembers is ALL; the baseline asks for NEW"
    }


MEMBERS = f"{HEAD}macie:\n  organization: {{admin_account_id: '{ADMINISTRATOR}', create_members: true}}\n"


def members_of(plan: Plan) -> list[tuple[str, str, str, Any]]:
    found = [(r.target.region, c.call.name, d) for r, c in plan.changes for d in c.differences]
    return [(where, name, d.field, d.have) for where, name, d in found if d.field.startswith("member ")]


def test_the_administrator_adds_accounts_and_resumes_members(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply(MEMBERS)  # in the management account, which makes the administrator
    assume_account(bench, monkeypatch, ADMINISTRATOR)
    where = ("us-east-1", "eu-west-1")
    added = {(x, "CreateMember", f"member {a}", None) for x in where for a in (ACCOUNT, MEMBER)}
    assert {*members_of(bench.apply(MEMBERS))} == added
    assert bench.diff(MEMBERS).changes == []
    hands = [Administrator(ADMINISTRATOR, "us-east-1")]
    broken = [one for _, _, one in every_break(hands, "macie") if one.field.startswith("member ")]
    assert [carry_out(one) for one in broken] == [True, True]
    assert bench.diff(MEMBERS.replace(", create_members: true", "")).changes == []
    assert {*members_of(bench.apply(MEMBERS))} == {
        ("us-east-1", "CreateMember", broken[0].field, "Removed"),
        ("us-east-1", "UpdateMemberSession", broken[1].field, "Paused"),
    }
    assert bench.diff(MEMBERS).changes == []


def test_members_are_added_in_the_run_that_makes_the_administrator(bench: Bench) -> None:
    text = MEMBERS + "accounts: {all: true}\n"
    organization = Organization(bench, accounts=4)
    planned = organization.run("diff", text).plan()
    assert ("us-east-1", "CreateMember", "members") in shown(planned)
    ran = organization.run("apply", text)
    assert [str(r.failure) for r in ran.results() if not r.ok] == []
    assert organization.run("diff", text).plan().changes == []
    client = as_account(bench, ADMINISTRATOR, "macie2")
    assert {each["accountId"] for each in client.list_members()["members"]} == {ACCOUNT, MEMBER}


def test_an_account_that_macie_does_not_take_stops_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply(MEMBERS)
    assume_account(bench, monkeypatch, ADMINISTRATOR)
    run = bench.run(MEMBERS)
    plan = run.rehearse()

    def refuse(call: WireCall, phase: str) -> Fault | None:
        refused = call.operation == "CreateMember" and call.params["account"]["accountId"] == ACCOUNT
        return Fault("ValidationException", 400, "no") if refused and phase == "before" else None

    bench.world.interrupt(refuse)
    assert len([each for result in run.send(plan) for each in result.failures]) == len(
        ("us-east-1", "eu-west-1")
    )
    left = {(name, field) for _, name, field, _ in members_of(bench.diff(MEMBERS))}
    assert left == {("CreateMember", f"member {ACCOUNT}")}


def test_the_administrator_is_shown_before_it_administers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.client("macie2").enable_organization_admin_account(adminAccountId=MEMBER)
    assume_account(bench, monkeypatch, ADMINISTRATOR)
    bench.client("macie2").enable_macie()
    assert ("us-east-1", "UpdateOrganizationConfiguration", "autoEnable") in shown(bench.diff(ADMINISTERED))


def test_a_member_is_refused_with_a_remedy(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    failed = {r.step: r.failure for r in bench.diff(ADMINISTERED).failed}
    assert failed["macie_administrator"] is not None
    assert failed["macie_administrator"].message == (
        "only the management account makes another one Macie's administrator: run this in account"
        f" {ACCOUNT}, or remove `macie.organization`"
    )


def test_the_administrator_of_members_must_be_named(bench: Bench) -> None:
    text = f"{HEAD}macie:\n  automated_discovery: {{auto_enable_organization_members: NEW}}\n"
    with pytest.raises(BaselineError, match="is set by Macie's administrator: name it"):
        bench.baseline(text)
