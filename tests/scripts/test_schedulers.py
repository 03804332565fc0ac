"""Tests of the examples for cron and systemd."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT, SCRIPTS


def assert_valid_command(words: list[str], tmp_path: Path) -> None:
    """The tool's own parser accepts the command line, with paths that exist on this machine."""
    from provisioner.cli import main

    here = {"/etc/provision/": f"{ROOT}/", "/var/log/": f"{tmp_path}/", "${LOGS_DIRECTORY}/": f"{tmp_path}/"}
    for there, path in here.items():
        words = [word.replace(there, path) for word in words]
    assert Path(words[0]).name == "provision"
    with main.make_context("provision", words[1:]) as context:
        _, command, rest = main.resolve_command(context, words[1:])
        assert command is not None
        parsed = command.make_context(command.name, rest, parent=context)
    assert parsed.params.get("yes", True) is True, "no terminal to confirm on"


def cron_lines() -> list[str]:
    lines = (SCRIPTS / "crontab.example").read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_crontab_syntax() -> None:
    settings = [line for line in cron_lines() if re.match(r"[A-Z]+=", line)]
    assert {line.split("=")[0] for line in settings} == {"PATH", "MAILTO"}
    jobs = [line for line in cron_lines() if line not in settings]
    assert len(jobs) == 2
    for job in jobs:
        *fields, command = job.split(maxsplit=5)
        for text, (low, high) in zip(fields, [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)], strict=True):
            match = re.fullmatch(r"\*(?:/\d+)?|\d+(?:-\d+)?(?:/\d+)?(?:,\d+(?:-\d+)?)*", text)
            assert match, text
            assert all(low <= int(number) <= high for number in re.findall(r"(?<!/)\b\d+", text)), text
        assert int(re.split(r"\D", fields[0])[0]) % 5, "not at a full hour, when many jobs start"
        assert "%" not in command, "cron reads % as a line feed"


@pytest.mark.parametrize(("index", "name"), [(-2, "repair"), (-1, "verify")])
def test_crontab_commands_are_valid(tmp_path: Path, index: int, name: str) -> None:
    command = shlex.split(cron_lines()[index].split(maxsplit=5)[5])
    assert command[1] == name
    assert_valid_command(command, tmp_path)


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(SCRIPTS / name)
    return parser


def test_service_runs_a_valid_command_with_few_privileges(tmp_path: Path) -> None:
    service = unit("provision.service")["Service"]
    assert_valid_command(shlex.split(service["ExecStart"]), tmp_path)
    assert service["Type"] == "oneshot"
    assert (service["DynamicUser"], service["NoNewPrivileges"]) == ("yes", "yes")
    assert service["ProtectSystem"] == "strict"
    assert "SuccessExitStatus" not in service, "only exit code 0 is a success of repair"


def test_timer_runs_every_quarter_of_an_hour() -> None:
    timer = unit("provision.timer")
    assert timer["Timer"]["OnCalendar"] == "*:07/15"
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for name in ("provision.service", "provision.timer"):
        text = (SCRIPTS / name).read_text().replace("/usr/local/bin/provision", shutil.which("true") or "")
        (tmp_path / name).write_text(text)
    units = [tmp_path / "provision.service", tmp_path / "provision.timer"]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    service = ["systemd-analyze", "security", "--offline=yes", "--threshold=15", str(units[0])]
    done = subprocess.run([*service, "--no-pager"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"its exposure is above 1.5: {done.stdout}"
