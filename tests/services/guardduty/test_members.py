"""Tests of the members of GuardDuty's administrator: who is suspended, removed, or has a feature off, and who sets it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.engine.plan import Plan
from provisioner.model import Kind
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.seed import add_accounts
from provisioner.services.guardduty.sandbox import members as sandbox

from ...conftest import MEMBER, Bench, assume_account

OTHER = "444455556666"
HEAD = "regions: [us-east-1]\n"
MEMBERS = HEAD + "guardduty: {organization: {create_members: true}}\n"
ALL = HEAD + "guardduty: {organization: {auto_enable_organization_members: ALL}}\n"
NEW = HEAD + "guardduty: {organization: {auto_enable_organization_members: NEW}}\n"
PART = "EC2_AGENT_MANAGEMENT"
S3 = HEAD + "guardduty: {organization: {features: {S3_DATA_EVENTS: {auto_enable: ALL}}}}\n"
RUNTIME = HEAD + (
    "guardduty: {organization: {features: {RUNTIME_MONITORING:"
    f" {{auto_enable: ALL, additional_configuration: {{{PART}: ALL}}}}}}}}}}\n"
)
EKS_RUNTIME = S3.replace("S3_DATA_EVENTS", "EKS_RUNTIME_MONITORING")
TITLE = "GuardDuty of the organization"


@pytest.fixture
def organization(bench: Bench) -> Bench:
    """A sandbox in which all accounts are members, with AWS's default features."""
    bench.apply(MEMBERS)
    return bench


def key(bench: Bench) -> dict[str, str]:
    return {"DetectorId": bench.client("guardduty").list_detectors()["DetectorIds"][0]}


def by_hand(bench: Bench, operation: str, *accounts: str, **given: Any) -> None:
    getattr(bench.client("guardduty"), operation)(**key(bench), AccountIds=list(accounts), **given)


def switch(bench: Bench, account: str, *features: tuple[str, str], **parts: str) -> None:
    """Set features of a member by hand, each with the same parts."""
    more = [{"Name": name, "Status": status} for name, status in parts.items()]
    asked: list[dict[str, Any]] = [{"Name": name, "Status": status} for name, status in features]
    for each in asked if more else ():
        each["AdditionalConfiguration"] = more
    by_hand(bench, "update_member_detectors", account, Features=asked)


def statuses(bench: Bench, account: str = MEMBER) -> dict[str, str]:
    """The features of a member, and their parts, by name."""
    found = bench.client("guardduty").get_member_detectors(**key(bench), AccountIds=[account])
    features = found["MemberDataSourceConfigurations"][0]["Features"]
    parts = [part for each in features for part in each.get("AdditionalConfiguration", ())]
    return {each["Name"]: each["Status"] for each in [*parts, *features]}


def shown(plan: Plan) -> list[tuple[str, str, Any]]:
    return [(c.call.name, d.field, d.have) for _, c in plan.changes for d in c.differences]


def texts(plan: Plan, kind: Kind) -> list[str]:
    return [note.text for _, note in plan.notes(kind)]


def test_a_suspended_member_is_started_and_a_removed_one_added_again(organization: Bench) -> None:
    by_hand(organization, "stop_monitoring_members", MEMBER)
    by_hand(organization, "disassociate_members", OTHER)
    assert shown(organization.apply(MEMBERS)) == [
        ("StartMonitoringMembers", f"member {MEMBER}", "Paused"),
        ("CreateMembers", f"member {OTHER}", "Removed"),
    ]
    assert organization.diff(MEMBERS).changes == []
    assert organization.diff(NEW.replace("NEW", "NONE")).changes == []


def test_all_accounts_includes_former_members_and_adds_no_others(organization: Bench) -> None:
    by_hand(organization, "disassociate_members", MEMBER, OTHER)
    del organization.world.memory["guardduty"]["removed"][OTHER, "us-east-1"]  # was never a member
    assert shown(organization.apply(ALL)) == [
        ("UpdateOrganizationConfiguration", "AutoEnableOrganizationMembers", "NONE"),
        ("CreateMembers", f"member {MEMBER}", "Removed"),
    ]
    assert organization.diff(ALL).changes == []


def test_without_either_members_stay_as_they_are(organization: Bench) -> None:
    by_hand(organization, "stop_monitoring_members", MEMBER)
    by_hand(organization, "disassociate_members", OTHER)
    organization.apply(NEW)
    found = organization.client("guardduty").list_members(**key(organization), OnlyAssociated="false")
    assert {each["RelationshipStatus"] for each in found["Members"]} == {"Paused", "Removed"}


def test_a_suspended_member_is_its_administrators(
    organization: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand(organization, "stop_monitoring_members", MEMBER)
    assume_account(organization, monkeypatch, MEMBER)
    plan = organization.diff(HEAD + "guardduty: {finding_publishing_frequency: SIX_HOURS}\n")
    assert plan.changes == []
    assert any("Enable is False" in text and "administrator" in text for text in texts(plan, Kind.OWNED))


def test_a_feature_of_all_accounts_is_enabled_in_members_that_are_there(organization: Bench) -> None:
    switch(organization, MEMBER, ("S3_DATA_EVENTS", "DISABLED"), ("EKS_AUDIT_LOGS", "DISABLED"))
    switch(organization, OTHER, ("S3_DATA_EVENTS", "DISABLED"))
    plan = organization.apply(S3)
    assert shown(plan)[1:] == [
        ("UpdateMemberDetectors", f"member {MEMBER} S3_DATA_EVENTS", "DISABLED"),
        ("UpdateMemberDetectors", f"member {OTHER} S3_DATA_EVENTS", "DISABLED"),
    ]
    assert len(plan.changes) == 2  # one request for both
    found = statuses(organization)
    assert (found["S3_DATA_EVENTS"], found["EKS_AUDIT_LOGS"]) == ("ENABLED", "DISABLED")
    assert organization.diff(S3).changes == []
    new = S3.replace("auto_enable: ALL", "auto_enable: NEW")
    switch(organization, MEMBER, ("S3_DATA_EVENTS", "DISABLED"))
    assert organization.diff(new).changes == []


def test_parts_are_enabled_and_others_stay(organization: Bench) -> None:
    on = ("RUNTIME_MONITORING", "ENABLED")
    switch(organization, MEMBER, on, EKS_ADDON_MANAGEMENT="ENABLED")
    switch(organization, OTHER, on, EC2_AGENT_MANAGEMENT="ENABLED")
    fields = [field for name, field, _ in shown(organization.apply(RUNTIME)) if "Member" in name]
    assert fields == [f"member {MEMBER} RUNTIME_MONITORING {PART}"]
    found = statuses(organization)
    assert (found[PART], found["EKS_ADDON_MANAGEMENT"]) == ("ENABLED", "ENABLED")


def test_runtime_monitoring_of_members_is_enabled_beside_that_of_eks(organization: Bench) -> None:
    switch(organization, MEMBER, ("EKS_RUNTIME_MONITORING", "ENABLED"))
    plan = organization.apply(RUNTIME)
    warnings = texts(plan, Kind.WARNING)
    assert any(f"EKS_RUNTIME_MONITORING stays on in account {MEMBER}" in text for text in warnings)
    found = statuses(organization)
    assert (found["EKS_RUNTIME_MONITORING"], found["RUNTIME_MONITORING"]) == ("ENABLED", "ENABLED")
    fields = [field for name, field, _ in shown(organization.diff(EKS_RUNTIME)) if "Member" in name]
    assert fields == []  # which is stricter


def test_what_a_policy_sets_in_a_member_is_told_and_not_written(organization: Bench) -> None:
    switch(organization, MEMBER, ("S3_DATA_EVENTS", "DISABLED"))
    switch(organization, OTHER, ("S3_DATA_EVENTS", "DISABLED"))
    organization.world.memory["guardduty"]["above"] = {(MEMBER, "us-east-1"): ["S3_DATA_EVENTS"]}
    plan = organization.apply(S3)
    assert [field for _, field, _ in shown(plan)[1:]] == [f"member {OTHER} S3_DATA_EVENTS"]
    [text] = texts(plan, Kind.OWNED)
    assert text.startswith(f"member {MEMBER} S3_DATA_EVENTS is DISABLED")
    assert text.endswith("and the organization's GUARDDUTY_POLICY sets it")


def test_a_member_that_is_accepted_keeps_others_from_nothing(organization: Bench) -> None:
    exceptions = (
        f'exceptions: [{{address: "guardduty_organization/{TITLE}", field: "member {MEMBER}*", reason: moved, owner: ops,'
        " expires: 2999-01-01}]\n"
    )
    for account in (MEMBER, OTHER):
        switch(organization, account, ("S3_DATA_EVENTS", "DISABLED"))
    organization.apply(exceptions + S3)
    assert statuses(organization, MEMBER)["S3_DATA_EVENTS"] == "DISABLED"
    assert statuses(organization, OTHER)["S3_DATA_EVENTS"] == "ENABLED"
    for account in (MEMBER, OTHER):
        by_hand(organization, "stop_monitoring_members", account)
    assert [field for _, field, _ in shown(organization.apply(exceptions + MEMBERS))] == [f"member {OTHER}"]


def test_a_member_that_aws_does_not_answer_about_stops_no_other(
    organization: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(organization, OTHER, ("S3_DATA_EVENTS", "DISABLED"))
    del organization.world.memory["guardduty"]["detectors"][MEMBER, "us-east-1"]
    assert not organization.diff(S3).failed  # it is shown as suspended
    monkeypatch.setattr(sandbox, "_relationship", lambda found: "Enabled")
    run = organization.run(S3)
    [failure] = [each for result in run.send(run.rehearse()) for each in result.failures]
    assert f"did not show the features of {MEMBER} (" in failure.message
    assert statuses(organization, OTHER)["S3_DATA_EVENTS"] == "ENABLED"


def test_more_than_fifty_members_are_looked_at_and_repaired_in_batches(organization: Bench) -> None:
    add_accounts(70, {})
    organization.apply(MEMBERS)
    accounts = {
        x["AccountId"] for x in organization.client("guardduty").list_members(**key(organization))["Members"]
    }
    for each in accounts:
        switch(organization, each, ("S3_DATA_EVENTS", "DISABLED"))
    plan = organization.apply(S3)
    sizes = [len(c.differences) for _, c in plan.changes if c.call.name == "UpdateMemberDetectors"]
    assert (max(sizes), sum(sizes)) == (50, len(accounts))
    assert organization.diff(S3).changes == []


def test_a_batch_that_aws_refuses_stops_no_other(organization: Bench) -> None:
    add_accounts(70, {})
    refused = [1]

    def fault(call: WireCall, phase: str) -> Fault | None:
        if phase == "before" and call.operation == "CreateMembers" and refused:
            refused.pop()
            return Fault("BadRequestException", 400, "no")
        return None

    run = organization.run(MEMBERS)
    plan = run.rehearse()
    organization.world.interrupt(fault)
    assert len([each for result in run.send(plan) for each in result.failures]) == 1
    assert [len(c.differences) for _, c in organization.diff(MEMBERS).changes] == [50]
