"""Rules as values: what is the same to AWS, what a status proves, and what the file may not say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.baseline import BaselineError
from provisioner.compare.values import differences
from provisioner.services.config.rule_section import Rule, more_often
from provisioner.services.config.rules import rule_finding, shown_rule, wanted_rule

from ...conftest import Bench
from .sample import config_file

NAME = "passwords"
BARE = {"source_identifier": "IAM_PASSWORD_POLICY"}
TYPES = ["AWS::S3::Bucket", "AWS::EC2::Volume"]
NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
EARLY, LATE = NOW - timedelta(hours=2), NOW - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("status", "ok", "detail"),
    [
        (None, False, "there is no such rule"),
        ({"FirstEvaluationStarted": False}, None, "not evaluated yet"),
        ({"LastSuccessfulEvaluationTime": LATE}, True, "succeeded at 11:55 UTC, 5 minutes ago"),
        (
            {
                "LastSuccessfulEvaluationTime": EARLY,
                "LastFailedEvaluationTime": LATE,
                "LastErrorCode": "E",
                "LastErrorMessage": "m",
            },
            False,
            "failed at 11:55 UTC, 5 minutes ago: E: m",
        ),
        (
            {"LastSuccessfulEvaluationTime": LATE, "LastFailedEvaluationTime": EARLY, "LastErrorCode": "E"},
            True,
            "succeeded at 11:55 UTC, 5 minutes ago",
        ),
        (
            {"LastFailedInvocationTime": LATE},
            False,
            "failed at 11:55 UTC, 5 minutes ago: AWS does not say why",
        ),
        ({"LastErrorCode": "E"}, False, "failed: E"),
    ],
)
def test_what_a_status_proves(status: dict[str, Any] | None, ok: bool | None, detail: str) -> None:
    finding = rule_finding(NAME, status, NOW)
    assert (finding.ok, finding.detail) == (ok, detail)


SOURCE = {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"}


class TestForms:
    @pytest.mark.parametrize(
        ("scope", "have", "expected"),
        [
            (None, {"TagKey": "team"}, [("Scope.TagKey", "team", None)]),
            (
                {"tag_key": "team", "tag_value": "security"},
                {"TagKey": "team", "TagValue": "sales"},
                [("Scope.TagValue", "sales", "security")],
            ),
            ({"tag_key": "team"}, {"ComplianceResourceTypes": []}, [("Scope.TagKey", None, "team")]),
            ({"compliance_resource_types": TYPES}, {"ComplianceResourceTypes": TYPES[::-1]}, []),
        ],
    )
    def test_a_scope(self, scope: dict[str, Any] | None, have: dict[str, Any], expected: list[Any]) -> None:
        # moto forgets tags in scopes
        wanted = Rule(**BARE, scope=scope)
        rule = {"Source": SOURCE, "Scope": have}
        found = differences(shown_rule(rule), wanted_rule(wanted, rule))
        assert [(each.field, each.have, each.want) for each in found] == expected

    @pytest.mark.parametrize(
        "nothing", [{}, {"InputParameters": ""}, {"InputParameters": "{}"}, {"Scope": {}}]
    )
    def test_nothing_is_nothing(self, nothing: dict[str, Any]) -> None:
        have = {"Source": SOURCE, **nothing}
        assert differences(shown_rule(have), wanted_rule(Rule(**BARE), have)) == ()

    @given(
        st.dictionaries(
            st.text(min_size=1, max_size=9), st.text(max_size=9) | st.booleans() | st.integers(), max_size=5
        )
    )
    def test_parameters_are_equal_as_aws_reads_them(self, parameters: dict[str, Any]) -> None:
        wanted = Rule(**BARE, input_parameters=parameters)
        have = {"Source": SOURCE, "InputParameters": json.dumps(parameters, indent=3)}
        assert differences(shown_rule(have), wanted_rule(wanted, have)) == ()

    @given(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"])),
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"])),
    )
    def test_any_other_parameter_is_a_difference(self, had: dict[str, str], wants: dict[str, str]) -> None:
        have = {"Source": SOURCE, "InputParameters": json.dumps(had)}
        found = differences(shown_rule(have), wanted_rule(Rule(**BARE, input_parameters=wants), have))
        expected = {f"InputParameters.{key}" for key in {*had, *wants} if had.get(key) != wants.get(key)}
        assert {each.field for each in found} == expected

    def test_how_often(self) -> None:
        assert more_often("One_Hour", "Three_Hours")
        assert not more_often("TwentyFour_Hours", "One_Hour")
        assert not more_often(None, "One_Hour")
        assert not more_often("One_Hour", "One_Hour")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"securityhub-mine": BARE}, "names like this belong to Security Hub"),
        ({"AWSControlTower_X": BARE}, "names like this belong to Control Tower"),
        ({"a-conformance-pack-b": BARE}, "names like this belong to a conformance pack"),
        ({"n" * 129: BARE}, "config.rules"),
        (
            {NAME: {"source_identifier": "iam-password-policy"}},
            "source_identifier: want the identifier of a managed rule",
        ),
        (
            {NAME: {**BARE, "input_parameters": {"a": "b" * 1020}}},
            "AWS takes 1024 characters of JSON, got 1028",
        ),
        (
            {NAME: {**BARE, "input_parameters": {"a": ["b"]}}},
            "input_parameters.a: want text, a number, true or false",
        ),
        (
            {NAME: {**BARE, "maximum_execution_frequency": "Daily"}},
            "maximum_execution_frequency: want one of 'One_Hour'",
        ),
        (
            {NAME: {**BARE, "scope": {"tag_key": "x", "compliance_resource_types": TYPES}}},
            "scope.tag_key: goes without",
        ),
        ({NAME: {**BARE, "scope": {"tag_value": "x"}}}, "scope.tag_value: needs `tag_key`"),
        (
            {NAME: {**BARE, "scope": {"compliance_resource_id": "i-1"}}},
            "compliance_resource_id: needs its one type",
        ),
        ({NAME: {**BARE, "tags": {"aws:x": "y"}}}, "keys that begin with `aws:` are AWS's own"),
    ],
)
def test_what_the_file_may_not_say(bench: Bench, wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(config_file({"rules": wanted}))
    assert words in str(error.value)
