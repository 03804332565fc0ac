"""Tests of the step config_remediation: drift, what is left out, exceptions, owners, failures, and proof."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.baseline import BaselineError
from provisioner.compare.policy import document
from provisioner.sandbox.ask import backend

from ...conftest import Bench
from .sample import ACCOUNT, EVERYTHING, config_file, fields, notes

ONLY = ("config_remediation",)
NAME = "versions"
TITLE = f"remediation of config rule {NAME}"
RULE = {"source_identifier": "S3_BUCKET_VERSIONING_ENABLED"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/remediation"
FOREIGN_ROLE = "arn:aws:iam::999999999999:role/remediation"
TRUST = json.dumps(
    document([{"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}])
)
PARAMETERS = {
    "BucketName": {"resource_value": "RESOURCE_ID"},
    "AutomationAssumeRole": {"static_value": [ROLE]},
}
BARE = {"target_id": "AWS-ConfigureS3BucketVersioning"}
FULL = {
    **BARE,
    "parameters": PARAMETERS,
    "automatic": True,
    "maximum_automatic_attempts": 3,
    "execution_controls": {"ssm_controls": {"error_percentage": 10}},
}
BUCKET = {"resource_type": "AWS::S3::Bucket", "resource_id": "scratch"}
EXCEPTION = f"remediation exception {NAME} AWS::S3::Bucket scratch"


def file(
    *, regions: tuple[str, ...] = ("us-east-1",), rule: dict[str, Any] = RULE, **remediation: Any
) -> str:
    rules = {NAME: {**rule, "remediation": remediation}}
    return config_file({"recorder": {"recording_group": EVERYTHING}, "rules": rules}, regions=regions)


def excepting(**exception: Any) -> str:
    return file(**BARE, exceptions=[{**BUCKET, **exception}])


def drift(bench: Bench, text: str) -> list[tuple[str, Any, Any]]:
    return fields(bench.diff(text, only=ONLY))


def have(bench: Bench) -> dict[str, Any]:
    answer = bench.client("config").describe_remediation_configurations(ConfigRuleNames=[NAME])
    [found] = answer["RemediationConfigurations"]
    return dict(found)


def put(bench: Bench, **changed: Any) -> None:
    """Change the remediation as another user."""
    full = {**have(bench), **changed}
    bench.client("config").put_remediation_configurations(RemediationConfigurations=[full])


def proofs(bench: Bench, text: str) -> dict[str, tuple[bool | None, str]]:
    """What `verify` finds of the remediation."""
    results = bench.run(text, only=ONLY).verify()
    return {f.check: (f.ok, f.detail) for r in results for f in r.findings if f.resource == TITLE}


def exceptions(bench: Bench) -> list[dict[str, Any]]:
    answer = bench.client("config").describe_remediation_exceptions(ConfigRuleName=NAME)
    return list(answer["RemediationExceptions"])


def scratch(bench: Bench) -> None:
    """Create the bucket of the exception, which has no versions."""
    bench.client("s3").create_bucket(Bucket=BUCKET["resource_id"])


def kept(bench: Bench, kind: str) -> dict[Any, Any]:
    found: dict[Any, Any] = bench.world.memory.setdefault(f"config_{kind}", {}).setdefault(
        (ACCOUNT, "us-east-1"), {}
    )
    return found


def test_a_remediation_is_made_after_its_rule(bench: Bench) -> None:
    operations = [c.call.operation for _, c in bench.apply(file(**FULL), only=ONLY).changes]
    assert operations[-2:] == ["put_config_rule", "put_remediation_configurations"]
    found = have(bench)
    assert (found["TargetType"], found["Automatic"], found["RetryAttemptSeconds"]) == (
        "SSM_DOCUMENT",
        True,
        60,
    )
    assert found["Parameters"] == {
        "BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}},
        "AutomationAssumeRole": {"StaticValue": {"Values": [ROLE]}},
    }
    assert drift(bench, file(**FULL)) == []


def test_drift_is_repaired_and_what_the_file_leaves_out_stays(bench: Bench) -> None:
    bench.apply(file(**FULL), only=ONLY)
    controls = {"SsmControls": {"ConcurrentExecutionRatePercentage": 50, "ErrorPercentage": 20}}
    put(bench, TargetVersion="7", ExecutionControls=controls, MaximumAutomaticAttempts=9)
    assert drift(bench, file(**BARE)) == []
    wanted = {"SsmControls": {"ConcurrentExecutionRatePercentage": 50, "ErrorPercentage": 10}}
    assert drift(bench, file(**FULL)) == [
        ("MaximumAutomaticAttempts", 9, 3),
        ("ExecutionControls", controls, wanted),
    ]
    bench.apply(file(**FULL), only=ONLY)
    assert (have(bench)["TargetVersion"], have(bench)["ExecutionControls"]) == ("7", wanted)


def test_each_remediation_is_in_the_regions_of_its_rule(bench: Bench) -> None:
    text = file(regions=("us-east-1", "eu-west-1"), rule={**RULE, "home_region_only": True}, **BARE)
    regions = [r.target.region for r, c in bench.apply(text, only=ONLY).changes if c.resource == TITLE]
    assert regions == ["us-east-1"]


def test_more_rules_than_aws_describes_at_once(bench: Bench) -> None:
    rules = {f"r{number:02}": {**RULE, "remediation": BARE} for number in range(27)}
    text = config_file({"recorder": {"recording_group": EVERYTHING}, "rules": rules})
    bench.apply(text, only=ONLY)
    bench.world.calls.clear()
    assert drift(bench, text) == []
    asked = [each for each in bench.world.calls if each.operation == "DescribeRemediationConfigurations"]
    assert sorted(len(each.params["ConfigRuleNames"]) for each in asked) == [2, 25]


def test_one_of_a_service_is_left_to_it(bench: Bench) -> None:
    bench.apply(file(**FULL), only=ONLY)
    kept(bench, "remediations")[NAME] |= {"CreatedByService": "fms.amazonaws.com"}
    assert drift(bench, file(**FULL)) == []
    plan = bench.diff(file(target_id="AWS-Other"), only=ONLY)
    assert fields(plan) == []
    text = f"{TITLE}: TargetId is {BARE['target_id']}; the baseline asks for AWS-Other, and fms.amazonaws.com sets it"
    assert ("OWNED", text) in notes(plan)


def test_what_aws_lists_as_failed_is_a_failure(bench: Bench) -> None:
    bench.apply(file(**FULL), only=ONLY)
    run = bench.run(file(target_id="AWS-Other"), only=ONLY)
    plan = run.rehearse()
    backend("config", ACCOUNT, "us-east-1").config_rules[NAME].created_by = "fms.amazonaws.com"
    [failed] = [r for r in run.send(plan) if r.failures]
    assert failed.failure is not None
    assert "the service-linked rule versions is not supported" in failed.failure.message


def test_an_exception_is_made_once_the_rule_finds_the_resource(bench: Bench) -> None:
    text = excepting(message="empty")
    bench.apply(text, only=ONLY)
    plan = bench.diff(text, only=ONLY)
    assert (fields(plan), [note for note in notes(plan) if EXCEPTION in note[1]]) == ([], [])
    scratch(bench)
    assert drift(bench, text) == [("Message", None, "empty")]
    bench.apply(text, only=ONLY)
    [found] = exceptions(bench)
    assert (found["ResourceId"], found["Message"]) == ("scratch", "empty")
    assert drift(bench, text) == []


def test_an_exception_that_differs_is_put_again_with_what_the_file_leaves_out(bench: Bench) -> None:
    bench.apply(excepting(message="empty"), only=ONLY)
    scratch(bench)
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    bench.client("config").put_remediation_exceptions(
        ConfigRuleName=NAME,
        ResourceKeys=[{"ResourceType": "AWS::S3::Bucket", "ResourceId": "scratch"}],
        Message="theirs",
        ExpirationTime=later,
    )
    assert drift(bench, excepting()) == []
    assert drift(bench, excepting(message="empty")) == [("Message", "theirs", "empty")]
    bench.apply(excepting(message="empty"), only=ONLY)
    [found] = exceptions(bench)
    assert (found["Message"], found["ExpirationTime"]) == ("empty", later)
    assert drift(bench, excepting(expiration_time=later.isoformat())) == []
    day = (later + timedelta(days=1)).date().isoformat()
    assert drift(bench, excepting(expiration_time=day)) == [
        ("ExpirationTime", later.isoformat(), f"{day}T00:00:00+00:00")
    ]


def test_an_exception_is_made_before_aws_remediates_by_itself(bench: Bench) -> None:
    bench.apply(file(**BARE), only=ONLY)
    automatic = file(**FULL, exceptions=[BUCKET])
    told = [text for _, text in notes(bench.diff(automatic, only=ONLY)) if EXCEPTION in text]
    assert [text.rpartition("; ")[2].partition(" until")[0] for text in told] == ["set `automatic: false`"]
    scratch(bench)
    operations = [c.call.operation for _, c in bench.apply(automatic, only=ONLY).changes]
    assert operations == ["put_remediation_exceptions", "put_remediation_configurations"]


def test_an_exception_without_more_is_made(bench: Bench) -> None:
    bench.apply(excepting(), only=ONLY)
    scratch(bench)
    assert drift(bench, excepting()) == [("ResourceId", None, "scratch")]
    bench.apply(excepting(), only=ONLY)
    assert [each["ResourceId"] for each in exceptions(bench)] == ["scratch"]


def test_an_exception_that_has_expired_is_told(bench: Bench) -> None:
    bench.apply(excepting(), only=ONLY)
    scratch(bench)
    plan = bench.diff(excepting(expiration_time="2024-01-31"), only=ONLY)
    assert fields(plan) == []
    assert [text for _, text in notes(plan) if "expired on 2024-01-31" in text] != []


@pytest.mark.parametrize(
    ("executions", "ok", "detail"),
    [
        ([], None, "none yet"),
        ([("a", "SUCCEEDED", None), ("b", "QUEUED", None)], True, "1 succeeded"),
        ([("a", "SUCCEEDED", None), ("b", "FAILED", "denied")], False, "1 of 2 failed, such as b: denied"),
        ([("b", "FAILED", None)], False, "1 of 1 failed, such as b: AWS does not say why"),
    ],
)
def test_executions(bench: Bench, executions: Any, ok: bool | None, detail: str) -> None:
    bench.apply(file(**BARE), only=ONLY)
    kept(bench, "executions")[NAME] = [
        {
            "ResourceKey": {"resourceType": "AWS::S3::Bucket", "resourceId": bucket},
            "State": state,
            "StepDetails": [{"Name": "run", "State": "FAILED", **({"ErrorMessage": why} if why else {})}],
        }
        for bucket, state, why in executions
    ]
    assert proofs(bench, file(**BARE))["executions"] == (ok, detail)


@pytest.mark.parametrize(
    ("theirs", "ok", "words"),
    [
        (
            {"Automatic": True},
            None,
            "starts AWS-ConfigureS3BucketVersioning by itself on what the rule finds",
        ),
        (
            {
                "Automatic": True,
                "Parameters": {"VersioningState": {"StaticValue": {"Values": ["Suspended"]}}},
            },
            False,
            "with VersioningState Suspended: end it",
        ),
        ({}, None, ""),
    ],
)
def test_what_others_remediate_by_themselves_is_told(
    bench: Bench, theirs: dict[str, Any], ok: bool | None, words: str
) -> None:
    text = config_file({"recorder": {"recording_group": EVERYTHING}})
    bench.apply(text)
    source = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}
    bench.client("config").put_config_rule(ConfigRule={"ConfigRuleName": NAME, "Source": source})
    role = {"AutomationAssumeRole": {"StaticValue": {"Values": [ROLE]}}}
    given = {**theirs, "Parameters": {**theirs.get("Parameters", {}), **role}}
    one = {"ConfigRuleName": NAME, "TargetType": "SSM_DOCUMENT", "TargetId": BARE["target_id"], **given}
    bench.client("config").put_remediation_configurations(RemediationConfigurations=[one])
    found = [f for r in bench.run(text).verify() for f in r.findings if f.resource == TITLE]
    assert [(f.ok, words in f.detail) for f in found] == ([(ok, True)] if words else [])


def test_no_remediation_is_a_change_and_has_no_proof(bench: Bench) -> None:
    results = bench.run(file(**BARE), only=ONLY).rehearse().results
    assert TITLE in {change.resource for r in results for change in r.changes}
    assert proofs(bench, file(**BARE))["executions"] == (None, "there is no such remediation yet")


@pytest.mark.parametrize(
    ("given", "failing"),
    [
        ({**FULL, "target_id": "acme-repair"}, {"document", "role"}),
        (FULL, {"role"}),
        (BARE, set()),
        ({**FULL, "parameters": {"AutomationAssumeRole": {"static_value": [FOREIGN_ROLE]}}}, {"role"}),
    ],
)
def test_a_document_or_a_role_that_is_missing_fails(
    bench: Bench, given: dict[str, Any], failing: set[str]
) -> None:
    text = file(**given)
    bench.apply(text, only=ONLY)
    assert {check for check, (ok, _) in proofs(bench, text).items() if ok is False} == failing
    made = {"DocumentType": "Automation", "DocumentFormat": "YAML", "Content": "schemaVersion: '0.3'\n"}
    bench.client("ssm").create_document(Name="acme-repair", **made)
    bench.client("iam").create_role(RoleName="remediation", AssumeRolePolicyDocument=TRUST)
    left = {check for check, (ok, _) in proofs(bench, text).items() if ok is False}
    assert left == ({"role"} if FOREIGN_ROLE in text else set())


@pytest.mark.parametrize(
    ("remediation", "words"),
    [
        ({**BARE, "automatic": True}, "automatic: AWS remediates by itself only with a role"),
        ({**BARE, "parameters": {"A": {}}}, "want one of `static_value` and `resource_value`"),
        ({**BARE, "exceptions": [BUCKET, BUCKET]}, "is listed twice: keep one of them"),
        ({**BARE, "exceptions": [{**BUCKET, "expiration_time": "soon"}]}, "want a day or time such as"),
        ({**BARE, "exceptions": [{**BUCKET, "message": "x" * 1025}]}, "message"),
        ({}, "target_id"),
    ],
)
def test_error(bench: Bench, remediation: dict[str, Any], words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(file(**remediation))
    assert words in str(error.value)
