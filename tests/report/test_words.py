"""Tests of the texts that all reports share."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.engine.plan import Count
from provisioner.model import Call, Change, Difference, Failure
from provisioner.report import words


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (
            Failure("bucket b", "Access Denied", "s3", "PutBucketPolicy", "AccessDenied", "R1", "ask"),
            ["bucket b: s3:PutBucketPolicy: AccessDenied: Access Denied", "hint: ask", "request id: R1"],
        ),
        (Failure("reading", "no"), ["reading: no"]),
        (Failure("reading", "no", "s3", "HeadBucket"), ["reading: s3:HeadBucket: no"]),
    ],
)
def test_failure_has_call_code_hint_and_request_id(failure: Failure, expected: list[str]) -> None:
    assert words.failure(failure) == expected


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        (False, True, "f false → true"),
        (None, 14, "f (none) → 14"),
        (["a"], ["a", "b"], 'f ["a"] → ["a", "b"]'),
        (None, {"k": "v" * 80}, "f added"),
        ({"k": "v" * 80}, None, "f removed"),
        ({"k": "v" * 80}, {"k": "w" * 80}, "f changed"),
    ],
)
def test_change_on_one_line(have: Any, want: Any, expected: str) -> None:
    call = Call("iam", "update_account_password_policy", {}, name="UpdateAccountPasswordPolicy")
    change = Change("password policy", (Difference("f", have, want),), call)
    assert words.summary(change) == f"password policy: {expected} (iam:UpdateAccountPasswordPolicy)"


@pytest.mark.parametrize(
    ("count", "complete", "expected"),
    [
        (Count(0, 0), True, "No changes."),
        (Count(0, 0), False, "Incomplete: not all could be read."),
        (Count(2, 1), True, "Plan: 2 to add, 1 to change, 0 to destroy."),
        (Count(2, 1), False, "Plan: 2 to add, 1 to change, 0 to destroy. Incomplete: not all could be read."),
    ],
)
def test_no_changes_only_if_all_was_read(count: Count, complete: bool, expected: str) -> None:
    assert words.planned(count, complete=complete) == expected
