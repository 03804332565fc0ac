"""Tests of what a user of the command line meets: help, completion, mistyped words, narrow terminals, told flags."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from provisioner.cli import run
from provisioner.cli.options import CommandOptions
from provisioner.cli.screen import Screen
from provisioner.model import Change, Difference, Failure, Kind, Note
from provisioner.report import changes, findings
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving
from provisioner.steps.registry import all_consents, all_sections, all_steps

from ..conftest import ROOT
from ..report.samples import EAST, VIEW, A, change, result
from .test_commands import FILE, run_command

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["plan"], "diff"),
        (["preview"], "diff"),
        (["aply"], "apply"),
        (["fix"], "apply"),
        (["verfy"], "verify"),
        (["DIFF"], "diff"),
        (["chekc"], "validate"),
        (["help"], "--help"),
        (["sandbox", "strat"], "serve"),
        (["check"], "validate"),
        (["lint"], "validate"),
        (["permission"], "permissions"),
        (["compleet"], "completion"),
        (["sandbox", "drfit"], "drift"),
        (["sandbox", "start"], "serve"),
    ],
)
def test_a_word_that_is_no_command_names_the_one_that_is_meant(
    capfd: Any, given: list[str], meant: str
) -> None:
    code, out, err = run_command(capfd, *given)
    assert (code, out) == (1, "")
    assert f"no such command `{given[-1]}`; did you mean `{meant}`?" in err


@pytest.mark.parametrize("command", ["diff", "apply", "verify", "validate", "permissions"])
def test_help_says_what_file_is(capfd: Any, command: str) -> None:
    _, out, _ = run_command(capfd, command, "--help")
    assert "FILE is $PROVISION_FILE, or else baseline.yaml, if it is left out; - is stdin." in " ".join(
        out.split()
    )
    assert ("Steps for --target" in out) == (command in {"diff", "apply", "verify"})
    if "Steps" in out:
        assert set(all_steps()) <= set(re.findall(r"[a-z_]+", out))


Completion = Callable[..., str]
Completed = Callable[..., list[str]]


@pytest.fixture
def completion(capfd: Any, monkeypatch: pytest.MonkeyPatch) -> Completion:
    """What a shell is given for the words after `provision`, the last of which is to be completed."""

    def complete(shell: str, *words: str) -> str:
        monkeypatch.setenv("_PROVISION_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["provision", *words]))
        monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words)))
        capfd.readouterr()
        with pytest.raises(SystemExit):  # click ends the process, after its output
            run([])
        out, err = capfd.readouterr()
        assert err == ""
        return str(out)

    return complete


@pytest.fixture
def completed(completion: Completion) -> Completed:
    """What the shell is offered for the last of the words."""

    def complete(shell: str, *words: str) -> list[str]:
        given = completion(shell, *words).split("\n")[:-1]
        if shell == "zsh":
            return given[1::3]
        return [each.partition(",")[2].partition("\t")[0] for each in given]

    return complete


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_values(
    shell: str, completed: Completed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = us-east-1\n[profile prod]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert set(completed(shell, "diff", "--target", "cloud")) == {
        n for n in all_steps() if n.startswith("cloud")
    }
    assert completed(shell, "diff", "--target", "log_buckets,passw") == ["log_buckets,password_policy"]
    assert completed(shell, "verify", "--profile", "pr") == ["prod"]
    assert completed(shell, "init", "--profile", "cis") == ["cis-5.0"]
    assert completed(shell, "init", "--aws-profile", "pr") == ["prod"]
    assert "eu-west-1" in completed(shell, "diff", "--regions", "eu-")
    assert "us-east-1,eu-west-1" in completed(shell, "diff", "--region", "us-east-1,eu-w")
    assert completed(shell, "apply", "--allow", "shorten-ret") == ["shorten-retention"]
    assert completed(shell, "permissions", "--service", "cloud") == ["cloudtrail"]
    config.write_text("broken")
    assert completed(shell, "verify", "--profile", "pr") in ([], [""])


@pytest.mark.parametrize("command", ["diff", "apply", "verify", "validate", "permissions", "init"])
def test_completion_of_the_file_is_that_of_files(command: str, completion: Completion) -> None:
    for shell, expected in (("bash", "file,base"), ("zsh", "file\nbase\n_"), ("fish", "file,base")):
        assert completion(shell, command, "base") == f"{expected}\n"


def test_every_consent_in_the_services_is_registered() -> None:
    """`--allow` of another name is told as unknown, and completion offers these."""
    named = set()
    for path in (ROOT / "provisioner" / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "consent":
                named |= {
                    each.value
                    for each in ast.walk(node.value)
                    if isinstance(each, ast.Constant) and each.value
                }
    assert named
    assert named <= set(all_consents())


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--target", "cloudtrial"], 1, "no such step in FILE; did you mean `cloudtrail`?"),
        (
            ["--target", "access_analyzer"],
            1,
            "no such step in FILE; it needs the section `access_analyzer`",
        ),
        (["--target", ""], 1, "one of them is empty"),
        (["--target", "cloudtrail,nothing"], 1, "--target nothing: no such step"),
        (
            ["--allow", "shorten-retenton"],
            0,
            "--allow shorten-retenton: no change is called so, and nothing more is",
        ),
        (["--allow", "weaken-trail,everything"], 0, "--allow everything: no change is called so"),
        (["--allow", ""], 1, "one of them is empty"),
        (
            ["--endpoint-url", "http://127.0.0.1:9"],
            1,
            "--sandbox and --endpoint-url: the sandbox is in this process",
        ),
        (
            ["--expect-plan", "abc"],
            1,
            "want the last line of `provision diff`, sha256: and 64 hex digits, got 'abc'",
        ),
        (["--expect-plan", ""], 1, "sha256: and 64 hex digits, got ''"),
        (["--expect-plan", "sha256:" + "g" * 64], 1, "sha256: and 64 hex digits"),
    ],
)
def test_a_flag_that_does_nothing_is_told(capfd: Any, flags: list[str], code: int, message: str) -> None:
    more = [] if "--expect-plan" in flags else ["--yes", "--quiet"]
    found, _, err = run_command(capfd, "apply", FILE, "--sandbox", *more, *flags)
    assert (found, message.replace("FILE", FILE) in err) == (code, True), err
    assert "account 123456789012" not in err


def test_repair_tells_a_consent_that_no_change_has(capfd: Any) -> None:
    run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    code, _, err = run_command(capfd, "repair", FILE, "--sandbox", "--allow", "shorten-retenton")
    assert (code, "--allow shorten-retenton: no change is called so" in err) == (0, True), err


def test_a_known_consent_that_nothing_needs_is_quiet(capfd: Any) -> None:
    for _ in range(2):
        given = ["--yes", "--quiet", "--allow", "shorten-retention"]
        code, _, err = run_command(capfd, "apply", FILE, "--sandbox", *given)
        assert (code, err) == (0, "")


@pytest.mark.parametrize("width", [80, 50])
def test_a_wrapped_line_goes_on_two_columns_further_in(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen(CommandOptions("diff"))
    screen.out._force_terminal, screen.out.width = True, width
    document = {
        "Statement": [{"Sid": "Ours", "Resource": ["arn:aws:s3:::a-bucket-with-a-long-name/AWSLogs/*"] * 4}]
    }
    made = Change("bucket b", (Difference("policy statement Ours", None, document),), change().call, "create")
    screen.results(changes.changes([result(A, EAST, made)], VIEW))
    screen.results(findings.findings([result(A, EAST, change(want="word " * 40))], VIEW))
    printed = capsys.readouterr().out.splitlines()
    assert all(len(line) <= width for line in printed)
    start = next(n for n, line in enumerate(printed) if '"Statement"' in line)
    end = next(n for n, line in enumerate(printed) if "FAIL" in line)
    indent = printed[start].index('"')
    assert printed[start + 1][: indent + 2].strip(" +") == ""
    assert printed[start + 1][indent + 2] != " "
    rest = [line for line in printed[end + 1 :] if line]
    assert rest
    assert all(line.startswith(" " * 10) and line[10] != " " for line in rest)


@pytest.mark.parametrize(
    "flags", [["--profile", ""], ["--region", ""], ["--endpoint-url", ""], ["--no-such"]]
)
def test_a_wrong_command_line_is_json_where_that_was_asked_for(capfd: Any, flags: list[str]) -> None:
    code, out, err = run_command(capfd, "diff", FILE, "--json", *flags)
    assert (code, json.loads(out)["type"], flags[0] in err) == (1, "error", True)


@pytest.mark.parametrize("columns", [0, 1, 5])
def test_a_terminal_that_is_too_narrow_is_printed_on(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr("provisioner.cli.screen._PLAIN_WIDTH", columns)
    screen = Screen(CommandOptions("diff", color="always"))
    screen.results(findings.findings([result(A, EAST, change(want="word " * 9))], VIEW))
    assert capsys.readouterr().out.count("word") == 9


@pytest.mark.parametrize("width", [80, 50])
def test_the_digest_of_the_plan_is_in_one_piece(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr("provisioner.cli.screen._PLAIN_WIDTH", width)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(["diff", FILE, "--sandbox"]) == 2
    printed = capsys.readouterr().out.splitlines()
    assert re.fullmatch("plan sha256:[0-9a-f]{64}", printed[-1])
    assert max(map(len, printed[:-1])) <= width


def test_a_stricter_setting_names_what_would_undo_it() -> None:
    noted = [Note(Kind.STRICTER, "bucket b", "is kept"), Note(Kind.WARNING, "bucket b", "costs")]
    stricter, warning = (each.plain for each in changes.notes([result(A, EAST, notes=noted)], VIEW))
    assert "bucket b: is kept; `exact: true` in the file would undo it" in stricter
    assert "exact" not in warning


def test_no_claim_of_success_stands_beside_a_failure(capfd: Any, credentials: None) -> None:
    """Two reads are refused, and something has drifted: with and without it, each failure is printed once."""
    claims = ("No changes.", "AWS shows what was asked.", "Works.", "Apply complete!")
    with open_sandbox(None) as world, serving(world) as served:
        where = (FILE, "--endpoint-url", served.url)
        assert run_command(capfd, "apply", *where, "--yes")[0] == 0
        aws = botocore.session.get_session()
        aws.create_client("cloudtrail", region_name="us-east-1").stop_logging(Name="organization-trail")
        world.deny("iam", "GetAccountPasswordPolicy")
        world.deny("config", "DescribeConfigRules")
        for command in (["diff"], ["apply", "--yes"], ["apply", "--yes"], ["verify"]):
            for more in ([], ["--quiet"], ["--json"], ["--json-lines"]):
                code, out, err = run_command(capfd, *command, *where, *more)
                assert code in {2, 3}
                assert not any(claim in out + err for claim in claims), out
                if "--json" not in more and "--json-lines" not in more:
                    assert (out + err).count("iam:GetAccountPasswordPolicy: AccessDenied") == 1


def test_sections_are_offered_for_permissions(completed: Completed) -> None:
    assert set(all_sections()) <= set(completed("bash", "permissions", "--service", ""))


def test_a_failure_is_a_value() -> None:
    assert hash(Failure("a", "b")) == hash(Failure("a", "b"))  # `output` remembers those it has printed
