"""Tests of the command `permissions` for one account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner import permissions
from provisioner.baseline import parse
from provisioner.baseline.partitions import all_regions
from provisioner.steps.registry import all_sections

from ..conftest import EXAMPLE
from .sample import (
    ACCOUNT,
    EVERYTHING,
    REGIONS,
    actions,
    least,
    run_permissions,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "baseline.yaml"
    path.write_text(EXAMPLE)
    return path


def test_the_command_prints_json_and_notes_on_stderr(capfd: Any, file: Path) -> None:
    code, out, err = run_permissions(capfd, str(file), "--account", ACCOUNT)
    assert code == 0
    assert json.loads(out) == least(EXAMPLE, "apply")
    assert all(line.startswith("note: ") for line in err.splitlines())
    assert "iam:ListAccountAliases is left out" in err
    assert "no account was named" not in err
    code, out, _ = run_permissions(capfd, str(file), "--account", ACCOUNT, "--for", "diff", "--for", "verify")
    assert json.loads(out) == least(EXAMPLE, "diff", "verify")


def test_the_default_account_is_the_only_one_that_the_file_allows(capfd: Any, file: Path) -> None:
    code, out, err = run_permissions(capfd, str(file))
    assert "acme-config-${aws:PrincipalAccount}" in out
    assert "narrow it with --account" in err
    file.write_text(EXAMPLE + f'allowed_account_ids: ["{ACCOUNT}"]\n')
    code, out, err = run_permissions(capfd, str(file))
    assert (code, json.loads(out)) == (0, least(EXAMPLE, "apply"))
    assert "--account" not in err
    code, out, err = run_permissions(capfd, str(file), "--account", "111122223333")
    assert (code, out) == (1, "")
    assert "`allowed_account_ids`" in err


def test_the_default_partition_is_the_home_regions(capfd: Any, file: Path) -> None:
    file.write_text(EXAMPLE.replace("us-east-1", "us-gov-west-1"))
    assert "arn:aws-us-gov:s3:::" in run_permissions(capfd, str(file))[1]
    assert "arn:aws-eusc:s3:::" in run_permissions(capfd, str(file), "--partition", "aws-eusc")[1]


def test_a_wrong_file_and_a_wrong_account_are_errors(capfd: Any, file: Path) -> None:
    assert run_permissions(capfd, str(file), "--account", "12345")[0] == 1
    file.write_text(EXAMPLE.replace("minimum_password_length: 14", "minimum_password_length: x"))
    code, out, err = run_permissions(capfd, str(file))
    assert (code, out) == (1, "")
    assert "password_policy.minimum_password_length" in err
    file.write_text(EXAMPLE.replace("acme", "a" * 48, 1))
    assert run_permissions(capfd, str(file))[:2] == (1, "")
    assert run_permissions(capfd, str(file.with_name("none.yaml")))[0] == 1


def notes(text: str, *purposes: str) -> str:
    baseline = parse(text, "baseline.yaml", all_sections(), {})
    return "\n".join(permissions.notes(least(text, *purposes), baseline, ACCOUNT))


def many_buckets() -> str:
    """The example with so many buckets that their policy is too long for IAM."""
    one = EXAMPLE[EXAMPLE.index("  config:\n    name:") : EXAMPLE.index("cloudtrail:\n  name:")]
    many = "".join(
        one.replace("  config:", f"  more{i}:").replace("-config-", f"-more{i}-").replace("*archive", "[]")
        for i in range(30)
    )
    return EXAMPLE.replace("cloudtrail:\n  name:", f"{many}\ncloudtrail:\n  name:", 1)


def test_a_policy_that_is_too_long_is_refused(capfd: Any, file: Path) -> None:
    file.write_text(many_buckets())
    code, out, err = run_permissions(capfd, str(file))
    assert (code, out) == (1, "")
    assert "characters, and IAM takes 6,144 in one: write one for each service with `--split DIR`" in err
    assert "(cloudtrail 1," in err
    assert run_permissions(capfd, str(file), "--service", "cloudtrail")[0] == 0


def test_one_service_is_printed_and_an_unknown_one_is_refused(capfd: Any, file: Path) -> None:
    code, out, _ = run_permissions(capfd, str(file), "--service", "password_policy")
    assert code == 0
    assert actions(json.loads(out)) == ["iam:GetAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy"]
    code, out, err = run_permissions(capfd, str(file), "--service", "guarddog")
    assert (code, out) == (1, "")
    assert (
        "--service guarddog: the file needs no such policy; there are cloudtrail, config, log_buckets" in err
    )


def test_split_policies_have_together_the_actions_of_the_whole(
    capfd: Any, file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "policies" / "here"
    code, out, _ = run_permissions(capfd, str(file), "--split", str(folder))
    assert code == 0
    written = {path.stem: json.loads(path.read_text()) for path in sorted(folder.iterdir())}
    assert [*written] == ["cloudtrail", "config", "log_buckets", "password_policy"]
    assert [line.split()[0] for line in out.splitlines()] == [
        str(folder / f"{each}.json") for each in written
    ]
    whole = json.loads(run_permissions(capfd, str(file))[1])
    assert sorted({a for each in written.values() for a in actions(each)}) == actions(whole)
    code, _, err = run_permissions(capfd, str(file), "--split", str(file))
    assert (code, f"Directory '{file}' is a file" in err) == (1, True)


def test_nineteen_regions_fit_into_one_managed_policy() -> None:
    others = sorted(each for each, partition in all_regions().items() if partition == "aws")[:18]
    text = EXAMPLE.replace(REGIONS, f"regions: [{', '.join(others)}, us-east-1]")
    assert permissions.size(least(text, "apply")) <= permissions.MANAGED_POLICY


def test_a_policy_that_writes_role_policies_has_a_note() -> None:
    assert "any permission" in notes(EVERYTHING, "apply")
    assert "any permission" not in notes(EVERYTHING, "diff")
    assert "any permission" not in notes(EXAMPLE, "apply")


@pytest.mark.parametrize(
    "flags", [["--partition", "bogus"], ["--partition", ""], ["--service", ""], ["--split", ""]]
)
def test_a_value_that_is_none_is_refused(capfd: Any, file: Path, flags: list[str]) -> None:
    code, out, err = run_permissions(capfd, str(file), *flags)
    assert (code, out) == (1, "")
    assert flags[0] in err
