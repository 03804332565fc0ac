"""Tests of what AWS returns on its way to the terminal and the log: one cleaner for all, and no secret in any form."""

from __future__ import annotations

import base64
import html
import json
import os
import stat
import urllib.parse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from rich.text import Text

from provisioner.aws import Identity, Waiting
from provisioner.cli.log_file import LogFile
from provisioner.cli.option_checks import check_identity
from provisioner.cli.options import CommandError, CommandOptions
from provisioner.cli.resume import read_record
from provisioner.cli.screen import Screen
from provisioner.model import (
    Account,
    Call,
    Change,
    Difference,
    Failure,
    Finding,
    Kind,
    Note,
    Outcome,
    Result,
    Skipped,
    Target,
)
from provisioner.report import changes, failures, findings
from provisioner.report import json as report
from provisioner.report.places import View
from provisioner.sandbox import open_sandbox

from ..conftest import EXAMPLE
from .test_commands import run_command

HOSTILE = {
    "escape sequence": "x\x1b[2K\x1b[1A\x1b[32mNo changes.\x1b[0m",
    "C1 escape sequence": "x\x9b2KNo changes.",
    "title of the window": "x\x1b]0;No changes.\x07",
    "new line": "x\nNo changes.",
    "carriage return": "x\rNo changes.",
    "both": "x\r\nNo changes.",
    "line separator": "x\u2028No changes.",
    "paragraph separator": "x\u2029No changes.",
    "next line": "x\x85No changes.",
    "vertical tab and form feed": "x\x0b\x0cNo changes.",
    "record separator": "x\x1eNo changes.",
    "backspace": "x\b\b\b\bNo changes.",
    "right to left": "x\u202e.segnahc oN",
    "zero width": "No\u200b changes.",
    "lone surrogate": "x\ud800",
    "NUL": "x\x00",
    "delete": "x\x7f",
}
SECRET = "p\"ä\\s/w&o <r>'d+1"


def everything(text: str) -> tuple[Result, ...]:
    """Results with *text* in every field that AWS, or an error of AWS, may fill."""
    document = {text: [{"Sid": text, "Statement": text}], "more": "m" * 80}
    call = Call("s3", "put_x", {text: text}, name="PutX")
    differences = (
        Difference(text, text, {"a": text}),
        Difference("d", document, {**document, "b": text}),
        Difference("e", None, document),
    )
    change = Change(f"bucket {text}", differences, call, consent="weaken", loses=text)
    failure = Failure(text, text, "s3", "PutX", text, text, text, text, untried=(text,))
    target = Target("111122223333", "us-east-1")
    notes = [Note(kind, text, text) for kind in Kind]
    found = [Finding(text, text, ok, text) for ok in (True, False, None)]
    return (
        Result("a_step", target, [change], notes, withheld=[change], findings=found, request_ids=[text]),
        Result("b_step", target, failures=[failure]),
        Result("c_step", target, blocked_by=text),
    )


def lines(text: str) -> Iterable[Text | str]:
    """All that the report for people makes of them, and the plain lines of the command line."""
    results, view = everything(text), View({"111122223333": text}, unfold=True)
    yield from changes.changes(results, view)
    yield from changes.withheld(results, view)
    yield from changes.unseen(results, view)
    yield from changes.notes(results, view)
    yield from changes.skipped(
        [Skipped("111122223333", "", text, text), Skipped("111122223333", text, text)], view
    )
    yield from failures.failures(results, view)
    yield from findings.findings(results, view)
    yield from (changes.repaired(result, change) for result in results for change in result.changes)
    yield text
    yield Text(text, "bold")
    yield Text.assemble(("! ", "bold red"), text)


@pytest.fixture(params=["no terminal", "terminal"])
def screen(request: Any, monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("NO_COLOR", "1")
    made = Screen(CommandOptions("diff"))
    if request.param == "terminal":
        for console in (made.out, made.err):
            console._force_terminal, console.width = True, 100_000
    return made


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_line_stays_one_line_without_control_characters(screen: Screen, capsys: Any, text: str) -> None:
    made = list(lines(text))
    screen.results(made)
    screen.notices(made)
    if not screen.err.is_terminal:  # which shows the wait in a line that rich moves the cursor to
        screen.wait(Waiting(Target("1", text), "PutX", text, 0.0, 100.0))
    assert screen._line(text).plain.isprintable()
    out, err = capsys.readouterr()
    for printed in (out.split("\n"), err.split("\n")):
        assert all(line.isprintable() for line in printed)
        assert not any(line.startswith(("No changes.", "Apply complete!")) for line in printed)
    assert out.count("\n") == len(made)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_log_is_one_clean_object_a_line(tmp_path: Path, text: str) -> None:
    log = LogFile(str(tmp_path / "log"), account=text)
    results = everything(text)
    log.change(results[0], results[0].changes[0])
    log.failures(results)
    log.close()
    for line in (tmp_path / "log").read_text().split("\n")[:-1]:
        values = [value for key, value in json.loads(line).items() if key != "account"]
        assert all(each.isprintable() for value in values for each in strings(value))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_json_has_the_values_as_they_are_in_ascii(text: str) -> None:
    outcome = Outcome(Account("111122223333", text), results=everything(text))
    made = report.to_text(report.account_json(outcome, "diff"))
    assert made.isascii()
    assert "\n" not in made
    assert "\x1b" not in made
    assert json.loads(made)["changes"][0]["resource"] == f"bucket {text}"
    assert json.loads(made)["message"].isprintable()


def strings(value: Any) -> Iterable[str]:
    """Every string in a nested value."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON that is not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "in JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "as Python": repr,
    "in a URL": urllib.parse.quote,
    "in a form": urllib.parse.quote_plus,
    "in a URL, slashes too": lambda text: urllib.parse.quote(text, safe=""),
    "in a URL in a URL": lambda text: urllib.parse.quote(urllib.parse.quote(text, safe=""), safe=""),
    "JSON in a URL": lambda text: urllib.parse.quote(json.dumps({"a": text})),
    "in XML": html.escape,
    "in hex": lambda text: text.encode().hex(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "in base64 after one byte": lambda text: base64.b64encode(b"x" + text.encode() + b"more").decode(),
    "in base64 after two": lambda text: base64.b64encode(b"xy" + text.encode() + b"more").decode(),
    "JSON in base64": lambda text: base64.b64encode(json.dumps({"a": text}).encode()).decode(),
}


@pytest.mark.parametrize("secret", [SECRET, "s3cr3t-t0k3n", "ä€\U0001f511-key", "line\nbreak\ttab"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_hidden_in_whatever_form(
    tmp_path: Path, screen: Screen, capsys: Any, form: Callable[[str], str], secret: str
) -> None:
    """What is left of it in base64 is at most the first and the last letter, which hold bits of its neighbours too."""
    text = f"before {form(secret)} after"
    screen.secrets = lambda: {secret: "${env:TOKEN}"}
    screen.results([text, Text.assemble(("! ", "bold"), text)])
    screen.message(text, always=True)
    screen._as_json = screen._as_lines = True
    screen.json_error(report.error_json("diff", text))
    log = LogFile(str(tmp_path / "log"), screen.secrets)
    log.write("failed", message=text, more=[{"a": text}])
    log.close()
    shown = [*capsys.readouterr(), (tmp_path / "log").read_text()]
    core = form(secret).strip("\"'=")
    assert core not in "".join(shown)
    assert json.dumps(core)[1:-1] not in "".join(shown)
    assert [each.count("${env:TOKEN}") for each in shown] == [4, 1, 2]


def test_a_secret_in_an_error_of_aws_is_hidden(
    capfd: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id that a role asks for is in AWS's answers to a call that is refused."""
    monkeypatch.setenv("EXTERNAL_ID", "bad id of ours!")
    file = home / "organization.yaml"
    file.write_text(EXAMPLE + '\naccounts: {all: true, external_id: "${env:EXTERNAL_ID}"}\n')
    for more in ([], ["--json"], ["--json-lines"], ["--log-file", str(home / "log")]):
        _, out, err = run_command(capfd, "diff", str(file), "--sandbox", *more)
        assert "bad id of ours" not in out + err
    assert "bad id of ours" not in ((home / "log").read_text() if (home / "log").exists() else "")


def test_the_name_of_the_file_is_clean(capfd: Any, home: Path) -> None:
    name = home / "x\n\x1b[2KNo changes.yaml"
    name.write_text("organization_name: acme\nunknown: 1\n")
    for path in (str(name), f"{name}.missing"):
        for command in (["validate"], ["diff", "--sandbox"]):
            code, out, err = run_command(capfd, *command, path)
            assert (code, "\x1b" in out + err, "\nNo changes" in out + err) == (1, False, False)


def test_a_record_of_another_user_or_behind_a_link_skips_no_account(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "apply.jsonl"
    path.write_text('{"key": "k"}\n{"done": "123456789012"}\n')
    assert read_record(path, "k") == {"123456789012"}
    (home / "link").symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        read_record(home / "link", "k")
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert read_record(path, "k") is None


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_state_and_log_are_for_this_user_only_whatever_the_umask(home: Path, capfd: Any, mask: int) -> None:
    file = home / "organization.yaml"
    file.write_text(EXAMPLE + "\naccounts: {all: true}\n")
    log = home / "log"
    before = os.umask(mask)
    try:
        for command in (["apply", "--yes"], ["diff"]):
            code, _, err = run_command(capfd, *command, str(file), "--sandbox", "--log-file", str(log))
            assert code == 0, err
        assert run_command(capfd, "sandbox", "drift")[0] == 0
    finally:
        os.umask(before)
    made = [log, home / "state", *(home / "state").rglob("*")]
    assert len(made) > 6
    for each in made:
        assert stat.S_IMODE(each.stat().st_mode) == (0o700 if each.is_dir() else 0o600), each


@pytest.mark.parametrize(
    "account",
    [
        "",
        "../../../etc",
        "12345678901",
        "1234567890123",
        "\uff11" * 12,
        "123456789012\n",
        "12345678901/",
    ],
)
def test_an_account_id_that_is_none_makes_no_path(account: str) -> None:
    with pytest.raises(CommandError, match="no account id"):
        check_identity(Identity(account, "aws", "arn:aws:iam::1:root"))


@pytest.mark.parametrize("partition", ["", "../x", "aws/..", "AWS", "aws\n"])
def test_a_partition_that_is_none_makes_no_path(partition: str) -> None:
    with pytest.raises(CommandError, match="no account id"):
        check_identity(Identity("123456789012", partition, "arn:aws:iam::1:root"))


def test_names_in_an_account_of_others_forge_no_line(capfd: Any, home: Path) -> None:
    """A statement id of others, which AWS takes with spaces and line separators, is printed on its line."""
    file = home / "small.yaml"
    file.write_text(EXAMPLE)
    run_command(capfd, "apply", str(file), "--sandbox", "--yes")
    with open_sandbox(home / "state" / "provision" / "sandbox" / "state"):
        client = botocore.session.get_session().create_client("s3", region_name="us-east-1")
        [bucket, *_] = [each["Name"] for each in client.list_buckets()["Buckets"]]
        policy = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])
        policy["Statement"][0]["Condition"] = {"StringEquals": {"aws:UserAgent": "x\u2028No changes.\x1b[2K"}}
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    _, out, err = run_command(capfd, "diff", str(file), "--sandbox")
    assert "No changes." in out
    assert not any(line.startswith("No changes.") for line in (out + err).splitlines())
    assert "\x1b" not in out + err
