"""Tests of the steps of Security Hub: hub, standards, controls, owners, verification."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.engine.plan import Plan
from provisioner.model import Kind, Result
from provisioner.sandbox import Fault, WireCall

from ...conftest import MEMBER, Bench

ACCOUNT, REGION = "123456789012", "us-east-1"
BEST, CIS = "aws-foundational-security-best-practices/v/1.0.0", "cis-aws-foundations-benchmark/v/5.0.0"
NIST = "nist-800-53/v/5.0.0"
OLD_CIS = "cis-aws-foundations-benchmark/v/1.2.0"
BEST_ARN = f"arn:aws:securityhub:{REGION}::standards/{BEST}"


def hub(text: str, regions: str = REGION) -> str:
    head = f"organization_name: acme\nhome_region: {REGION}\nregions: [{regions}]\n"
    return f"{head}security_hub: {{{text}}}\n"


ONE = hub(f"standards: {{{BEST}: {{}}}}")
TWO = hub(f"standards: {{{BEST}: {{}}, {CIS}: {{}}}}")
BOTH = f"{{reason: why, regions: [{REGION}], except_home_region: true}}"
OFF = hub(f"standards: {{{BEST}: {{disabled_controls: {{IAM.6: {{reason: why}}}}}}}}")


def shown(plan: Plan) -> list[tuple[str, str]]:
    return [(c.resource, d.field) for _, c in plan.changes for d in c.differences]


NO_RECORDER = "INCOMPLETE: NO_AVAILABLE_CONFIGURATION_RECORDER; AWS Config does not record here, which its controls need"


def notes(plan: Plan, kind: Kind) -> list[str]:
    """The texts, without that AWS Config does not record, which is so in most tests here."""
    return [note.text for _, note in plan.notes(kind) if NO_RECORDER not in note.text]


def sent(bench: Bench, text: str) -> Result:
    """The result of an `apply` that may fail."""
    run = bench.run(text)
    [result] = [r for r in run.send(run.rehearse()) if r.step == "security_hub"]
    return result


def enable(bench: Bench, *standards: str, region: str = REGION, **given: Any) -> Any:
    client = bench.client("securityhub", region)
    client.enable_security_hub(EnableDefaultStandards=False, **given)
    if standards:
        client.batch_enable_standards(StandardsSubscriptionRequests=[{"StandardsArn": x} for x in standards])
    return client


def enabled(bench: Bench, region: str = REGION) -> list[str]:
    found = bench.client("securityhub", region).get_enabled_standards()["StandardsSubscriptions"]
    return [each["StandardsArn"].rpartition(":")[2].partition("/")[2] for each in found]


def control(bench: Bench, name: str) -> list[tuple[str, str | None]]:
    found = bench.client("securityhub").list_standards_control_associations(SecurityControlId=name)
    return [
        (x["AssociationStatus"], x.get("UpdatedReason"))
        for x in found["StandardsControlAssociationSummaries"]
    ]


def test_a_new_hub_has_the_standards_of_the_file_only(bench: Bench) -> None:
    bench.apply(ONE)
    assert enabled(bench) == [BEST]
    bench.client("securityhub").disable_security_hub()
    bench.apply(hub("enable_default_standards: true, auto_enable_controls: true"))
    assert enabled(bench) == [OLD_CIS, BEST]


def test_the_first_version_of_cis_has_an_arn_without_a_region(bench: Bench) -> None:
    bench.apply(hub(f"standards: {{{OLD_CIS}: {{}}}}"))
    assert enabled(bench) == [OLD_CIS]


def test_a_hub_is_adopted_with_what_others_enabled(bench: Bench) -> None:
    bench.client("securityhub").enable_security_hub(ControlFindingGenerator="STANDARD_CONTROL")
    plan = bench.diff(hub("auto_enable_controls: true, standards: {}"))
    assert shown(plan) == []
    assert notes(plan, Kind.FOREIGN) == [f"standards of others are kept, and billed: {BEST}, {OLD_CIS}"]
    bench.apply(hub("control_finding_generator: SECURITY_CONTROL"))
    assert enabled(bench) == [OLD_CIS, BEST]


def test_a_new_hub_gets_a_setting_that_is_not_its_default(bench: Bench) -> None:
    text = hub("auto_enable_controls: false")
    assert shown(bench.apply(text)) == [
        ("Security Hub", "EnableDefaultStandards"),
        ("Security Hub", "AutoEnableControls"),
    ]
    assert bench.diff(text).changes == []


def test_new_controls_that_are_on_are_stricter(bench: Bench) -> None:
    enable(bench)
    plan = bench.diff(hub("auto_enable_controls: false"))
    assert (shown(plan), notes(plan, Kind.STRICTER)) == (
        [],
        ["AutoEnableControls is True; the baseline asks for False"],
    )
    [change] = [c for _, c in bench.diff(hub("auto_enable_controls: false, exact: true")).changes]
    assert change.consent == "enable-less"


def test_standards_are_enabled_one_by_one_and_controls_when_they_are_ready(bench: Bench) -> None:
    bench.world.propagation = 4
    text = TWO.replace(f"{CIS}: {{}}", f"{CIS}: {{disabled_controls: {{IAM.6: {{reason: why}}}}}}")
    bench.apply(text)
    paced = "AWS's rate for securityhub in us-east-1"  # reads again and again until AWS shows it
    assert {each.until for each in bench.waits if each.operation} - {paced} == {
        "the new hub to be seen",
        "the standard before it to be ready",
        "the controls of the new standard to be ready",
    }
    assert enabled(bench) == [BEST, CIS]
    assert control(bench, "IAM.6") == [("ENABLED", None), ("DISABLED", "why")]


def test_a_standard_that_is_pending_later_is_no_failure_and_no_drift(bench: Bench) -> None:
    bench.apply(OFF)
    bench.world.memory["fresh"] = {("standard", ACCOUNT, REGION, BEST): 100}
    plan = bench.diff(OFF)
    assert (plan.failed, plan.changes) == ([], [])
    assert notes(plan, Kind.WARNING) == ["AWS is changing the standard, and tells nothing of its controls"]
    findings = [f for r in bench.run(OFF).verify() for f in r.findings]
    assert [(f.ok, f.detail) for f in findings if f.check == "ready"] == [(None, "PENDING")]


def test_verification_tells_why_a_standard_is_not_ready(bench: Bench) -> None:
    findings = [(f.resource, f.ok, f.detail) for r in bench.run(ONE).verify() for f in r.findings]
    assert findings == [("Security Hub", False, "not there"), (f"standard {BEST}", False, "not enabled")]
    bench.apply(ONE)
    findings = [(f.resource, f.ok, f.detail) for r in bench.run(ONE).verify() for f in r.findings]
    assert findings == [("Security Hub", True, "enabled"), (f"standard {BEST}", False, NO_RECORDER)]
    assert [note.text for _, note in bench.diff(ONE).notes(Kind.WARNING)] == [f"is {NO_RECORDER}"]


def test_where_standards_and_controls_are(bench: Bench) -> None:
    text = (
        f"standards: {{{BEST}: {{regions: [eu-west-1], disabled_controls: {{IAM.6: {{reason: why, regions: [eu-west-1]}},"
        f" IAM.1: {{reason: why, regions: [{REGION}]}}}}}}, {CIS}: {{home_region_only: true, disabled_controls: {{IAM.6:"
        " {reason: why, except_home_region: true}}}}"
    )
    bench.apply(hub(text, f"{REGION}, eu-west-1"))
    assert (enabled(bench), enabled(bench, "eu-west-1")) == ([CIS], [BEST])
    assert control(bench, "IAM.6") == [("ENABLED", None)]
    kept = bench.world.memory["security_hub"][ACCOUNT, "eu-west-1"]
    assert kept["off"] == {(BEST, "IAM.6"): "why"}


def test_a_standard_in_a_region_that_may_be_idle_is_warned_of_when_it_is_enabled(bench: Bench) -> None:
    text = hub(f"standards: {{{BEST}: {{}}}}", f"{REGION}, eu-west-1")
    [warning] = bench.diff(text).notes(Kind.WARNING)
    assert (warning[0].target.region, "billed" in warning[1].text) == ("eu-west-1", True)
    bench.apply(text)
    assert notes(bench.diff(text), Kind.WARNING) == []


def test_controls_that_others_switched_off_stay_off(bench: Bench) -> None:
    client = enable(bench, BEST_ARN)
    off = {"AssociationStatus": "DISABLED", "UpdatedReason": "theirs"}
    updates = [{"StandardsArn": BEST_ARN, "SecurityControlId": each, **off} for each in ("EC2.2", "IAM.6")]
    client.batch_update_standards_control_associations(StandardsControlAssociationUpdates=updates)
    assert shown(bench.apply(OFF)) == [(f"controls of {BEST}", "IAM.6")]
    assert (control(bench, "EC2.2"), control(bench, "IAM.6")) == (
        [("DISABLED", "theirs")],
        [("DISABLED", "why")],
    )


def test_a_control_that_aws_refuses_beside_a_success_is_told_and_the_others_are_off(bench: Bench) -> None:
    """What a standard has is known once it is enabled: the refused request is then not made again, in this run or the next."""
    bench.world.propagation = 3
    result = sent(bench, OFF.replace("IAM.6:", "RDS.1: {reason: why}, IAM.6:"))
    assert result.failures == []
    text = "the standard has no control RDS.1 in this Region: correct it, or drop it"
    told = [each.text for each in result.notes if each.kind is Kind.WARNING]
    assert told == [f"is {NO_RECORDER}", text]
    assert f"controls of {BEST}" not in [change.resource for change in result.changes]
    assert control(bench, "IAM.6") == [("DISABLED", "why")]


@pytest.mark.parametrize("name", ["EC2.999", "KMS.1"])
def test_a_control_that_aws_does_not_know_stops_no_other(bench: Bench, name: str) -> None:
    enable(bench, BEST_ARN)
    plan = bench.apply(OFF.replace("IAM.6:", f"{name}: {{reason: why}}, IAM.6:"))
    assert notes(plan, Kind.WARNING) == [
        f"the standard has no control {name} in this Region: correct it, or drop it"
    ]
    assert control(bench, "IAM.6") == [("DISABLED", "why")]


def test_a_control_of_another_standard_is_warned_of(bench: Bench) -> None:
    enable(bench, BEST_ARN.replace(BEST, CIS))
    text = hub(f"standards: {{{CIS}: {{disabled_controls: {{IAM.1: {{reason: why}}}}}}}}")
    plan = bench.diff(text)
    assert shown(plan) == []
    assert notes(plan, Kind.WARNING) == [
        "the standard has no control IAM.1 in this Region: correct it, or drop it"
    ]


def test_many_controls_are_switched_in_several_requests(bench: Bench) -> None:
    off = ", ".join(f"EC2.{number}: {{reason: why}}" for number in range(101))
    plan = bench.diff(hub(f"standards: {{{BEST}: {{disabled_controls: {{{off}}}}}}}"))
    sizes = {c.resource: len(c.differences) for _, c in plan.changes if c.resource.startswith("controls")}
    assert sizes == {f"controls of {BEST}": 100, f"controls of {BEST} (2)": 1}


def test_a_standard_that_aws_does_not_offer_is_refused_with_those_that_it_does(bench: Bench) -> None:
    enable(bench)
    text = hub(f"standards: {{{BEST.replace('1.0.0', '9.0.0')}: {{}}, {CIS}: {{}}}}")
    result = sent(bench, text)
    [failure] = result.failures
    assert failure.message.startswith(f"AWS does not offer the standard `{BEST.replace('1.0.0', '9.0.0')}`")
    assert enabled(bench) == [CIS]


def test_a_standard_that_a_service_manages_is_its_own(bench: Bench) -> None:
    enable(bench)
    name = "service-managed-aws-control-tower/v/1.0.0"
    plan = bench.diff(hub(f"standards: {{{name}: {{disabled_controls: {{S3.1: {{reason: why}}}}}}}}"))
    assert shown(plan) == []
    [note] = notes(plan, Kind.OWNED)
    assert note.endswith("and AWS Control Tower sets it")


def own(bench: Bench) -> None:
    """Let a policy of the organization set Security Hub in the account."""
    bench.world.memory["effective_policies"] = {ACCOUNT: {"SECURITYHUB_CSPM_POLICY": "{}"}}


def test_under_a_policy_of_the_organization_nothing_is_written(bench: Bench) -> None:
    own(bench)
    plan = bench.apply(OFF)
    assert [result.step for result, _ in plan.changes] == []
    assert len(notes(plan, Kind.OWNED)) == 3
    assert all("the organization's SECURITYHUB_CSPM_POLICY sets it" in x for x in notes(plan, Kind.OWNED))
    client = enable(bench, BEST_ARN)
    client.update_security_hub_configuration(AutoEnableControls=False)
    plan = bench.apply(OFF.replace("standards:", "auto_enable_controls: true, standards:"))
    assert plan.changes == []
    assert len(notes(plan, Kind.OWNED)) == 2


def test_the_generator_of_a_member_is_told_with_its_administrator(bench: Bench) -> None:
    enable(bench, ControlFindingGenerator="STANDARD_CONTROL")
    bench.world.memory["security_hub_members"] = {(ACCOUNT, REGION): MEMBER}
    plan = bench.apply(hub("control_finding_generator: SECURITY_CONTROL, auto_enable_controls: true"))
    assert plan.changes == []
    [note] = notes(plan, Kind.OWNED)
    assert note == (
        "ControlFindingGenerator is STANDARD_CONTROL; the baseline asks for SECURITY_CONTROL, and"
        f" the administrator, account {MEMBER}, sets it"
    )


def test_without_a_hub_nothing_that_needs_it_is_tried(bench: Bench) -> None:
    def refuse(call: WireCall, phase: str) -> Fault | None:
        refused = call.operation == "EnableSecurityHub" and phase == "before"
        return Fault("AccessDeniedException", 403, "no") if refused else None

    bench.world.interrupt(refuse)
    text = OFF.replace("standards:", "finding_aggregator: {region_linking_mode: ALL_REGIONS}, standards:")
    [failure] = sent(bench, text).failures
    assert (failure.resource, failure.untried) == (
        "Security Hub",
        ("BatchEnableStandards", "BatchUpdateStandardsControlAssociations", "CreateFindingAggregator"),
    )


def test_what_is_only_told_is_told_as_a_whole(bench: Bench) -> None:
    plan = bench.diff(OFF.replace("standards:", "mode: alert, standards:"))
    [result] = [r for r in plan.results if r.step == "security_hub"]
    assert [c.resource for c in result.held] == ["Security Hub", f"standard {BEST}", f"controls of {BEST}"]


def test_a_hub_that_others_make_after_the_plan_is_adopted(bench: Bench) -> None:
    met: list[str] = []

    def overtake(call: WireCall, phase: str) -> Fault | None:
        if phase == "before" and call.operation == "EnableSecurityHub" and not met:
            met.append(call.region)
            bench.client("securityhub").enable_security_hub()
        return None

    bench.world.interrupt(overtake)
    bench.apply(ONE)
    assert bench.diff(ONE).changes == []


def test_too_many_calls_are_waited_for(bench: Bench) -> None:
    refused: list[str] = []

    def throttle(call: WireCall, phase: str) -> Fault | None:
        if (
            phase == "before"
            and call.service == "securityhub"
            and call.writes
            and call.operation not in refused
        ):
            refused.append(call.operation)
            return Fault("LimitExceededException", 400, "too many")
        return None

    bench.world.interrupt(throttle)
    bench.apply(OFF)
    assert refused == ["EnableSecurityHub", "BatchEnableStandards", "BatchUpdateStandardsControlAssociations"]
    assert bench.diff(OFF).changes == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("standards: {CIS: {}}", "want keys that match"),
        (f"standards: {{{BEST}: {{regions: [{REGION}], home_region_only: true}}}}", "drop one of the two"),
        (f"standards: {{{BEST}: {{regions: [eu-west-1]}}}}", "none of the file's `regions`"),
        (f"standards: {{{BEST}: {{disabled_controls: {{IAM.6: {{}}}}}}}}", "reason"),
        (f"standards: {{{BEST}: {{disabled_controls: {{IAM: {{reason: why}}}}}}}}", "want keys that match"),
        (
            f"standards: {{{BEST}: {{disabled_controls: {{IAM.6: {{reason: why, regions: [eu-west-1]}}}}}}}}",
            "none of the file's `regions`",
        ),
        (
            f"standards: {{{BEST}: {{disabled_controls: {{IAM.6: {BOTH}}}}}}}",
            "drop one of the two",
        ),
        ("finding_aggregator: {region_linking_mode: SPECIFIED_REGIONS}", "is missing with"),
        ("finding_aggregator: {region_linking_mode: ALL_REGIONS, regions: [us-east-1]}", "is not taken with"),
        (
            "finding_aggregator: {region_linking_mode: SPECIFIED_REGIONS, regions: [eu-west-1]}",
            "none of the file's `regions`",
        ),
        ("organization: {administrator: me}", "an account id"),
    ],
)
def test_mistakes_in_the_file(bench: Bench, text: str, message: str) -> None:
    with pytest.raises(BaselineError, match=message):
        bench.baseline(hub(text))


@pytest.mark.parametrize(
    "text", [f"standards: {{{BEST}: {{home_region_only: true}}}}", "finding_aggregator: {region_linking_mode: ALL_REGIONS}"]
)  # fmt: skip
def test_what_is_in_the_home_region_needs_that_region(bench: Bench, text: str) -> None:
    with pytest.raises(BaselineError, match="`home_region`, which is none of `regions`"):
        bench.baseline(hub(text, "eu-west-1"))
