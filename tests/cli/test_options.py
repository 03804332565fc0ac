"""Tests of options: none is taken and ignored, none takes an empty text for "all", and the help of none is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from provisioner.cli import main

from .test_commands import FILE, run_command
from .test_fleet import TEXT
from .test_repair import POLICY, Command, command, records, weaken

__all__ = ["command"]  # a fixture
pytestmark = pytest.mark.usefixtures("home")


def commands(group: click.Command = main, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command with its path, groups too."""
    yield path, group
    for name, each in getattr(group, "commands", {}).items():
        yield from commands(each, *path, name)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        pytest.param(path, each, id=f"{' '.join(path)} {each.name}")
        for path, found in commands()
        for each in found.params
        if not getattr(each, "is_flag", False)
    ],
)
def test_an_empty_text_is_no_value(path: tuple[str, ...], parameter: click.Parameter) -> None:
    """It often comes from a variable that is not set: `history --run "$RUN"` would show every run."""
    context = click.Context(click.Command(path[-1]))
    for empty in ("", " "):
        with pytest.raises(click.BadParameter):
            parameter.process_value(context, (empty,) if parameter.multiple else empty)


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)
def test_no_summary_of_a_command_is_cut_off(capfd: Any, path: tuple[str, ...]) -> None:
    lines = run_command(capfd, *path, "--help")[1].splitlines()
    assert [each for each in lines if each.startswith("  ") and each.endswith("...")] == []


IGNORED = {
    "--accounts": "111122223333",
    "--not-accounts": "111122223333",
    "--ou": "Workloads",
    "--regions": "us-east-1",
    "--target": "password_policy",
    "--processes": "2",
    "--scheduler": "tcp://127.0.0.1:1",
    "--output": "csv=/tmp/x.csv",
    "--resume": "",
    "--json": "",
    "--json-lines": "",
}


@pytest.mark.parametrize("name", ["pause", "resume", "undo"])
def test_what_does_one_thing_takes_no_option_that_would_limit_it_to_a_part(capfd: Any, name: str) -> None:
    """A pause is for all accounts: `pause --accounts X` would pause them all."""
    given = {"pause": ["--reason", "x", "--until", "1h"], "undo": ["1"]}.get(name, [])
    for option, value in IGNORED.items():
        if (name, option) == ("pause", "--target"):
            continue
        code, out, err = run_command(capfd, name, *given, FILE, "--sandbox", option, *filter(None, [value]))
        assert (code, out, "No such option" in err) == (1, "", True), option


def test_a_profile_is_not_read_by_the_sandbox(capfd: Any) -> None:
    code, out, err = run_command(capfd, "diff", FILE, "--sandbox", "--profile", "prod")
    assert (code, out, "--sandbox and --profile" in err) == (1, "", True)


def test_a_misspelt_step_or_region_names_the_one_that_is_meant_and_nothing_more(capfd: Any) -> None:
    err = run_command(capfd, "diff", FILE, "--sandbox", "--target", "cloudtrial")[2]
    assert err.rstrip().endswith("baseline.yaml; did you mean `cloudtrail`?")
    err = run_command(capfd, "diff", FILE, "--sandbox", "--regions", "eu-wset-1")[2]
    assert err.rstrip().endswith("did you mean `eu-west-1`?")


def test_quiet_verify_prints_only_what_does_not_work(command: Command, home: Path) -> None:
    command("apply", "--yes")
    assert command("verify", "--quiet") == (0, "", "")
    weaken(home)
    code, out, _ = command("verify", "--quiet")
    lines = [each.split()[0] for each in out.splitlines() if each.startswith("  ")]
    assert (code, lines) == (2, ["FAIL"])
    assert "  ok  " in command("verify")[1]


def test_verify_never_says_that_what_is_only_told_is_as_the_file_says(command: Command, home: Path) -> None:
    alert = POLICY.replace("password_policy:\n", "password_policy:\n  mode: alert\n")
    command("apply", "--yes")
    weaken(home)
    for flags in ((), ("--quiet",)):
        code, out, _ = command("verify", *flags, text=alert)
        assert (code, "as the file says" in out, "Works" in out) == (2, False, False)
        assert "6 → 14 (iam:UpdateAccountPasswordPolicy), only told: the file says `mode: alert`" in out
        assert "0 of 1 step in sync" in out


def test_undo_prints_the_digest_that_its_flag_expects(command: Command, home: Path) -> None:
    command("apply", "--yes")
    weaken(home)
    command("repair")
    run = records(command, "call")[-1]["run"]
    digest = command("undo", run)[1].splitlines()[-1].removeprefix("plan ")
    assert command("undo", run, "--expect-plan", digest, "--allow", "undo")[0] == 0
    assert command("diff")[0] == 2


def test_history_says_each_change_once_unless_more_is_known_of_it(command: Command, home: Path) -> None:
    command("apply", "--yes")
    applied = command("history")[1]
    assert ("iam:UpdateAccountPasswordPolicy" in applied, "repaired" in applied) == (True, False)
    weaken(home)
    command("repair")
    assert "repaired" in command("history")[1]  # with who did it


def test_history_says_why_it_shows_nothing(command: Command, home: Path) -> None:
    assert "the journal has no run of that time" in command("history")[2]
    command("apply", "--yes")
    command("repair")
    assert "2 runs, and none that found" in command("history", "--step", "cloudtrail")[2]
    weaken(home)
    command("repair", "--detect-only")
    code, out, err = command("history", "--run", "nope")
    assert (code, out, "--run nope: the journal has no such run" in err) == (1, "", True)
    code, out, err = command("history", "--step", "pasword_policy")
    assert (code, out, "did you mean `password_policy`?" in err) == (1, "", True)
    # A run that failed elsewhere says nothing of the step or account that is asked for.
    assert command("history", "--step", "cloudtrail")[1] == ""
    assert command("history", "--account", "111122223333")[1] == ""
    assert "drifted" in command("history", "--step", "password_policy")[1]


@pytest.mark.parametrize("flags", [(), ("--unfold",)])
def test_each_change_that_is_told_has_the_next_number_of_those_that_are(
    capfd: Any, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    file = tmp_path / "org.yaml"
    file.write_text(TEXT)
    code, _, err = run_command(capfd, "apply", str(file), "--sandbox", "--yes", *flags)
    found = [each.split() for each in err.splitlines() if each.startswith("[")]
    numbers = [words[0] for words in found if ":" in words[-1]]  # a call, not an account
    assert (code, len(numbers) > 10) == (0, True)
    assert numbers == [f"[{number}/{len(numbers)}]" for number in range(1, len(numbers) + 1)]
