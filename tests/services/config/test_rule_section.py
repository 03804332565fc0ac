"""Tests of a rule's comparison with AWS, and of the errors in `config.rules`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.baseline import BaselineError
from provisioner.compare.spelling import to_text
from provisioner.compare.values import differences
from provisioner.services.config.rule_section import Rule, more_often
from provisioner.services.config.rule_settings import normal_rule, rule_settings

from ...conftest import Bench
from .sample import config_file

NAME = "passwords"
BARE = {"source_identifier": "IAM_PASSWORD_POLICY"}
TYPES = ["AWS::S3::Bucket", "AWS::EC2::Volume"]


SOURCE = {"Owner": "AWS", "SourceIdentifier": "IAM_PASSWORD_POLICY"}


@pytest.mark.parametrize(
    ("scope", "have", "expected"),
    [
        (None, {"TagKey": "team"}, []),
        ({}, {"TagKey": "team"}, [("Scope.TagKey", "team", None)]),
        (
            {"tag_key": "team", "tag_value": "security"},
            {"TagKey": "team", "TagValue": "sales"},
            [("Scope.TagValue", "sales", "security")],
        ),
        ({"tag_key": "team"}, {"ComplianceResourceTypes": []}, [("Scope.TagKey", None, "team")]),
        ({"compliance_resource_types": TYPES}, {"ComplianceResourceTypes": TYPES[::-1]}, []),
    ],
)
def test_scope(scope: dict[str, Any] | None, have: dict[str, Any], expected: list[Any]) -> None:
    # Not end to end: moto does not keep tags in scopes.
    rule = {"Source": SOURCE, "Scope": have}
    found = differences(normal_rule(rule), rule_settings(Rule(**BARE, scope=scope), rule))
    assert [(each.field, each.have, each.want) for each in found] == expected


@pytest.mark.parametrize("empty", [{}, {"InputParameters": ""}, {"InputParameters": "{}"}, {"Scope": {}}])
def test_empty_fields_are_equal(empty: dict[str, Any]) -> None:
    have = {"Source": SOURCE, **empty}
    assert differences(normal_rule(have), rule_settings(Rule(**BARE), have)) == ()


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=9),
        st.text(max_size=9).filter(str.strip) | st.booleans() | st.integers(),
        max_size=5,
    )
)
def test_equal_parameters(parameters: dict[str, Any]) -> None:
    rule = Rule(**BARE, input_parameters={key: to_text(value) for key, value in parameters.items()})
    have = {"Source": SOURCE, "InputParameters": json.dumps(parameters, indent=3)}
    assert differences(normal_rule(have), rule_settings(rule, have)) == ()


@given(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"])),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"])),
)
def test_different_parameters(old: dict[str, str], new: dict[str, str]) -> None:
    have = {"Source": SOURCE, "InputParameters": json.dumps(old)}
    found = differences(normal_rule(have), rule_settings(Rule(**BARE, input_parameters=new), have))
    expected = {f"InputParameters.{key}" for key in {*old, *new} if old.get(key) != new.get(key)}
    assert {each.field for each in found} == expected


def test_more_often() -> None:
    assert more_often("One_Hour", "Three_Hours")
    assert not more_often("TwentyFour_Hours", "One_Hour")
    assert not more_often(None, "One_Hour")
    assert not more_often("One_Hour", "One_Hour")
    assert not more_often("New", "One_Hour")


@pytest.mark.parametrize(
    ("rules", "words"),
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
        (
            {NAME: {"source_identifier": "IAM_PASWORD_POLICY"}},
            "'ENCRYPTED_VOLUMES', got 'IAM_PASWORD_POLICY'; did you mean 'IAM_PASSWORD_POLICY'?",
        ),
        ({NAME: {"source_identifier": "password-policy"}}, "got 'password-policy'"),
        ({NAME: {"source_identifier": ""}}, "want the identifier of a managed rule"),
        ({NAME: {**BARE, "input_parameters": {"a": ""}}}, "input_parameters.a: AWS takes no empty value"),
        ({NAME: {**BARE, "input_parameters": {"a": " \t"}}}, "input_parameters.a: AWS takes no empty value"),
        ({NAME: {**BARE, "input_parameters": {"a": None}}}, "input_parameters.a: want text, a number"),
        (
            {NAME: {**BARE, "regions": ["us-east-1"], "home_region_only": True}},
            "rules.passwords.regions: goes without `home_region_only`",
        ),
        ({NAME: {**BARE, "regions": []}}, "regions: want a list of at least 1 item"),
        ({NAME: {**BARE, "regions": ["us-east-1", "us-east-1"]}}, "regions[1]: is listed twice"),
        (
            {NAME: {**BARE, "regions": ["us-esat-1"]}},
            "regions[0]: there is no Region `us-esat-1`; did you mean",
        ),
        (
            {NAME: {**BARE, "regions": ["eu-west-1"]}},
            "regions[0]: 'eu-west-1' is none of the file's `regions`: add it there, or drop it here",
        ),
        ({NAME: {**BARE, "tags": {"aws:x": "y"}}}, "keys that begin with `aws:` are AWS's own"),
    ],
)
def test_error(bench: Bench, rules: dict[str, Any], words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(config_file({"rules": rules}))
    assert words in str(error.value)
