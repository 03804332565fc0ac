"""Tests of the command `permissions` for an organization."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.steps.permission import ANY_ACCOUNT

from ..conftest import EXAMPLE
from .sample import least, role_least, run_permissions
from .test_parts import ALL, ARCHIVE, CALLER, LISTED, WORKLOAD

SECRET = "must-not-be-printed"
FILE = EXAMPLE + (
    f"accounts: {{all: true, log_archive: '{ARCHIVE}', external_id: '${{env:EXTERNAL_ID}}', role_name: baseline,"
    " session_tags: {run: baseline}}\n"
)
FILLED = FILE.replace("${env:EXTERNAL_ID}", SECRET)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("EXTERNAL_ID", SECRET)
    path = tmp_path / "baseline.yaml"
    path.write_text(FILE)
    return str(path)


def printed(capfd: Any, *arguments: str) -> tuple[dict[str, Any], str]:
    """The printed policy and the notes, neither of which has the secret."""
    code, out, err = run_permissions(capfd, *arguments)
    assert code == 0, err
    assert SECRET not in out + err
    assert all(line.startswith("note: ") for line in err.splitlines())
    return json.loads(out), err


def test_the_command_prints_the_policy_of_the_caller(capfd: Any, file: str) -> None:
    policy, notes = printed(capfd, file, "--account", CALLER)
    assert policy == least(FILLED, "apply")
    assert "it assumes baseline in each account: `--member` prints that role's policy" in notes
    assert "the flag --ou needs organizations:ListAccounts, ListRoots" in notes
    assert "no account was named" not in notes
    policy, notes = printed(capfd, file, "--for", "diff")
    assert policy == least(FILLED, "diff", account=ANY_ACCOUNT)
    assert (
        "fits any, the one it is attached in, but for those that the file names: narrow it with --account"
        in notes
    )
    assert "allowed_account_ids" not in notes


def test_the_command_prints_the_policy_of_the_role(capfd: Any, file: str) -> None:
    policy, notes = printed(capfd, file, "--member")
    assert policy == role_least(FILLED, "apply")
    assert f"account {ARCHIVE} is the log archive, and needs more: --member --account {ARCHIVE}" in notes
    assert "ListAccountAliases" not in notes
    policy, notes = printed(capfd, file, "--member", "--account", ARCHIVE, "--for", "diff", "--for", "verify")
    assert policy == role_least(FILLED, "diff", "verify", account=ARCHIVE)
    assert notes == ""


def test_the_command_prints_the_trust_policy(capfd: Any, file: str) -> None:
    caller = f"arn:aws:iam::{CALLER}:role/aws-reserved/sso.amazonaws.com/baseline"
    policy, notes = printed(capfd, file, "--trust", caller)
    assert policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ProvisionEnters",
                "Effect": "Allow",
                "Principal": {"AWS": caller},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "${env:EXTERNAL_ID}"}},
            },
            {
                "Sid": "ProvisionTags",
                "Effect": "Allow",
                "Principal": {"AWS": caller},
                "Action": "sts:TagSession",
            },
        ],
    }
    assert "the external id is not shown: put it in the place of ${env:EXTERNAL_ID}" in notes
    assert "name the caller's role" not in notes


def test_a_trust_policy_for_an_account_without_external_id_and_tags(capfd: Any, file: str) -> None:
    Path(file).write_text(EXAMPLE + ALL)
    policy, notes = printed(capfd, file, "--trust", CALLER, "--partition", "aws-us-gov")
    root = f"arn:aws-us-gov:iam::{CALLER}:root"
    enter = {
        "Sid": "ProvisionEnters",
        "Effect": "Allow",
        "Principal": {"AWS": root},
        "Action": "sts:AssumeRole",
    }
    assert policy["Statement"] == [enter]
    assert "better name the caller's role by its ARN" in notes
    assert "external id" not in notes


def test_an_external_id_that_is_written_in_the_file_is_printed(capfd: Any, file: str) -> None:
    Path(file).write_text(EXAMPLE + "accounts: {all: true, external_id: handshake}\n")
    policy, notes = printed(capfd, file, "--trust", CALLER)
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": "handshake"}}
    assert "external id" not in notes


WRONG = [
    (
        FILE,
        ("--trust", "everybody"),
        "want the ARN of the caller's role or user, or the 12 digits of its account",
    ),
    (
        FILE,
        ("--trust", f"arn:aws:sts::{CALLER}:assumed-role/a/b"),
        "want the ARN of the caller's role or user",
    ),
    (FILE, ("--trust", CALLER, "--member"), "it is the same in every account"),
    (FILE, ("--trust", CALLER, "--account", CALLER), "it is the same in every account"),
    (EXAMPLE, ("--member",), "is for one account: add `accounts: {all: true}`, or drop the flag"),
    (EXAMPLE, ("--trust", CALLER), "is for one account: add `accounts: {all: true}`, or drop the flag"),
    (EXAMPLE + LISTED, ("--member", "--account", CALLER), "is not for it: add it there, or drop the flag"),
    (
        f"{EXAMPLE}accounts: {{all: true, exclude: {{ids: ['{WORKLOAD}']}}}}\n",
        ("--member", "--account", WORKLOAD),
        "is not for it",
    ),
]


@pytest.mark.parametrize(("text", "flags", "message"), WRONG)
def test_flags_that_do_not_fit_are_refused(
    capfd: Any, file: str, text: str, flags: tuple[str, ...], message: str
) -> None:
    Path(file).write_text(text)
    code, out, err = run_permissions(capfd, file, *flags)
    assert (code, out) == (1, "")
    assert message in err
    assert SECRET not in err


@pytest.mark.parametrize("flags", [("--for", "pause"), ("--service", "config")])
def test_a_policy_without_roles_is_not_said_to_assume_one(
    capfd: Any, file: str, flags: tuple[str, ...]
) -> None:
    policy, notes = printed(capfd, file, *flags)
    assert ("sts:AssumeRole" in str(policy), "it assumes" in notes) == (False, False)
