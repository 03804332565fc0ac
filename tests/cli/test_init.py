"""Tests of `init`: what it writes for which account, what it says of what is there, and what it refuses."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from provisioner.baseline import Baseline, parse
from provisioner.cli.init.facts import Facts
from provisioner.cli.init.profiles import profile_names, profile_text
from provisioner.cli.init.text import Template
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving
from provisioner.sandbox.world import World
from provisioner.steps.registry import all_sections

from ..conftest import EXAMPLE, MEMBER
from .test_commands import run_command

pytestmark = pytest.mark.usefixtures("home")

PROFILES = profile_names()


@pytest.fixture
def file(home: Path) -> Path:
    return home / "new.yaml"


@pytest.fixture
def world(credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A sandbox that other programs reach, with the caller in its management account."""
    with open_sandbox(None) as world, serving(world) as door:
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.url)
        yield world


def become(monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    sts = boto3.client("sts", region_name="us-east-1")
    answer = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", answer["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", answer["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", answer["SessionToken"])


def read(file: Path) -> Baseline:
    return parse(file.read_text(), file.name, all_sections(), {})


def comments(file: Path, section: str) -> str:
    """The comments above a section as one line."""
    lines = file.read_text().splitlines()
    end = start = lines.index(next(line for line in lines if line.startswith(f"{section}:")))
    while lines[start - 1].startswith("#"):
        start -= 1
    return " ".join(line.removeprefix("#").strip() for line in lines[start:end])


@pytest.mark.parametrize("profile", PROFILES)
def test_offline_writes_the_profile_without_a_call(
    capfd: Any, file: Path, monkeypatch: Any, profile: str
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # where nobody answers
    flags = ["--profile", profile, "--offline", "--organization-name", "beta"]
    code, out, err = run_command(capfd, "init", str(file), *flags)
    assert (code, err) == (0, "")
    assert f"next: provision diff {file}\n" in out
    general = read(file).general
    assert (general.organization_name, general.home_region) == ("beta", "eu-central-1")
    assert (general.allowed_account_ids, general.accounts) == (None, None)
    assert run_command(capfd, "validate", str(file))[0] == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_the_sandbox_of_an_organization(capfd: Any, file: Path, profile: str) -> None:
    """The file of the management account is for all accounts, is valid, and converges."""
    code, out, err = run_command(capfd, "init", str(file), "--sandbox", "--profile", profile)
    assert code == 0, err
    assert f"next: provision diff {file} --sandbox\n" in out
    baseline = read(file)
    assert baseline.general.accounts is not None
    assert baseline.general.accounts.all
    assert baseline.general.organization_name == "sandbox"  # the alias of the account
    assert "bucket sandbox-cloudtrail-123456789012" in comments(file, "log_buckets")
    assert not re.search(r"^ *[^#\n]*(111122223333|example\.com)", file.read_text(), re.MULTILINE)
    assert run_command(capfd, "validate", str(file))[0] == 0
    if profile == "simple":
        assert run_command(capfd, "apply", str(file), "--sandbox", "--yes")[0] == 0
        assert run_command(capfd, "diff", str(file), "--sandbox")[0] == 0


def test_an_account_to_which_the_file_was_applied(capfd: Any, file: Path, home: Path) -> None:
    first = home / "first.yaml"
    flags = ["--sandbox", "--single-account"]
    assert run_command(capfd, "init", str(first), *flags)[0] == 0
    assert run_command(capfd, "apply", str(first), "--sandbox", "--yes")[0] == 0
    code, out, _ = run_command(capfd, "init", str(file), *flags)
    assert (code, "not there" in out, "different" in out) == (0, False, False)
    assert comments(file, "password_policy") == "there, as asked for: password policy"


def test_what_differs_is_named_with_its_fields(capfd: Any, file: Path, world: World) -> None:
    iam = boto3.client("iam", region_name="us-east-1")
    iam.update_account_password_policy(MinimumPasswordLength=8, RequireSymbols=True)
    assert run_command(capfd, "init", str(file))[0] == 0
    found = comments(file, "password_policy")
    assert found.startswith("there, and different: password policy (")
    assert "MinimumPasswordLength 8 → 14" in found
    assert "RequireSymbols" not in found


def test_a_member_account_has_a_file_of_its_own(
    capfd: Any, file: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is for the management account is a comment, or has the value for another account."""
    become(monkeypatch, MEMBER)
    code, out, err = run_command(capfd, "init", str(file), "--profile", "full")
    assert code == 0, err
    assert "account.alternate_contacts" in out
    baseline, text = read(file), file.read_text()
    assert baseline.general.accounts is None
    assert baseline.general.allowed_account_ids == [MEMBER]
    assert "  is_organization_trail: false\n" in text
    assert "    type: ACCOUNT_UNUSED_ACCESS\n" in text
    assert "  # root_access: " in text
    assert "# for the management account of an organization:\n" in text
    assert "from its management account 123456789012" in text
    assert baseline.general.organization_name == "o-sandbox12345"
    assert len(baseline.general.regions) > 2  # the enabled ones
    assert run_command(capfd, "validate", str(file))[0] == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_an_account_outside_of_an_organization(
    capfd: Any, file: Path, world: World, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    world.standalone("999988887777")
    become(monkeypatch, "999988887777")
    assert run_command(capfd, "init", str(file), "--profile", profile)[0] == 0
    assert "organization_name: acme # choose your own" in file.read_text()
    assert "is_organization_trail: false" in file.read_text()
    assert run_command(capfd, "validate", str(file))[0] == 0
    if profile == "simple":
        assert run_command(capfd, "apply", str(file), "--yes")[0] == 0
        assert run_command(capfd, "diff", str(file))[0] == 0


def test_regions_and_home_region_from_the_flags(capfd: Any, file: Path) -> None:
    flags = [
        "--sandbox",
        "--single-account",
        "--home-region",
        "eu-west-1",
        "--regions",
        "eu-west-1,us-east-2",
    ]
    assert run_command(capfd, "init", str(file), *flags)[0] == 0
    general = read(file).general
    assert (general.home_region, general.regions) == ("eu-west-1", ["eu-west-1", "us-east-2"])
    assert general.allowed_account_ids == ["123456789012"]
    assert "configuration recorder default (each Region)" in comments(file, "config")


def test_to_stdout(capfd: Any) -> None:
    code, out, err = run_command(capfd, "init", "-", "--sandbox")
    assert code == 0
    assert parse(out, "out", all_sections(), {}).sections
    assert "next: provision diff baseline.yaml --sandbox" in err


def test_a_file_that_is_there_is_not_replaced_without_force(capfd: Any, file: Path) -> None:
    file.write_text("mine")
    code, out, err = run_command(capfd, "init", str(file), "--offline")
    assert (code, out) == (1, "")
    assert err == f"error: {file} is there, and not replaced: name another file, or give `--force`\n"
    assert file.read_text() == "mine"
    assert run_command(capfd, "init", str(file), "--offline", "--force")[0] == 0
    assert read(file).sections
    assert [each.name for each in file.parent.iterdir()] == ["new.yaml"]


def test_a_link_that_leads_nowhere_is_not_followed(capfd: Any, file: Path) -> None:
    file.symlink_to(file.parent / "elsewhere.yaml")
    assert run_command(capfd, "init", str(file), "--offline")[0] == 1
    assert not (file.parent / "elsewhere.yaml").exists()


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_the_mode_is_that_of_the_umask(capfd: Any, file: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        assert run_command(capfd, "init", str(file), "--sandbox")[0] == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "a folder: name a file in it"),
        ("none/new.yaml", "there is no folder"),
        ("/dev/null", "no regular file"),
    ],
)
def test_a_file_that_cannot_be_written(
    capfd: Any, home: Path, monkeypatch: Any, name: str, message: str
) -> None:
    monkeypatch.chdir(home)
    code, _, err = run_command(capfd, "init", name, "--offline", "--force")
    assert code == 1
    assert message in err
    assert "Traceback" not in err


def test_without_credentials_it_is_the_profile_as_it_comes(
    capfd: Any, home: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home))
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name)
    code, out, err = run_command(capfd, "init", str(file))
    assert code == 0
    assert "there are no credentials" in err
    assert "--force" in err
    assert "profile simple, valid" in out
    assert read(file).general.organization_name == "acme"


def test_credentials_that_are_wrong_are_an_error(capfd: Any, file: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "only-half")
    code, _, err = run_command(capfd, "init", str(file))
    assert code == 1
    assert "Partial credentials" in err
    assert "`--offline` writes a file without a look at AWS" in err
    assert not file.exists()


def test_what_may_not_be_read_is_told_in_the_file(capfd: Any, file: Path, world: World) -> None:
    for operation in ("ListAccountAliases", "GetAccountPasswordPolicy"):
        world.deny("iam", operation)
    code, out, err = run_command(capfd, "init", str(file), "--single-account")
    assert code == 0, err
    assert "not all could be read" in out
    assert "may not read its alias" in file.read_text()
    assert "could not be read: password_policy: " in comments(file, "password_policy")
    assert read(file).general.organization_name == "management"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--profile", "prod"], "a profile of the AWS configuration is `--aws-profile`"),
        (["--organization-name", "Not Valid"], "organization_name: want up to 48 lower-case letters"),
        (["--organization-name", "a\nexact: b"], "organization_name: want up to 48 lower-case letters"),
        (["--home-region", "us-eats-1"], "did you mean `us-east-1`?"),
        (["--regions", "us-east-1,cn-north-1"], "an account is in one partition"),
        (["--sandbox"], "--offline and --sandbox"),
    ],
)
def test_wrong_flags_write_nothing(capfd: Any, file: Path, flags: list[str], message: str) -> None:
    code, out, err = run_command(capfd, "init", str(file), "--offline", *flags)
    assert (code, out, file.exists()) == (1, "", False)
    assert message in err


def test_a_number_as_name_is_a_text(capfd: Any, file: Path) -> None:
    flags = ["--offline", "--organization-name", "12345"]
    assert run_command(capfd, "init", str(file), *flags)[0] == 0
    assert read(file).general.organization_name == "12345"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_says_nothing_before_its_sections_that_is_written_anew(profile: str) -> None:
    template = Template(profile, profile_text(profile), Facts("us-east-1"))
    assert list(template.entries)[:3] == ["organization_name", "home_region", "regions"]
    assert list(template.entries)[3:] == template.sections


def test_the_first_profile_is_the_example() -> None:
    assert profile_text("simple") == EXAMPLE


def test_what_aws_has_in_a_name_stays_in_its_comment() -> None:
    hostile = "x\u2028injected: true\n\x85injected: true"
    facts = Facts("us-east-1", account="123456789012", alias=hostile, enabled=(hostile,), unread=(hostile,))
    template = Template("simple", EXAMPLE, facts)
    text = template.render("acme", hostile, {"config": [hostile]})
    assert not any(line.startswith("injected") for line in text.splitlines())
    assert parse(text, "new.yaml", all_sections(), {}).sections
