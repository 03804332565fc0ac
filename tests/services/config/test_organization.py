"""Tests of the step config_organization: rules and packs in all accounts, drift, refusals, and the accounts without a recorder."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.drift import Administrator, carry_out, every_break
from provisioner.services.config.organization import accounts_finding
from provisioner.services.config.organization_rules import RULES
from provisioner.services.config.pack_template import TEMPLATE_TAG, checksum

from ...conftest import MEMBER, Bench, assume_account
from .sample import ACCOUNT, EVERYTHING, config_file, fields, notes

ONLY = ("config_organization",)
OTHERS = [MEMBER, "444455556666"]
RULE, PACK = "encrypted", "basics"
RULE_TITLE, PACK_TITLE = f"organization rule {RULE}", f"organization conformance pack {PACK}"
MANAGED = {
    "source_identifier": "REQUIRED_TAGS",
    "input_parameters": {"tag1Key": "team"},
    "resource_types_scope": ["AWS::S3::Bucket", "AWS::EC2::Volume"],
    "excluded_accounts": OTHERS,
}
POLICY = "rule versions when resourceType == 'AWS::S3::Bucket' { versioning exists }"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:decides"
LAMBDA = {
    "lambda_function_arn": FUNCTION,
    "trigger_types": ["ScheduledNotification"],
    "maximum_execution_frequency": "Six_Hours",
    "excluded_accounts": OTHERS,
    "tags": {"team": "security"},
}
GUARD = {"policy_text": f"{POLICY}\n", "excluded_accounts": OTHERS}
TEMPLATE = "Resources: {A: {Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: a}}}"
TEMPLATED = {
    "template_body": TEMPLATE,
    "input_parameters": {"Days": 90},
    "excluded_accounts": OTHERS,
    "tags": {"team": "security"},
}


def file(
    rule: dict[str, Any] | None = None,
    pack: dict[str, Any] | None = None,
    *,
    exact: bool = False,
    **more: Any,
) -> str:
    section = {
        "recorder": {"recording_group": EVERYTHING},
        "organization_rules": {RULE: rule} if rule else {},
        "organization_conformance_packs": {PACK: pack} if pack else {},
        "exact": exact,
    }
    return config_file(section, **more)


def drift(bench: Bench, text: str) -> list[tuple[str, Any, Any]]:
    return fields(bench.diff(text, only=ONLY))


def have(bench: Bench) -> dict[str, Any]:
    [found] = bench.client("config").describe_organization_config_rules()["OrganizationConfigRules"]
    return dict(found)


def put(bench: Bench, **changed: Any) -> None:
    """Change the managed rule as another user, and let AWS finish."""
    client, found = bench.client("config"), have(bench)
    managed = {**found["OrganizationManagedRuleMetadata"], **changed}
    client.put_organization_config_rule(
        OrganizationConfigRuleName=RULE,
        OrganizationManagedRuleMetadata=managed,
        ExcludedAccounts=found.get("ExcludedAccounts", []),
    )
    client.describe_organization_config_rule_statuses()


def findings(bench: Bench, text: str) -> dict[str, tuple[bool | None, str]]:
    results = bench.run(text, only=ONLY).verify()
    return {f.resource: (f.ok, f.detail) for r in results for f in r.findings if "organization" in f.resource}


def test_a_rule_is_made_with_trusted_access_and_waited_for(bench: Bench) -> None:
    operations = [c.call.operation for _, c in bench.apply(file(MANAGED), only=ONLY).changes]
    assert operations[-1] == "put_organization_config_rule"
    assert "enable_aws_service_access" in operations
    managed = have(bench)["OrganizationManagedRuleMetadata"]
    assert managed["InputParameters"] == '{"tag1Key":"team"}'
    assert f"AWS to show what was written: {RULE_TITLE}" in [each.until for each in bench.waits]
    assert drift(bench, file(MANAGED)) == []
    assert findings(bench, file(MANAGED)) == {RULE_TITLE: (True, "in all of 1")}


def test_drift_is_repaired_and_what_the_file_leaves_out_stays(bench: Bench) -> None:
    bench.apply(file(MANAGED), only=ONLY)
    put(bench, Description="theirs", TagKeyScope="env", InputParameters='{"tag1Key":"other"}')
    assert drift(bench, file(MANAGED)) == [("InputParameters", {"tag1Key": "other"}, {"tag1Key": "team"})]
    bench.apply(file(MANAGED), only=ONLY)
    managed = have(bench)["OrganizationManagedRuleMetadata"]
    assert (managed["Description"], managed["TagKeyScope"]) == ("theirs", "env")
    assert drift(bench, file({"source_identifier": "REQUIRED_TAGS"})) == []


def test_a_rule_that_is_evaluated_more_often_is_stricter(bench: Bench) -> None:
    seldom = {
        **MANAGED,
        "source_identifier": "IAM_PASSWORD_POLICY",
        "maximum_execution_frequency": "Six_Hours",
    }
    bench.apply(file(seldom), only=ONLY)
    put(bench, MaximumExecutionFrequency="One_Hour")
    assert drift(bench, file(seldom)) == []
    [(_, change)] = bench.diff(file(seldom, exact=True), only=ONLY).changes
    assert change.consent == "record-less"


def test_a_policy_is_compared_and_a_rule_of_another_kind_is_refused(bench: Bench) -> None:
    bench.apply(file(GUARD), only=ONLY)
    metadata = have(bench)["OrganizationCustomPolicyRuleMetadata"]
    assert metadata["OrganizationConfigRuleTriggerTypes"] == ["ConfigurationItemChangeNotification"]
    assert drift(bench, file(GUARD)) == []
    other = {**GUARD, "policy_text": "rule other { a exists }"}
    assert drift(bench, file(other)) == [("PolicyText", POLICY, "rule other { a exists }")]
    [failed] = bench.diff(file(MANAGED), only=ONLY).failed
    assert failed.failure is not None
    assert "is there as one of another kind" in failed.failure.message


def test_a_function_decides_and_the_rule_has_tags(bench: Bench) -> None:
    plan = bench.apply(file(LAMBDA), only=ONLY)
    assert ("tag team", None, "security") in fields(plan)
    metadata = have(bench)["OrganizationCustomRuleMetadata"]
    assert metadata["LambdaFunctionArn"] == FUNCTION
    assert metadata["OrganizationConfigRuleTriggerTypes"] == ["ScheduledNotification"]
    bench.world.calls.clear()
    assert bench.apply(file(LAMBDA), only=ONLY).changes == []
    assert bench.world.writes == []
    other = {**LAMBDA, "lambda_function_arn": f"{FUNCTION}-2", "tags": {"team": "audit", "more": "yes"}}
    assert drift(bench, file(other)) == [
        ("LambdaFunctionArn", FUNCTION, f"{FUNCTION}-2"),
        ("tag team", "security", "audit"),
        ("tag more", None, "yes"),
    ]
    bench.apply(file(other), only=ONLY)
    assert [c.operation for c in bench.world.writes] == ["PutOrganizationConfigRule", "TagResource"]
    assert drift(bench, file(other)) == []
    assert drift(bench, file({**other, "tags": {}})) == []


def test_each_break_of_a_function_is_shown_alone_and_repaired(bench: Bench) -> None:
    bench.apply(file(LAMBDA), only=ONLY)
    admin = [Administrator(ACCOUNT, "us-east-1")]
    sentences = [x.sentence for *_, x in every_break(admin, *ONLY) if RULE in x.sentence]
    assert len(sentences) == 6
    for sentence in sentences:
        [one] = [x for *_, x in every_break(admin, *ONLY) if x.sentence == sentence]
        assert carry_out(one), sentence
        found = drift(bench, file(LAMBDA))
        assert [name for name, *_ in found] == ([one.field] if one.field else []) or not one.field
        assert bool(found) is one.repaired, sentence
        bench.apply(file(LAMBDA), only=ONLY)
        assert drift(bench, file(LAMBDA)) == [], sentence


def test_accounts_without_a_recorder_are_named_once(bench: Bench) -> None:
    nowhere = {"excluded_accounts": [OTHERS[1]]}
    text = file({**MANAGED, **nowhere}, {**TEMPLATED, **nowhere})
    bench.apply(file({**MANAGED, "excluded_accounts": OTHERS}), only=ONLY)
    run = bench.run(text, only=ONLY)
    run.send(run.rehearse())
    bench.client("config").describe_organization_conformance_pack_statuses()
    found = findings(bench, text)
    failed = (False, f"1 of 2 failed, such as {MEMBER} (NoAvailableConfigurationRecorder)")
    assert (found[RULE_TITLE], found[PACK_TITLE]) == (failed, failed)
    ok, detail = found["accounts of the organization"]
    assert (ok, detail.partition(": apply")[0]) == (
        False,
        f"{MEMBER}: no recorder in us-east-1, so AWS makes nothing there",
    )
    plan = bench.diff(text, only=ONLY)
    assert ("Status", "UPDATE_FAILED", "UPDATE_SUCCESSFUL") in fields(plan)
    assert [told for _, told in notes(plan) if "`verify` names the accounts" in told] != []
    bench.apply(file(MANAGED, TEMPLATED), only=ONLY)
    assert drift(bench, file(MANAGED, TEMPLATED)) == []


def test_nothing_there_is_a_failed_finding_and_a_deleted_rule_is_made_again(bench: Bench) -> None:
    assert findings(bench, file(MANAGED)) == {RULE_TITLE: (False, "it is not there")}
    bench.apply(file(MANAGED), only=ONLY)
    client = bench.client("config")
    client.delete_organization_config_rule(OrganizationConfigRuleName=RULE)
    assert {c.action for _, c in bench.apply(file(MANAGED), only=ONLY).changes} == {"create"}


@pytest.mark.parametrize(
    ("states", "ok", "detail"),
    [
        ([], None, "no account yet"),
        (["CREATE_SUCCESSFUL", "UPDATE_IN_PROGRESS"], None, "1 of 2 are under way"),
        (["CREATE_FAILED", "UPDATE_IN_PROGRESS"], False, "1 of 2 failed, such as 0 (AWS does not say why)"),
    ],
)
def test_accounts_finding(states: list[str], ok: bool | None, detail: str) -> None:
    accounts = [
        {"AccountId": str(number), "MemberAccountRuleStatus": each} for number, each in enumerate(states)
    ]
    finding = accounts_finding(RULES, RULE, accounts)
    assert (finding.ok, finding.detail) == (ok, detail)


def test_a_pack_is_made_and_put_again_with_another_template(bench: Bench) -> None:
    bench.apply(file(pack=TEMPLATED), only=ONLY)
    assert drift(bench, file(pack=TEMPLATED)) == []
    longer = {"template_s3_uri": "s3://templates/basics.yaml", "excluded_accounts": OTHERS}
    assert drift(bench, file(pack=longer)) == [
        ("Template", checksum(TEMPLATE), checksum("s3://templates/basics.yaml")),
        (f"tag {TEMPLATE_TAG}", checksum(TEMPLATE), checksum("s3://templates/basics.yaml")),
    ]
    bench.world.calls.clear()
    bench.apply(file(pack=longer), only=ONLY)
    assert [c.operation for c in bench.world.writes] == ["PutOrganizationConformancePack", "TagResource"]
    client = bench.client("config")
    [found] = client.describe_organization_conformance_packs()["OrganizationConformancePacks"]
    assert found["ConformancePackInputParameters"] == [{"ParameterName": "Days", "ParameterValue": "90"}]
    assert drift(bench, file(pack={**longer, "input_parameters": {}})) == [
        ("ConformancePackInputParameters.Days", "90", None)
    ]


def test_reads_that_aws_refuses_before_trusted_access_are_no_failure(bench: Bench) -> None:
    def refuse(call: WireCall, phase: str) -> Fault | None:
        return (
            Fault("OrganizationAccessDeniedException", 400)
            if "OrganizationConfig" in call.operation
            else None
        )

    lift = bench.world.interrupt(refuse)
    plan = bench.diff(file(MANAGED), only=ONLY)
    assert plan.failed == []
    assert ("RuleIdentifier", None, "REQUIRED_TAGS") in fields(plan)
    lift()
    bench.apply(file(MANAGED), only=ONLY)
    bench.world.interrupt(refuse)
    [failed] = bench.diff(file(MANAGED), only=ONLY).failed
    assert failed.failure is not None
    assert failed.failure.code == "OrganizationAccessDeniedException"


def test_rules_are_in_the_regions_of_the_file_and_trusted_access_at_home(bench: Bench) -> None:
    text = file(MANAGED, regions=["us-east-1", "eu-west-1"])
    shown = [(r.target.region, c.call.operation) for r, c in bench.diff(text, only=ONLY).changes]
    assert [region for region, operation in shown if operation == "put_organization_config_rule"] == [
        "us-east-1",
        "eu-west-1",
    ]
    assert [region for region, operation in shown if operation == "enable_aws_service_access"] == [
        "us-east-1"
    ]


def test_a_member_that_is_no_delegated_administrator_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assume_account(bench, monkeypatch, MEMBER)
    [failed] = bench.diff(file(MANAGED), only=ONLY).failed
    assert failed.failure is not None
    assert f"run this in account {ACCOUNT}, register this one there" in failed.failure.message


@pytest.mark.parametrize(
    ("rule", "pack", "words"),
    [
        (
            {**MANAGED, **GUARD},
            None,
            "want one of `source_identifier`, `policy_text` and `lambda_function_arn`",
        ),
        ({"source_identifier": "encrypted"}, None, "the identifier of a managed rule"),
        (
            {**MANAGED, "trigger_types": ["ConfigurationItemChangeNotification"]},
            None,
            "is for a rule of your own",
        ),
        ({**GUARD, "trigger_types": ["ScheduledNotification"]}, None, "is evaluated at changes only"),
        ({**LAMBDA, "lambda_function_arn": "decides"}, None, "the ARN of a Lambda function"),
        (
            {**LAMBDA, "lambda_function_arn": FUNCTION.replace("us-east-1", "eu-west-1")},
            None,
            "the function is in eu-west-1",
        ),
        ({**MANAGED, "input_parameters": {"a": "x" * 1024}}, None, "AWS takes 1024 characters of JSON"),
        (
            None,
            {**TEMPLATED, "template_s3_uri": "s3://a/b"},
            "want one of `template_body` and `template_s3_uri`",
        ),
        (None, {**TEMPLATED, "template_body": "a: b"}, "want a template with `Resources`"),
        (None, {**TEMPLATED, "delivery_s3_bucket": "mine"}, "begins with awsconfigconforms"),
        (None, {**TEMPLATED, "tags": {TEMPLATE_TAG: "x"}}, "is the tag of the template's checksum"),
        ({**MANAGED, "regions": ["eu-north-1"]}, None, "is none of the file's `regions`"),
    ],
)
def test_error(bench: Bench, rule: Any, pack: Any, words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(file(rule, pack))
    assert words in str(error.value)
