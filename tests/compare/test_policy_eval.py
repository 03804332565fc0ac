"""Tests of policy evaluation: an explicit deny wins, nothing is allowed by default, conditions count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from provisioner.compare.policy_eval import Act, conditions_hold, decide, decide_identity, like

TRAIL = "arn:aws:cloudtrail:us-east-1:123456789012:trail/t"
CONTEXT = {
    "aws:sourcearn": TRAIL,
    "aws:sourceaccount": "123456789012",
    "aws:securetransport": "true",
    "n": "5",
}
ALLOW = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject"}
HERE = {**ALLOW, "Resource": "arn:aws:s3:::b/AWSLogs/*"}
DENY = {**HERE, "Effect": "Deny"}
OWN = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}}
ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}
WRITE = Act("s3:PutObject", "arn:aws:s3:::b/AWSLogs/x", "cloudtrail.amazonaws.com", CONTEXT)
IN_CHINA = "logs.cn-north-1.amazonaws.com.cn"
ACCOUNT = Act("s3:GetObject", "arn:aws:s3:::b/k", "arn:aws:iam::123456789012:role/r")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"AWS:SourceArn": TRAIL}}, True),
        ({"StringEquals": {"aws:SourceArn": ["other", TRAIL]}}, True),
        ({"StringEquals": {"aws:SourceArn": TRAIL.replace("/t", "/*")}}, False),
        ({"StringLike": {"aws:SourceArn": TRAIL.replace("/t", "/*")}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:*:cloudtrail:*:123456789012:trail/*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:*:trail/*"}}, False),
        ({"ArnEquals": {"aws:SourceArn": TRAIL}}, True),
        ({"StringEquals": {"aws:SourceOrgID": "o-1"}}, False),
        ({"StringEqualsIfExists": {"aws:SourceOrgID": "o-1"}}, True),
        ({"StringNotEquals": {"aws:SourceOrgID": "o-1"}}, True),
        ({"StringNotEquals": {"aws:SourceAccount": "123456789012"}}, False),
        ({"StringNotLike": {"aws:SourceAccount": "1*"}}, False),
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:s3:::*"}}, True),
        ({"Null": {"aws:SourceOrgID": "true"}}, True),
        ({"Null": {"aws:SourceArn": True}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"NumericLessThan": {"n": "6"}}, True),
        ({"NumericGreaterThan": {"n": 6}}, False),
        ({"NumericLessThan": {"aws:SourceAccount": "x"}}, False),
        ({"ForAnyValue:StringEquals": {"aws:SourceAccount": ["123456789012"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:Nothing": ["x"]}}, True),
        ({"Nonsense": {"n": "5"}}, False),
        ({"StringEquals": {"aws:SourceAccount": 123456789012}}, True),
        ({"StringEquals": {"aws:SourceArn": TRAIL, "aws:SourceAccount": "0"}}, False),
    ],
)
def test_conditions(condition: Any, holds: bool) -> None:
    assert conditions_hold(condition, CONTEXT) is holds


@pytest.mark.parametrize(
    ("statements", "act", "verdict"),
    [
        ([HERE], WRITE, "allow"),
        ([], WRITE, None),
        ([{**HERE, "Action": ["s3:getobject", "S3:PUTOBJECT"]}], WRITE, "allow"),
        ([{**HERE, "Action": "s3:Put*"}], WRITE, "allow"),
        ([{**HERE, "Resource": "arn:aws:s3:::b/awslogs/*"}], WRITE, None),
        ([HERE, {**DENY, "Principal": "*"}], WRITE, "deny"),
        ([{**HERE, "Principal": {"Service": IN_CHINA}}], replace(WRITE, principal=IN_CHINA), "allow"),
        ([{**HERE, "Principal": {"AWS": IN_CHINA}}], replace(WRITE, principal=IN_CHINA), None),
        ([HERE, {**DENY, "Principal": {"Service": "config.amazonaws.com"}}], WRITE, "allow"),
        ([{**HERE, "Principal": {"AWS": "*"}}], WRITE, "allow"),
        ([{**HERE, "Principal": {"AWS": "123456789012"}}], WRITE, None),
        ([{**OWN, "NotAction": "s3:Put*", "NotResource": "x"}], ACCOUNT, "allow"),
        ([{**ANY, "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}}], ACCOUNT, "allow"),
        ([{**ANY, "Principal": {"AWS": ["arn:aws:iam::123456789012:role/s"]}}], ACCOUNT, None),
        ([{**ANY, "Effect": "Deny", "NotPrincipal": {"AWS": "999999999999"}}], ACCOUNT, "deny"),
        ([{**HERE, "Principal": "nonsense"}], WRITE, None),
    ],
)
def test_decisions(statements: Any, act: Act, verdict: str | None) -> None:
    assert decide({"Statement": statements}, act) == verdict


def test_single_statement_without_a_list() -> None:
    assert decide({"Statement": HERE}, WRITE) == "allow"
    assert decide(None, WRITE) is None


def test_identity_policies_have_no_principal() -> None:
    may = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    not_ = {"Statement": {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}}
    assert decide_identity([may], ACCOUNT) == "allow"
    assert decide_identity([may, not_], ACCOUNT) == "deny"
    assert decide_identity([], ACCOUNT) is None


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("a*c", "abbc", True),
        ("a?c", "abc", True),
        ("a?c", "abbc", False),
        ("a.c", "abc", False),
        ("[a]", "a", False),
    ],
)
def test_patterns(pattern: str, text: str, fits: bool) -> None:
    assert like(pattern, text) is fits
