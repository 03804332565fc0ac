"""Tests of which modules each command imports, so that commands start fast."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import botocore.session
import pytest

from provisioner.baseline import yaml_source
from provisioner.cli import run
from provisioner.steps.registry import all_sections, all_steps

from ..conftest import ROOT

FILE = str(ROOT / "baseline.yaml")
AWS = {"boto3", "botocore", "urllib3", "ssl", "provisioner.aws", "provisioner.engine"}
REPORTS = {
    "rich",
    "structlog",
    "logging",
    "difflib",
    "provisioner.report",
    "provisioner.compare.values",
    "provisioner.model",
}
SLOW = AWS | REPORTS | {"moto", "concurrent.futures", "asyncio", "click.shell_completion"}


def loaded(*arguments: str) -> set[str]:
    """The modules that `python -m provisioner` has imported when the command ends."""
    code = (
        "import json, sys\nfrom provisioner.__main__ import main\ncode = 0\ntry:\n    main()\n"
        "except SystemExit as end:\n    code = end.code\n"
        "print(json.dumps([code, *sys.modules]), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    code_, *modules = json.loads(done.stderr.splitlines()[-1])
    assert code_ in {0, None}, done.stderr
    return set(modules)


def test_version_does_not_import_the_command_line(capsys: Any) -> None:
    assert not loaded("--version") & (SLOW | {"click", "yaml", "pydantic", "provisioner.cli"})


def test_version_prints_the_same_with_and_without_the_command_line(capfd: Any) -> None:
    assert run(["--version"]) == 0
    done = subprocess.run(
        [sys.executable, "-m", "provisioner", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout == capfd.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["validate", "--help"]])
def test_help_imports_only_the_command_line(arguments: list[str]) -> None:
    found = loaded(*arguments)
    assert not found & (SLOW | {"yaml", "pydantic", "dataclasses"})
    assert {name for name in found if name.startswith("provisioner.")} == {
        "provisioner.__main__",
        "provisioner.cli",
        "provisioner.cli.exit_codes",
        "provisioner.cli.flag_values",
        "provisioner.cli.flags",
        "provisioner.cli.names",
        "provisioner.cli.command",
        "provisioner.cli.drift_commands",
        "provisioner.cli.init_command",
        "provisioner.cli.streams",
    }


def test_help_that_lists_the_steps_imports_no_client() -> None:
    assert not loaded("diff", "--help") & {"boto3", "urllib3", "ssl", "moto", "rich", "structlog"}


@pytest.mark.parametrize("arguments", [["validate", FILE], ["schema"]])
def test_validate_and_schema_import_only_sections(arguments: list[str]) -> None:
    found = loaded(*arguments)
    assert not found & SLOW
    services = {name.split(".")[-1] for name in found if name.startswith("provisioner.services.")}
    assert "section" in services
    assert not services & {"steps", "permissions", "sandbox"}


def test_permissions_does_not_import_botocore() -> None:
    assert not loaded("permissions", FILE) & {"botocore.session", "urllib3", "rich", "structlog", "moto"}


def test_sections_are_registered_without_steps() -> None:
    code = (
        "from provisioner.steps.registry import all_sections\nbefore = dict(all_sections())\nfrom provisioner.steps.registry import all_steps\n"
        "assert all_steps()\nassert before == all_sections(), set(all_sections()) - set(before)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_every_section_has_a_step() -> None:
    assert {step.section for step in all_steps().values()} == set(all_sections().values())


def test_regions_are_completed_without_reading_a_model_of_aws() -> None:
    session = botocore.session.Session()
    code = (
        "import json, sys\nread = []\n"
        "sys.addaudithook(lambda event, given: read.append(str(given[0])) if event == 'open' else None)\n"
        "from provisioner.cli.completions import regions\nprint(json.dumps([regions(), read, [*sys.modules]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    regions, read, modules = json.loads(done.stdout)
    assert set(regions) >= {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    }
    data = [each for each in read if "/botocore/data/" in each]
    assert [each.rpartition("/")[2] for each in data] == ["partitions.json"]
    assert "botocore.session" not in modules


def test_the_fast_yaml_parser_is_used() -> None:
    assert yaml_source.FAST
