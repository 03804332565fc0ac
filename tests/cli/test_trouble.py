"""The command line in trouble: what a user gets when the machine, the file or AWS is not as hoped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provisioner.sandbox import Fault, WireCall, open_sandbox
from provisioner.sandbox.serve import serving

from ..conftest import EXAMPLE, ROOT
from .test_commands import FILE, process, told

pytestmark = pytest.mark.usefixtures("home")


def test_the_file_may_come_on_stdin() -> None:
    done = process("diff", "-", "--sandbox", input=EXAMPLE)
    assert (done.returncode, "Plan: 10 to add" in done.stdout) == (2, True), done.stderr
    wrong = process("validate", "-", input=EXAMPLE.replace("days: 30", "days: x"))
    assert wrong.returncode == 1
    assert "<stdin>:" in wrong.stderr


@pytest.mark.parametrize("given", ["flag", "environment"])
def test_the_home_region_may_come_from_elsewhere(
    capfd: Any, home: Path, monkeypatch: Any, given: str
) -> None:
    file = home / "homeless.yaml"
    file.write_text(
        "\n".join(line for line in EXAMPLE.splitlines() if not line.startswith(("home_region", "regions")))
    )
    assert told(capfd, "diff", str(file), "--sandbox")[0] == 1
    more = ["--region", "eu-west-1"] if given == "flag" else []
    if given == "environment":
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
    code, out, _ = told(capfd, "diff", str(file), "--sandbox", "--json", *more)
    assert (code, json.loads(out)["regions"]) == (2, ["eu-west-1"])


@pytest.mark.parametrize(
    ("regions", "says"),
    [
        ("[us-east-1, us-eats-1]", "there is no Region `us-eats-1`; did you mean `us-east-1`?"),
        ("[us-east-1, cn-north-1]", "one account lives in one partition"),
    ],
)
def test_regions_that_cannot_be_are_refused_before_any_call(
    capfd: Any, home: Path, regions: str, says: str
) -> None:
    file = home / "regions.yaml"
    file.write_text(EXAMPLE.replace("regions: [us-east-1]", f"regions: {regions}"))
    code, out, err = told(capfd, "diff", str(file), "--sandbox")
    assert (code, out) == (1, "")
    assert says in err
    assert "regions.yaml:" in err


def test_what_came_from_the_environment_is_shown_by_its_name(
    capfd: Any, home: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t-t0k3n")
    file = home / "token.yaml"
    tagged = 'name: organization-trail\n  tags: {token: "${env:TOKEN}", both: "x-${env:TOKEN}"}'
    file.write_text(EXAMPLE.replace("name: organization-trail", tagged))
    log = str(home / "log")
    for command in (["diff"], ["diff", "--json"], ["apply", "--yes", "--json"], ["verify", "--json"]):
        _, out, err = told(capfd, *command, str(file), "--sandbox", "--log-file", log)
        assert "s3cr3t-t0k3n" not in out + err
    assert "s3cr3t-t0k3n" not in Path(log).read_text()
    assert told(capfd, "diff", str(file), "--sandbox")[0] == 0, "what was written is the value, not its name"


def test_a_diff_is_logged_too(capfd: Any, home: Path) -> None:
    log = home / "log"
    told(capfd, "diff", FILE, "--sandbox", "--log-file", str(log))
    [event] = [json.loads(line) for line in log.read_text().splitlines()]
    assert (event["event"], event["add"], event["account"]) == ("compared", 10, "123456789012")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--log-file", "/nowhere/at/all"], "--log-file /nowhere/at/all: No such file or directory"),
        (["--endpoint-url", "foo"], "--endpoint-url: Invalid endpoint: foo"),
    ],
)
def test_what_cannot_be_used_is_one_error(
    capfd: Any, monkeypatch: Any, arguments: list[str], says: str
) -> None:
    if "--endpoint-url" in arguments:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    else:
        arguments = [*arguments, "--sandbox"]
    code, _, err = told(capfd, "diff", FILE, *arguments)
    assert code == 1
    assert says in err
    assert "Traceback" not in err


def test_a_state_folder_that_is_none_is_one_error(capfd: Any, home: Path, monkeypatch: Any) -> None:
    (home / "flat").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "flat"))
    code, _, err = told(capfd, "apply", FILE, "--sandbox", "--yes")
    assert code == 1
    assert "the sandbox cannot be opened" in err
    assert "Traceback" not in err


def test_a_full_disk_under_stdout_is_one_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "provisioner", "diff", FILE, "--sandbox"],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_whoever_stops_listening_stops_no_apply(capfd: Any) -> None:
    command = f"{sys.executable} -m provisioner apply {FILE} --sandbox --yes 2>&1 >/dev/null | head -n 4"
    subprocess.run(["bash", "-c", command], cwd=ROOT, check=False, timeout=60, capture_output=True)
    assert told(capfd, "diff", FILE, "--sandbox")[0] == 0


def test_the_account_is_named_before_all_else_even_if_its_alias_comes_late(
    capfd: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr("provisioner.cli.session.ALIAS", 0.2)
    with open_sandbox(None) as world, serving(world) as door:
        import threading

        shown = threading.Event()

        def late(call: WireCall, phase: str) -> Fault | None:
            if call.operation == "ListAccountAliases":
                shown.wait(0.5)
            return None

        world.interrupt(late)
        code, _, err = told(capfd, "apply", FILE, "--yes", "--endpoint-url", door.url)
    assert code == 0
    lines = err.splitlines()
    assert lines[0].startswith("account 123456789012")
    assert sum(line.startswith("account ") for line in lines) == 1


def test_interrupted_twice_it_lists_what_was_made(home: Path) -> None:
    with open_sandbox(None) as world, serving(world, latency=0.05) as door:
        env = {**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        command = [sys.executable, "-m", "provisioner", "apply", FILE, "--yes", "--endpoint-url", door.url]
        started = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=env
        )
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
