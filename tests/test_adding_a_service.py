"""Tests of the service that the README adds: written into a copy of the tree, with no other change."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.steps.registry import all_sections

from .conftest import ALL_CASES

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(
    r"^```(?:python|yaml)\n# (provisioner/\S+)\n(.*?)^```$",
    (ROOT / "README.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
KEY = "account_alias"
# The laws of the service, and of the whole file those that take some seconds.
LAWS = [
    "test_01_diff_shows_what_apply_does.py::test_the_full_file_has_every_step",
    "test_01_diff_shows_what_apply_does.py::test_diff_shows_what_apply_does",
    f"test_02_apply_is_idempotent.py::test_a_step_alone_converges_with_what_it_needs[{KEY}]",
    "test_07_breaks_are_seen_and_repaired.py::test_every_step_has_breaks",
    *(
        f"test_08_what_aws_refuses.py::{test}[{KEY}]"
        for test in (
            "test_validate_refuses_a_value_that_aws_would_refuse",
            "test_validate_names_the_place_of_a_wrong_value",
        )
    ),
    f"test_09_what_is_left_out_stays.py::test_each_optional_field_is_broken_by_a_break[{KEY}]",
    "test_12_permissions_are_enough_and_used.py::test_every_step_declares_permissions",
    "test_12_permissions_are_enough_and_used.py::test_they_agree_with_the_service_authorization_reference",
]
if ALL_CASES:
    LAWS.append("test_12_permissions_are_enough_and_used.py::test_they_are_enough_and_all_used")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in ("provisioner", "tests", "scripts"):
        shutil.copytree(ROOT / name, folder / name)  # with their bytecode
    for name in ("pyproject.toml", "baseline.yaml"):
        shutil.copy(ROOT / name, folder)
    (folder / f"provisioner/services/{KEY}").mkdir()
    for name, text in BLOCKS:
        with (folder / name).open("a") as file:
            file.write(text if name.endswith(".py") else f"\n{text}")
    return folder


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python command that imports the packages of the copy."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PROVISION_", "PYTEST_"))}
    env = {**kept, "PYTHONPATH": str(copy), "PROVISION_SANDBOX": str(copy / "sandbox")}
    return subprocess.run(
        [sys.executable, "-P", *arguments], capture_output=True, text=True, check=False, cwd=copy, env=env
    )


# Runs the commands that its argument lists as JSON, and prints the exit code and stdout of each as JSON.
COMMANDS = """
import contextlib, io, json, sys
from provisioner.cli import run
found = []
for command in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = run(command)
    found.append((code, out.getvalue()))
print(json.dumps(found))
"""


def test_every_command_has_the_new_service(copy: Path) -> None:
    assert KEY not in all_sections()
    assert {name.split("/")[1] for name, _ in BLOCKS} == {"services", "profiles"}
    full = "provisioner/profiles/full.yaml"
    commands = (
        (["validate", full], KEY),
        (["diff", full, "--sandbox", "--target", KEY], "iam:CreateAccountAlias"),
        (["apply", full, "--sandbox", "--yes", "--target", KEY], "Apply complete!"),
        (["verify", full, "--sandbox", "--target", KEY], "Works."),
        (["sandbox", "drift", "--seed", "1", "--count", "1"], "account alias"),
        (["apply", full, "--sandbox", "--yes", "--quiet", "--target", KEY], "account alias"),
        (["permissions", full, "--service", KEY], "iam:CreateAccountAlias"),
        (["schema"], '"AccountAlias"'),
    )
    done = run(copy, "-c", COMMANDS, json.dumps([arguments for arguments, _ in commands]))
    assert done.returncode == 0, done.stderr
    for (arguments, text), (code, out) in zip(commands, json.loads(done.stdout), strict=True):
        assert code in {0, 2}, (arguments, done.stderr)
        assert text in out, arguments


def test_the_laws_hold_for_the_new_service(copy: Path) -> None:
    done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/laws/{each}" for each in LAWS))
    assert done.returncode == 0, done.stdout
