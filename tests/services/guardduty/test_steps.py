"""Tests of the guardduty steps: creation, adoption, features, export, the organization, and who else sets the detector."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.aws.service_models import enum
from provisioner.baseline import BaselineError
from provisioner.cli.init.profiles import profile_text
from provisioner.engine.plan import Plan
from provisioner.model import Kind
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.model import Refused
from provisioner.sandbox.rules.organizations import find_organization
from provisioner.services.guardduty.sandbox import detector as sandbox
from provisioner.services.guardduty.sandbox.state import ALWAYS
from provisioner.services.guardduty.section import GuardDuty

from ...conftest import MEMBER, Bench, assume_account
from .conftest import KEY_ID

ACCOUNT = "123456789012"
HEAD = "regions: [us-east-1]\n"
BARE = f"{HEAD}guardduty: {{finding_publishing_frequency: ONE_HOUR}}\n"
FEATURES = (
    HEAD + "guardduty: {features: {S3_DATA_EVENTS: {status: ENABLED}, AI_PROTECTION: {status: ENABLED}}}\n"
)
RUNTIME = HEAD + (
    "guardduty:\n  features:\n    RUNTIME_MONITORING:\n      status: ENABLED\n"
    "      additional_configuration: {EC2_AGENT_MANAGEMENT: ENABLED}\n"
)
EXPORT = HEAD + (
    "log_buckets: {logs: {name: acme-findings}}\n"
    "guardduty:\n  publishing_destination:\n    s3_bucket_name: logs\n    s3_key_prefix: a\n"
    f'    kms_key_arn: "arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_ID}"\n'
)
ORGANIZATION = HEAD + "guardduty: {organization: {auto_enable_organization_members: ALL}}\n"


def fields(plan: Plan) -> list[tuple[str, str]]:
    return [(c.resource, d.field) for _, c in plan.changes for d in c.differences]


def texts(plan: Plan, kind: Kind) -> list[str]:
    return [note.text for _, note in plan.notes(kind)]


def detector(bench: Bench) -> dict[str, Any]:
    client = bench.client("guardduty")
    [found] = client.list_detectors()["DetectorIds"]
    return {"DetectorId": found, **client.get_detector(DetectorId=found)}


def statuses(bench: Bench) -> dict[str, str]:
    return {each["Name"]: each["Status"] for each in detector(bench)["Features"]}


def make(bench: Bench, **given: Any) -> str:
    """Make a detector with AWS's defaults."""
    return str(bench.client("guardduty").create_detector(Enable=True, **given)["DetectorId"])


def put(bench: Bench, **features: Any) -> None:
    """Switch features of the detector by hand."""
    asked = [{"Name": name, "Status": status} for name, status in features.items()]
    bench.client("guardduty").update_detector(DetectorId=detector(bench)["DetectorId"], Features=asked)


def lacking(bench: Bench, *names: str) -> None:
    bench.world.memory.setdefault("guardduty", {})["lacking"] = {"us-east-1": list(names)}


def test_a_new_detector_has_only_the_features_of_the_file(bench: Bench) -> None:
    bench.apply(FEATURES)
    on = {name for name, status in statuses(bench).items() if status == "ENABLED"}
    assert on == {"CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS", "S3_DATA_EVENTS", "AI_PROTECTION"}


def test_what_a_new_detector_bills_is_told_once(bench: Bench) -> None:
    """In the home Region, when it is made; not of a detector without protection plans, and never again."""
    text = FEATURES.replace("regions: [us-east-1]", "regions: [us-east-1, eu-west-1]")
    billed = [(r.target.region, n.text) for r, n in bench.apply(text).notes(Kind.WARNING)]
    told = "each of its features is billed, in every Region, after 30 days of trial: S3_DATA_EVENTS, AI_PROTECTION"
    assert billed == [("us-east-1", told)]
    assert texts(bench.diff(text), Kind.WARNING) == []


def test_a_feature_that_the_region_lacks_is_left_out_of_a_new_detector(bench: Bench) -> None:
    lacking(bench, "AI_ANALYST", "LAMBDA_NETWORK_LOGS", "AI_PROTECTION")
    plan = bench.apply(FEATURES)
    assert texts(plan, Kind.WARNING) == [
        "AWS takes no LAMBDA_NETWORK_LOGS, AI_PROTECTION, AI_ANALYST in us-east-1: left out of the new detector",
        "each of its features is billed, in every Region, after 30 days of trial: S3_DATA_EVENTS",
    ]
    assert statuses(bench)["S3_DATA_EVENTS"] == "ENABLED"
    again = bench.diff(FEATURES)
    assert (again.changes, texts(again, Kind.WARNING)) == (
        [],
        ["GuardDuty does not offer it in us-east-1: left out"],
    )
    found = {f.resource: f.ok for r in bench.run(FEATURES).verify() for f in r.findings}
    assert found["GuardDuty feature AI_PROTECTION"] is None


def test_without_a_name_in_the_message_the_newest_features_are_left_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking(bench, "AI_ANALYST", "AI_PROTECTION")
    monkeypatch.setattr(sandbox, "refused", lambda text: Refused("BadRequestException", "invalid input"))
    bench.apply(FEATURES)
    assert statuses(bench)["EKS_AUDIT_LOGS"] == "DISABLED"


def test_a_detector_is_adopted_and_enabled_and_what_is_on_is_told(bench: Bench) -> None:
    made = make(bench)
    bench.client("guardduty").update_detector(DetectorId=made, Enable=False)
    plan = bench.apply(BARE)
    assert fields(plan) == [
        ("GuardDuty detector", "Enable"),
        ("GuardDuty detector", "FindingPublishingFrequency"),
    ]
    assert detector(bench)["DetectorId"] == made
    [text] = texts(plan, Kind.WARNING)
    assert text.startswith(
        "has features on that the file does not name, which stay and are billed: S3_DATA_EVENTS,"
    )
    assert statuses(bench)["S3_DATA_EVENTS"] == "ENABLED"


def test_a_detector_that_others_make_after_the_plan_is_adopted(bench: Bench) -> None:
    run = bench.run(BARE)
    plan = run.rehearse()
    make(bench, FindingPublishingFrequency="ONE_HOUR")
    bench.send(run, plan)
    assert bench.diff(BARE).changes == []


def test_what_is_stricter_stays_and_is_loosened_with_consent_only(bench: Bench) -> None:
    make(bench, FindingPublishingFrequency="FIFTEEN_MINUTES")
    text = BARE.replace("ONE_HOUR", "ONE_HOUR, features: {S3_DATA_EVENTS: {status: DISABLED}}")
    plan = bench.diff(text)
    assert (plan.changes, len(texts(plan, Kind.STRICTER))) == ([], 2)
    exact = text.replace("ONE_HOUR", "ONE_HOUR, exact: true")
    assert {c.consent for _, c in bench.diff(exact).changes} == {
        "publish-findings-later",
        "disable-guardduty-features",
    }
    bench.apply(exact, allow=("disable-guardduty-features", "publish-findings-later"))
    assert statuses(bench)["S3_DATA_EVENTS"] == "DISABLED"


def test_one_feature_that_aws_refuses_stops_no_other(bench: Bench) -> None:
    make(bench)
    put(bench, S3_DATA_EVENTS="DISABLED", AI_PROTECTION="DISABLED")
    run = bench.run(FEATURES)
    plan = run.rehearse()
    lacking(bench, "S3_DATA_EVENTS")
    sent = run.send(plan)
    assert [each.resource for result in sent for each in result.failures] == [
        "GuardDuty feature S3_DATA_EVENTS"
    ]
    assert statuses(bench)["AI_PROTECTION"] == "ENABLED"


def test_runtime_monitoring_is_enabled_beside_that_of_eks(bench: Bench) -> None:
    """AWS takes no request that names both, and the older one is billed until somebody disables it."""
    make(bench)
    put(bench, EKS_RUNTIME_MONITORING="ENABLED")
    plan = bench.apply(RUNTIME)
    [text] = texts(plan, Kind.WARNING)
    assert "which stay and are billed" in text
    assert "EKS_RUNTIME_MONITORING" in text
    found = statuses(bench)
    assert (found["EKS_RUNTIME_MONITORING"], found["RUNTIME_MONITORING"]) == ("ENABLED", "ENABLED")


@pytest.mark.parametrize("name", ["EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING", "S3_DATA_EVENTS"])
def test_a_new_detector_has_every_feature_as_the_file_says(bench: Bench, name: str) -> None:
    plan = bench.apply(HEAD + f"guardduty: {{features: {{{name}: {{status: ENABLED}}}}}}\n")
    assert not any("left out of the new detector" in text for text in texts(plan, Kind.WARNING))
    on = [key for key, status in statuses(bench).items() if status == "ENABLED" and key not in ALWAYS]
    assert on == [name]


def test_runtime_monitoring_is_stricter_than_that_of_eks(bench: Bench) -> None:
    bench.apply(RUNTIME)
    text = HEAD + "guardduty: {features: {EKS_RUNTIME_MONITORING: {status: ENABLED}}}\n"
    plan = bench.diff(text)
    assert (plan.changes, len(texts(plan, Kind.STRICTER))) == ([], 1)
    assert all(f.ok for r in bench.run(text).verify() for f in r.findings)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            "{RUNTIME_MONITORING: {status: ENABLED}, EKS_RUNTIME_MONITORING: {status: ENABLED}}",
            "goes without",
        ),
        (
            "{}, organization: {features: {RUNTIME_MONITORING: {auto_enable: NEW}, EKS_RUNTIME_MONITORING: {auto_enable: NONE}}}",
            "names both",
        ),
        ("{S3_DATA_EVENT: {status: ENABLED}}", "did you mean 'S3_DATA_EVENTS'"),
        ("{S3_DATA_EVENTS: {status: ENABLED, additional_configuration: {EC2: ENABLED}}}", "no `EC2`"),
    ],
)
def test_features_that_aws_refuses_are_refused_in_the_file(bench: Bench, features: str, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        bench.baseline(f"{HEAD}guardduty: {{features: {features}}}\n")


def test_what_a_policy_of_the_organization_sets_is_told_and_not_written(bench: Bench) -> None:
    make(bench)
    put(bench, S3_DATA_EVENTS="DISABLED", AI_PROTECTION="DISABLED")
    bench.world.memory["guardduty"]["above"] = {(ACCOUNT, "us-east-1"): ["S3_DATA_EVENTS"]}
    plan = bench.apply(FEATURES)
    assert fields(plan) == [("GuardDuty feature AI_PROTECTION", "Status")]
    assert texts(plan, Kind.OWNED) == [
        "Status is DISABLED; the baseline asks for ENABLED, and the organization's GUARDDUTY_POLICY sets it"
    ]


def test_a_feature_that_is_newer_than_the_model_is_told_too(bench: Bench) -> None:
    """AWS enables it in a new detector, as no request can name it."""
    bench.apply(BARE)
    [made] = bench.world.memory["guardduty"]["detectors"].values()
    made["Features"]["NEW_PROTECTION"] = {"Status": "ENABLED", "Parts": {}}
    [text] = texts(bench.diff(BARE), Kind.WARNING)
    assert "billed: NEW_PROTECTION;" in text
    assert text.endswith("for NEW_PROTECTION with a newer botocore, whose model has none")


def test_a_detector_that_a_policy_suspends_is_told_and_the_rest_repaired(bench: Bench) -> None:
    """The detector has no owner in AWS's answer; its features have."""
    detector_id = make(bench)
    bench.client("guardduty").update_detector(DetectorId=detector_id, Enable=False)
    bench.world.memory["guardduty"]["above"] = {(ACCOUNT, "us-east-1"): ["S3_DATA_EVENTS"]}
    plan = bench.apply(BARE)
    assert fields(plan) == [("GuardDuty detector", "FindingPublishingFrequency")]
    assert texts(plan, Kind.OWNED) == [
        "Enable is False; the baseline asks for True, and the organization's GUARDDUTY_POLICY sets it"
    ]


def test_what_an_administrator_sets_is_told_and_not_written(bench: Bench) -> None:
    make(bench)
    put(bench, S3_DATA_EVENTS="DISABLED")
    bench.world.memory["guardduty"]["members"] = {(ACCOUNT, "us-east-1"): MEMBER}
    plan = bench.diff(FEATURES)
    assert plan.changes == []
    [text] = texts(plan, Kind.OWNED)
    assert text.endswith(f"asks for ENABLED, and GuardDuty's administrator, account {MEMBER}, sets it")


def test_findings_are_exported_and_a_move_is_told(bench: Bench) -> None:
    bench.apply(EXPORT)
    plan = bench.apply(EXPORT.replace("prefix: a", "prefix: b"))
    assert ("publishing destination", "DestinationArn") in fields(plan)
    assert any("findings so far stay in" in text for text in texts(plan, Kind.WARNING))
    policy = bench.client("s3").get_bucket_policy(Bucket="acme-findings")["Policy"]
    assert "acme-findings/a/*" in policy  # a detector that is not looked at here may still use it
    assert "acme-findings/b/*" in policy
    left = EXPORT.replace("    s3_key_prefix: a\n", "")
    assert "publishing destination" not in {resource for resource, _ in fields(bench.diff(left))}


def test_an_owner_that_is_not_shown_is_no_drift(bench: Bench) -> None:
    bench.apply(EXPORT)
    [found] = bench.world.memory["guardduty"]["detectors"].values()
    [destination] = found["Destinations"].values()
    assert destination.pop("ExpectedBucketOwner") == ACCOUNT
    assert bench.diff(EXPORT).changes == []


def test_a_disabled_key_stops_the_export_only(bench: Bench) -> None:
    bench.client("kms").disable_key(KeyId=KEY_ID)
    run = bench.run(EXPORT)
    results = run.send(run.rehearse())
    assert {r.step for r in results if not r.ok} == {"guardduty_export"}
    assert detector(bench)["Status"] == "ENABLED"


def test_a_destination_that_cannot_be_written_to_fails_verification(bench: Bench) -> None:
    bench.apply(EXPORT)
    bench.client("s3").delete_bucket_policy(Bucket="acme-findings")
    found = {(f.check, f.ok) for r in bench.run(EXPORT).verify() for f in r.findings if f.ok is False}
    assert found == {("publishing", False)}


def test_the_bucket_is_waited_for(bench: Bench) -> None:
    left = [2]

    def fault(call: WireCall, phase: str) -> Fault | None:
        if phase == "before" and call.operation == "CreatePublishingDestination" and left[0]:
            left[0] -= 1
            return Fault(
                "BadRequestException", 400, "the service principal does not have permission to the KMS key"
            )
        return None

    bench.world.interrupt(fault)
    bench.apply(EXPORT)
    assert {each.until for each in bench.waits} == {"GuardDuty to be let into the bucket"}


def test_all_accounts_are_told_and_the_caller_is_the_administrator(bench: Bench) -> None:
    plan = bench.apply(ORGANIZATION)
    assert [c.call.name for _, c in plan.changes] == [
        "CreateDetector",
        "EnableOrganizationAdminAccount",
        "UpdateOrganizationConfiguration",
    ]
    assert any("also reaches" in text and "billed" in text for text in texts(plan, Kind.WARNING))
    assert bench.diff(ORGANIZATION).changes == []


def test_another_administrator_is_never_replaced(bench: Bench) -> None:
    bench.client("guardduty").enable_organization_admin_account(AdminAccountId=MEMBER)
    stated = ORGANIZATION.replace("{auto", f"{{admin_account_id: '{ACCOUNT}', auto")
    failed = {r.step: r.failure for r in bench.diff(stated).failed}
    assert failed["guardduty_organization"] is not None
    assert f"account {MEMBER} is the administrator of GuardDuty in us-east-1" in (
        failed["guardduty_organization"].message
    )
    plan = bench.diff(ORGANIZATION)  # which leaves it out: it stays
    assert f"run this in account {MEMBER} too" in " ".join(texts(plan, Kind.WARNING))
    assert not plan.failed


def test_the_management_account_names_another_administrator_in_each_region_that_has_none(
    bench: Bench,
) -> None:
    other = {"AdminAccountId": "444455556666"}
    bench.client("guardduty").enable_organization_admin_account(**other)
    stated = ORGANIZATION.replace("{auto", f"{{admin_account_id: '{MEMBER}', auto")
    run = bench.run(stated.replace("[us-east-1]", "[us-east-1, eu-west-1]\nhome_region: us-east-1"))
    sent = [r for r in run.send(run.rehearse()) if r.step == "guardduty_organization"]
    assert [r.target.region for r in sent if r.failures] == ["us-east-1"]
    made = [(r.target.region, c.call.name) for r in sent for c in r.changes]
    assert made == [("eu-west-1", "EnableOrganizationAdminAccount")]
    assert any(f"run this in account {MEMBER} too" in note.text for r in sent for note in r.notes)
    for region, account in (("us-east-1", other["AdminAccountId"]), ("eu-west-1", MEMBER)):
        found = bench.client("guardduty", region).list_organization_admin_accounts()["AdminAccounts"]
        assert [each["AdminAccountId"] for each in found] == [account]


def test_the_delegated_administrator_sets_the_organization(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.client("guardduty").enable_organization_admin_account(AdminAccountId=MEMBER)
    assume_account(bench, monkeypatch, MEMBER)
    assert ("GuardDuty of the organization", "AutoEnableOrganizationMembers") in fields(
        bench.apply(ORGANIZATION)
    )
    assert bench.diff(ORGANIZATION).changes == []


def test_a_member_that_is_not_the_administrator_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    bench.apply(BARE)
    stated = ORGANIZATION.replace("{auto", f"{{admin_account_id: '{ACCOUNT}', auto")
    for text in (ORGANIZATION, stated):
        assert {r.step for r in bench.diff(text).failed} == {"guardduty_organization"}


def test_features_of_the_organization_that_the_region_lacks_are_left_out(bench: Bench) -> None:
    text = ORGANIZATION.replace(
        "ALL", "NEW, features: {S3_DATA_EVENTS: {auto_enable: NEW}, AI_PROTECTION: {auto_enable: NEW}}"
    )
    bench.apply(text)
    lacking(bench, "AI_PROTECTION")
    bench.world.memory["guardduty"]["detectors"].clear()
    bench.world.memory["guardduty"]["administrators"].clear()
    make(bench)
    bench.client("guardduty").enable_organization_admin_account(AdminAccountId=ACCOUNT)
    plan = bench.apply(text)
    assert ("GuardDuty of the organization", "S3_DATA_EVENTS") in fields(plan)
    assert "GuardDuty does not offer AI_PROTECTION in us-east-1: left out" in texts(plan, Kind.WARNING)


MEMBERS = HEAD + "guardduty: {organization: {create_members: true}}\n"


def test_accounts_of_the_organization_are_added_and_their_detectors_are_the_administrators(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.apply(MEMBERS)
    key = {"DetectorId": detector(bench)["DetectorId"]}
    found = bench.client("guardduty").list_members(**key)["Members"]
    assert {each["AccountId"] for each in found} == {MEMBER, "444455556666"}  # not the closed one
    assert bench.diff(MEMBERS).changes == []
    assume_account(bench, monkeypatch, MEMBER)
    assert any(
        f"GuardDuty's administrator, account {ACCOUNT}" in text
        for text in texts(bench.diff(BARE), Kind.OWNED)
    )


@pytest.mark.parametrize("reopened", [True, False])
def test_an_account_that_guardduty_does_not_take_fails_unless_it_is_closed(
    bench: Bench, reopened: bool
) -> None:
    run = bench.run(MEMBERS)
    plan = run.rehearse()
    bench.client("organizations").close_account(AccountId=MEMBER)

    def reopen(call: WireCall, phase: str) -> Fault | None:
        if reopened and (call.operation, phase) == ("CreateMembers", "after"):
            [account] = [x for x in find_organization(ACCOUNT, "aws").accounts if x.id == MEMBER]
            account.status = account.state = "ACTIVE"
        return None

    bench.world.interrupt(reopen)
    messages = [failure.message for result in run.send(plan) for failure in result.failures]
    assert len(messages) == reopened
    assert all(f'did not process {{"AccountId": "{MEMBER}"' in each for each in messages)


def test_the_full_profile_has_each_protection_plan(bench: Bench) -> None:
    """Those of the oldest botocore that is supported, but for what RUNTIME_MONITORING includes."""
    newer = {
        "AI_PROTECTION",
        "AI_ANALYST",
    }  # a file that names them is refused where botocore does not know them
    section = bench.baseline(profile_text("full"))[GuardDuty]
    known = {*enum("guardduty", "DetectorFeature")} - newer
    assert known - {*section.features} == {"EKS_RUNTIME_MONITORING"}
    assert section.organization
    assert {*section.organization.features} == {*section.features}
    parts = {part for each in section.features.values() for part in each.additional_configuration}
    assert {*enum("guardduty", "FeatureAdditionalConfiguration")} - parts <= {"RDS_DATA_RISK"}
