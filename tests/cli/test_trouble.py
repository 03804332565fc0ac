"""Tests of the command line with a broken environment, a wrong file, secrets, late answers and interruptions."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from provisioner.sandbox import Fault, WireCall, open_sandbox
from provisioner.sandbox.serve import serving

from ..conftest import EXAMPLE
from .test_commands import FILE, run_command, run_process, start_process

pytestmark = pytest.mark.usefixtures("home")


def test_the_file_from_stdin() -> None:
    done = run_process("diff", "-", "--sandbox", input=EXAMPLE)
    assert (done.returncode, "Plan: 10 to add" in done.stdout) == (2, True), done.stderr
    wrong = run_process("validate", "-", input=EXAMPLE.replace("days: 30", "days: x"))
    assert wrong.returncode == 1
    assert "<stdin>:" in wrong.stderr


@pytest.mark.parametrize("given", ["flag", "environment"])
def test_the_home_region_from_flag_or_environment(
    capfd: Any, home: Path, monkeypatch: Any, given: str
) -> None:
    file = home / "homeless.yaml"
    file.write_text(
        "\n".join(line for line in EXAMPLE.splitlines() if not line.startswith(("home_region", "regions")))
    )
    assert run_command(capfd, "diff", str(file), "--sandbox")[0] == 1
    more = ["--region", "eu-west-1"] if given == "flag" else []
    if given == "environment":
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
    code, out, _ = run_command(capfd, "diff", str(file), "--sandbox", "--json", *more)
    assert (code, json.loads(out)["regions"]) == (2, ["eu-west-1"])


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ("[us-east-1, us-eats-1]", "there is no Region `us-eats-1`; did you mean `us-east-1`?"),
        ("[us-east-1, cn-north-1]", "an account is in one partition"),
    ],
)
def test_wrong_regions_are_refused_before_any_call(
    capfd: Any, home: Path, regions: str, message: str
) -> None:
    file = home / "regions.yaml"
    file.write_text(EXAMPLE.replace("regions: [us-east-1]", f"regions: {regions}"))
    code, out, err = run_command(capfd, "diff", str(file), "--sandbox")
    assert (code, out) == (1, "")
    assert message in err
    assert "regions.yaml:" in err


def test_values_from_the_environment_are_redacted(capfd: Any, home: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TICKET", "s3cr3t-t0k3n")
    file = home / "token.yaml"
    tagged = 'name: organization-trail\n  tags: {token: "${env:TICKET}", both: "x-${env:TICKET}"}'
    file.write_text(EXAMPLE.replace("name: organization-trail", tagged))
    log = str(home / "log")
    for command in (["diff"], ["diff", "--json"], ["apply", "--yes", "--json"], ["verify", "--json"]):
        _, out, err = run_command(capfd, *command, str(file), "--sandbox", "--log-file", log)
        assert "s3cr3t-t0k3n" not in out + err
    assert "s3cr3t-t0k3n" not in Path(log).read_text()
    assert run_command(capfd, "diff", str(file), "--sandbox")[0] == 0, (
        "what was written is the value, not its name"
    )


def test_diff_is_logged(capfd: Any, home: Path) -> None:
    log = home / "log"
    run_command(capfd, "diff", FILE, "--sandbox", "--log-file", str(log))
    [event] = [json.loads(line) for line in log.read_text().splitlines()]
    assert (event["event"], event["add"], event["account"]) == ("compared", 10, "123456789012")


def test_a_wrong_state_folder_is_one_error(capfd: Any, home: Path, monkeypatch: Any) -> None:
    (home / "flat").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "flat"))
    code, _, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    assert code == 1
    assert "the sandbox cannot be opened" in err
    assert "Traceback" not in err


def test_the_account_is_printed_first_even_if_its_alias_is_late(
    capfd: Any, monkeypatch: Any, credentials: None
) -> None:
    monkeypatch.setattr("provisioner.cli.session.ALIAS_TIMEOUT", 0.2)
    with open_sandbox(None) as world, serving(world) as door:

        def late(call: WireCall, phase: str) -> Fault | None:
            if call.operation == "ListAccountAliases":
                time.sleep(0.5)
            return None

        world.interrupt(late)
        code, _, err = run_command(capfd, "apply", FILE, "--yes", "--endpoint-url", door.url)
    assert code == 0
    lines = err.splitlines()
    assert lines[0].startswith("account 123456789012")
    assert sum(line.startswith("account ") for line in lines) == 1


def test_a_second_ctrl_c_lists_the_changes_made(credentials: None) -> None:
    with open_sandbox(None) as world, serving(world, latency=0.05) as door:
        started = start_process("apply", FILE, "--yes", "--endpoint-url", door.url)
        assert started.stderr is not None
        for line in started.stderr:
            if line.startswith("[4/"):
                started.send_signal(signal.SIGINT)
            if "the call in flight is finished first" in line:
                started.send_signal(signal.SIGINT)
                break
        _, err = started.communicate(timeout=30)
    assert started.returncode == 130
    assert "nothing was changed" not in err
    if "made until now" in err:  # it may have ended by the first one before the second came
        assert err.count("123456789012 us-east-1 ") >= 4
