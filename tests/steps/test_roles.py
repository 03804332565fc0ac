"""Tests of policies that others gave a role of ours: which of them could undo the baseline."""

from __future__ import annotations

from typing import Any, Final

import pytest

from provisioner.compare.policy_dangers import first_denied
from provisioner.sandbox.reference import find_action
from provisioner.steps.registry import all_harmful_actions, all_sections
from provisioner.steps.roles import power_of


@pytest.mark.parametrize(
    ("action", "resource", "power"),
    [
        ("*", "*", True),
        ("iam:*", "*", True),
        ("s3:*", "*", True),
        ("cloudtrail:Stop*", "*", True),
        (["s3:Get*", "kms:Decrypt"], "*", False),
        ("s3:PutObject", "arn:aws:s3:::logs/*", False),
        ("s3:DeleteObject*", "arn:aws:s3:::logs/*", True),
        ("s3:PutBucketPolicy", "arn:aws:s3:::logs", True),
        ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/x", True),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/x", False),
        ("CLOUDTRAIL:STOPLOGGING", "arn:aws:cloudtrail:*:*:trail/x", True),
    ],
)
def test_power_over_the_baseline(action: Any, resource: str, power: bool) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert bool(power_of({"Statement": [statement]})) == power


ALLOW: Final = {"Effect": "Allow", "Action": "cloudtrail:StopLogging", "Resource": "*"}
DENY: Final = {**ALLOW, "Effect": "Deny"}


@pytest.mark.parametrize(
    ("statements", "power"),
    [
        ([{**ALLOW, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}], True),
        ([{**ALLOW, "Condition": {"DateLessThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}}}], True),
        ([{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}], True),
        (
            [{"Effect": "Allow", "Action": "cloudtrail:*", "NotResource": "arn:aws:cloudtrail:*:*:trail/x"}],
            True,
        ),
        ([ALLOW, DENY], False),
        ([ALLOW, {**DENY, "Resource": "arn:aws:cloudtrail:*:*:trail/x"}], True),
    ],
)
def test_spellings_of_power(statements: list[dict[str, Any]], power: bool) -> None:
    assert bool(power_of({"Statement": statements})) == power


DELIVERY: Final = {
    "Effect": "Allow",
    "Action": ["s3:PutObject", "kms:Decrypt"],
    "Resource": "arn:aws:s3:::b/AWSLogs/*",
}


@pytest.mark.parametrize(
    ("statement", "denied"),
    [
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, "s3:PutObject"),
        ({"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}, "kms:Decrypt"),
        (
            {"Effect": "Deny", "Action": "s3:Put*", "Resource": "arn:aws:s3:::b/AWSLogs/1/Config/*"},
            "s3:PutObject",
        ),
        ({"Effect": "Deny", "Action": "s3:Put*", "Resource": "arn:aws:s3:::other/*"}, ""),
        ({"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}, ""),
        (
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            "",
        ),
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, ""),
    ],
)
def test_what_others_deny_a_role(statement: dict[str, Any], denied: str) -> None:
    assert first_denied({"Statement": [statement]}, {"Statement": [DELIVERY]}) == denied


def test_every_section_names_the_actions_that_undo_it() -> None:
    assert {*all_harmful_actions()} == {*all_sections().values()}


@pytest.mark.parametrize("action", [each for several in all_harmful_actions().values() for each in several])
def test_each_of_them_exists_and_is_power(action: str) -> None:
    assert find_action(action) is not None
    assert power_of({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}) == action
