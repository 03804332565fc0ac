"""Tests of policies that others gave a role of ours: which of them could undo the baseline."""

from __future__ import annotations

from typing import Any

import pytest

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
    ],
)
def test_power_over_the_baseline(action: Any, resource: str, power: bool) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert bool(power_of({"Statement": [statement]})) == power


def test_every_section_names_the_actions_that_undo_it() -> None:
    assert {*all_harmful_actions()} == {*all_sections().values()}


@pytest.mark.parametrize("action", [each for several in all_harmful_actions().values() for each in several])
def test_each_of_them_exists_and_is_power(action: str) -> None:
    assert find_action(action) is not None
    assert power_of({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}) == action
