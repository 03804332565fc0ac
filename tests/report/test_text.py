"""The reports: what a name from AWS may do to a terminal (nothing), and how failures read."""

from __future__ import annotations

import io
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from provisioner.engine.plan import Plan
from provisioner.model import Call, Change, Difference, Failure, Finding, Kind, Note, Result, Target
from provisioner.report import document, text, words

HOSTILE = st.text(st.characters(), max_size=30) | st.just("\x1b]0;owned\x07\x1b[2J\x9b31m\u202e")
TARGET = Target("123456789012", "us-east-1")


def rendered(lines: Any) -> str:
    console = Console(
        file=io.StringIO(), width=200, color_system=None, markup=False, highlight=False, emoji=False
    )
    for line in lines:
        console.print(line, soft_wrap=True)
    return console.file.getvalue()  # type: ignore[attr-defined]


def harmless(shown: str) -> bool:
    return all(c == "\n" or not unicodedata.category(c).startswith("C") for c in shown)


@settings(max_examples=150, deadline=None)
@given(HOSTILE, HOSTILE)
def test_a_hostile_name_reaches_no_terminal(name: str, value: str) -> None:
    call = Call("s3", "put_bucket_tagging", {"Bucket": name}, name="PutBucketTagging")
    differences = (Difference("tag", name, value), Difference("policy", {"a": name * 9}, {"a": [value] * 9}))
    result = Result(
        "log_buckets",
        TARGET,
        [Change(name, differences, call, consent="x", loses=value)],
        [Note(Kind.FOREIGN, name, value)],
        findings=[Finding(name, "check", ok=False, detail=value)],
        failure=Failure(name, value, "s3", "PutBucketTagging", name, value, "hint"),
    )
    plan = Plan((result,))
    parts = [text.changes(plan), text.notes(plan), text.failures([result]), [text.findings([result])]]
    for part in parts:
        assert harmless(rendered(part))
    assert harmless(text.repaired(result, result.changes[0]))
    for found in (document.plan_document(plan, plan.digest), document.verified_document([result])):
        assert json.dumps(found, default=str).isascii()


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
def test_a_failure_names_the_call_the_code_the_id_and_the_remedy(
    failure: Failure, expected: list[str]
) -> None:
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
def test_a_change_in_one_line(have: Any, want: Any, expected: str) -> None:
    call = Call("iam", "update_account_password_policy", {}, name="UpdateAccountPasswordPolicy")
    change = Change("password policy", (Difference("f", have, want),), call)
    assert words.one_line(change) == f"password policy: {expected} (iam:UpdateAccountPasswordPolicy)"


def test_what_was_not_run_says_why() -> None:
    shown = rendered(text.failures([Result("cloudtrail", TARGET, blocked_by="log_buckets")]))
    assert shown == "! cloudtrail  123456789012 us-east-1: not run: log_buckets failed\n"
