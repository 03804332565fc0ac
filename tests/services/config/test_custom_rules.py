"""Tests of rules of the user's own: policies in Guard, Lambda functions, and internal rules, which are not covered."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.baseline import BaselineError

from ...conftest import Bench
from .sample import ACCOUNT, EVERYTHING, config_file, fields, notes

ONLY = ("config_rules",)
NAME = "versions"
POLICY = "rule versions when resourceType == 'AWS::S3::Bucket' { versioning exists }\n"
GUARD = {"owner": "CUSTOM_POLICY", "policy_text": POLICY}
CHANGE = "ConfigurationItemChangeNotification"
FUNCTION = {
    "owner": "CUSTOM_LAMBDA",
    "source_identifier": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:check",
    "source_details": [
        {"message_type": "ScheduledNotification", "maximum_execution_frequency": "Twelve_Hours"}
    ],
}


def file(*, exact: bool = False, **rule: Any) -> str:
    return config_file({"recorder": {"recording_group": EVERYTHING}, "rules": {NAME: rule}, "exact": exact})


def put(bench: Bench, **source: Any) -> None:
    """Change the source of the rule as another user."""
    client = bench.client("config")
    [have] = client.describe_config_rules(ConfigRuleNames=[NAME])["ConfigRules"]
    client.put_config_rule(ConfigRule={"ConfigRuleName": NAME, "Source": {**have["Source"], **source}})


def details(frequency: str, *more: dict[str, str]) -> list[dict[str, str]]:
    scheduled = {"MessageType": "ScheduledNotification", "MaximumExecutionFrequency": frequency}
    return [{"EventSource": "aws.config", **each} for each in (scheduled, *more)]


def test_a_policy_is_created_and_in_sync_and_another_text_is_repaired(bench: Bench) -> None:
    bench.apply(file(**GUARD), only=ONLY)
    assert fields(bench.diff(file(**GUARD), only=ONLY)) == []
    other = {
        "PolicyRuntime": "guard-2.x.x",
        "PolicyText": "rule no { a exists }",
        "EnableDebugLogDelivery": True,
    }
    put(bench, CustomPolicyDetails=other)
    text = "Source.CustomPolicyDetails.PolicyText"
    assert fields(bench.diff(file(**GUARD), only=ONLY)) == [(text, "rule no { a exists }", POLICY.strip())]
    bench.apply(file(**GUARD), only=ONLY)
    client = bench.client("config")
    assert client.get_custom_rule_policy(ConfigRuleName=NAME)["PolicyText"] == POLICY.strip()
    [have] = client.describe_config_rules()["ConfigRules"]
    assert have["Source"]["CustomPolicyDetails"]["EnableDebugLogDelivery"] is True  # the file leaves it out


def test_debug_logs_are_compared_if_the_file_has_them(bench: Bench) -> None:
    bench.apply(file(**GUARD), only=ONLY)
    [(field, *both)] = fields(bench.diff(file(**GUARD, enable_debug_log_delivery=True), only=ONLY))
    assert (field, both) == ("Source.CustomPolicyDetails.EnableDebugLogDelivery", [False, True])


def test_a_function_that_is_evaluated_more_often_is_stricter(bench: Bench) -> None:
    bench.apply(file(**FUNCTION), only=ONLY)
    assert fields(bench.diff(file(**FUNCTION), only=ONLY)) == []
    put(bench, SourceDetails=details("One_Hour", {"MessageType": CHANGE}))
    plan = bench.diff(file(**FUNCTION), only=ONLY)
    assert fields(plan) == []
    assert [kind for kind, _ in notes(plan)] == ["STRICTER"]
    [(_, change)] = bench.diff(file(exact=True, **FUNCTION), only=ONLY).changes
    assert (change.consent, [each.field for each in change.differences]) == ("record-less", ["SourceDetails"])
    put(bench, SourceDetails=details("TwentyFour_Hours"))
    [(field, *_)] = fields(bench.diff(file(**FUNCTION), only=ONLY))
    assert field == "Source.SourceDetails"


def test_a_rule_of_another_kind_is_refused(bench: Bench) -> None:
    bench.apply(file(**GUARD), only=ONLY)
    [failed] = bench.diff(file(source_identifier="ENCRYPTED_VOLUMES"), only=ONLY).failed
    assert failed.failure is not None
    assert "is there as a policy of your own (CUSTOM_POLICY)" in failed.failure.message


def test_an_internal_rule_is_not_covered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from provisioner.services.config import rules

    bench.apply(file(**GUARD), only=ONLY)
    by_name = rules.by_name
    internal = {"RuleEvaluationVisibility": "INTERNAL"}
    monkeypatch.setattr(
        rules, "by_name", lambda *given: {key: {**each, **internal} for key, each in by_name(*given).items()}
    )
    [finding] = [
        f for r in bench.run(file(**GUARD), only=ONLY).verify() for f in r.findings if NAME in f.resource
    ]
    assert (finding.ok, finding.detail) == (None, "not covered: AWS shows no evaluations of this rule")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, "versions: `source_identifier` is missing: want the identifier of a managed rule"),
        ({"owner": "CUSTOM_POLICY"}, "`policy_text` goes with `owner: CUSTOM_POLICY`, and only with it"),
        ({**GUARD, "source_identifier": "X"}, "source_identifier: goes without `owner: CUSTOM_POLICY`"),
        ({**FUNCTION, "source_identifier": "check"}, "source_identifier: want the ARN of a Lambda function"),
        ({**FUNCTION, "enable_debug_log_delivery": True}, "enable_debug_log_delivery: is for"),
        ({**GUARD, "maximum_execution_frequency": "One_Hour"}, "maximum_execution_frequency: is for managed"),
        (
            {**GUARD, "source_details": FUNCTION["source_details"]},
            "source_details[0].message_type: a policy is evaluated at changes",
        ),
        (
            {**FUNCTION, "source_details": [{"message_type": "ScheduledNotification"}]},
            "`maximum_execution_frequency` goes with `message_type: ScheduledNotification`",
        ),
        (
            {"source_identifier": "ENCRYPTED_VOLUMES", "source_details": [{"message_type": CHANGE}]},
            "source_details: is for rules of your own",
        ),
    ],
)
def test_error(bench: Bench, rule: dict[str, Any], words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(file(**rule))
    assert words in str(error.value)


def test_a_function_is_in_the_region_of_its_rule(bench: Bench) -> None:
    regions = file(**FUNCTION).replace('["us-east-1"]', '["us-east-1", "eu-west-1"]')
    with pytest.raises(
        BaselineError, match="the function is in us-east-1, and AWS Config invokes those of its own"
    ):
        bench.baseline(regions)
    bench.baseline(regions.replace("lambda:us-east-1", "lambda:${region}"))
    bench.baseline(
        file(**FUNCTION, regions=["us-east-1"]).replace('["us-east-1"]', '["us-east-1", "eu-west-1"]', 1)
    )
