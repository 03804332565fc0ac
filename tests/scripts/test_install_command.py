"""Tests of the command that is named where an extra is missing: it works where this program runs."""

from __future__ import annotations

import os
import re
import shlex
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from provisioner import install_command
from provisioner.cli import run
from provisioner.sandbox import PACKAGES

from ..conftest import EXAMPLE
from .conftest import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def name(requirement: str) -> str:
    return re.split(r"[\[<>=~ ;]", requirement)[0].lower()


@pytest.mark.parametrize("extra", ["sandbox", "dask"])
def test_the_packages_of_the_extra_are_named_and_this_program_is_not(
    monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    requires = [f"{each}; extra == '{key}'" for key, several in EXTRAS.items() for each in several]
    monkeypatch.setattr(metadata, "requires", lambda package: ["boto3>=1", *requires])
    command = shlex.split(install_command(extra))
    assert sys.executable in command
    assert [name(each) for each in command[command.index("install") + 1 :] if each != sys.executable][
        -len(EXTRAS[extra]) :
    ] == [name(each) for each in EXTRAS[extra]]
    assert "provision-baseline" not in " ".join(command)


def test_a_checkout_that_is_not_installed_installs_by_its_script(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> list[str]:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "requires", missing)
    script = install_command("sandbox")
    assert os.access(ROOT / script, os.X_OK)
    assert "pip install" in (ROOT / script).read_text()


COMMANDS = ["diff FILE --sandbox", "sandbox reset", "sandbox drift", "history --file FILE --sandbox"]


def test_the_packages_of_the_sandbox_are_those_of_its_extra() -> None:
    assert sorted(PACKAGES) == sorted(map(name, EXTRAS["sandbox"]))


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("text", COMMANDS)
def test_the_command_line_names_it(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    text: str,
    package: str,
) -> None:
    file = tmp_path / "baseline.yaml"
    file.write_text(EXAMPLE + "\njournal: {s3_bucket_name: acme-journal}\n")
    command = text.replace("FILE", str(file)).split()
    monkeypatch.setitem(sys.modules, package, None)
    for module in [each for each in sys.modules if each.startswith("provisioner.sandbox")]:
        monkeypatch.delitem(sys.modules, module)
    assert run(command) == 1
    err = capfd.readouterr().err
    assert f"the sandbox needs the package `{package}`: `{install_command('sandbox')}`" in err
