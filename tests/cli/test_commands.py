"""Tests of the command line: what each command prints, where, and its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from jsonschema import Draft202012Validator

from provisioner.cli import run
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving

from ..conftest import EXAMPLE, ROOT

FILE = str(ROOT / "baseline.yaml")


pytestmark = pytest.mark.usefixtures("home")


def run_command(capfd: Any, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command line."""
    capfd.readouterr()
    code = run(list(arguments))
    out, err = capfd.readouterr()
    return code, out, err


def all_of(document: Any, key: str) -> list[Any]:
    """The items of the list at *key*, of the organization and of every account."""
    return [item for each in (document["organization"], *document["accounts"]) for item in each[key]]


COMMAND = [sys.executable, "-m", "provisioner"]


def run_process(*arguments: str, **given: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, cwd=ROOT, check=False, timeout=120, **given
    )


def start_process(*arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, *arguments], stdout=pipe, stderr=pipe, text=True, cwd=ROOT)


def test_apply_drift_repair_and_verify(capfd: Any) -> None:
    code, out, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    assert code == 0
    assert "SANDBOX: no AWS account is touched" in err
    assert "account 123456789012" in err
    assert re.search(r"Plan: 10 to add, 1 to change, 0 to destroy\.", out)
    assert re.search(
        r"Apply complete! Resources: 10 added, 1 changed, 0 destroyed\. AWS shows what was asked\.", out
    )

    code, out, _ = run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    assert (code, out.startswith("No changes. 7 of 7 steps in sync")) == (0, True)
    assert run_command(capfd, "diff", FILE, "--sandbox")[0] == 0

    code, broken, _ = run_command(capfd, "sandbox", "drift", "--seed", "1")
    assert (code, len(broken.splitlines())) == (0, 3)
    code, out, _ = run_command(capfd, "diff", FILE, "--sandbox")
    assert code == 2
    assert "Plan: " in out
    code, out, _ = run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--quiet")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert all(line.startswith("123456789012 us-east-1 ") for line in out.splitlines())

    code, out, _ = run_command(capfd, "verify", FILE, "--sandbox")
    assert code == 0
    assert "Works." in out
    assert run_command(capfd, "sandbox", "reset")[0] == 0
    assert run_command(capfd, "diff", FILE, "--sandbox")[0] == 2


def test_regions_that_are_not_enabled_are_listed(capfd: Any, home: Path) -> None:
    file = home / "all.yaml"
    file.write_text(EXAMPLE.replace("regions: [us-east-1]", "regions: all"))
    for command in ("diff", "verify"):
        _, _, err = run_command(capfd, command, str(file), "--sandbox", "--target", "password_policy")
        assert "· skipped in 123456789012: af-south-1, ap-east-1, ap-east-2\n    and 14 more" in err
        assert "me-south-1" not in err
        _, _, err = run_command(
            capfd, command, str(file), "--sandbox", "--target", "password_policy", "--unfold"
        )
        assert "me-south-1" in err


def test_verify_reports_a_missing_resource(capfd: Any) -> None:
    _, out, _ = run_command(capfd, "verify", FILE, "--sandbox", "--target", "password_policy")
    assert "differs: password policy: not there" in out


def test_verify_fires_only_where_it_is_asked_to(capfd: Any, home: Path) -> None:
    file = home / "alarms.yaml"
    file.write_text(
        "organization_name: acme\nhome_region: us-east-1\nlog_buckets: {logs: {name: acme-logs}}\n"
        "cloudtrail: {name: audit, s3_bucket_name: logs}\nalarms: {watchers: false, detectors: false}\n"
    )
    target = (str(file), "--sandbox", "--target", "alarms")
    assert run_command(capfd, "apply", *target, "--yes")[0] == 0
    for flags, expected in (((), 0), (("--fire",), 2)):
        document = json.loads(run_command(capfd, "verify", *target, "--json", *flags)[1])
        found = [each["state"] for each in all_of(document, "findings") if each["check"] == "goes off"]
        assert found == ["pass"] * expected
        assert document["cost"]["writes"] == expected


def test_quiet_prints_and_logs_only_changes(capfd: Any, home: Path) -> None:
    run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    log = home / "log.jsonl"
    assert run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--quiet", "--log-file", str(log)) == (
        0,
        "",
        "",
    )
    with open_sandbox(home / "state" / "provision" / "sandbox" / "state"):
        client = botocore.session.get_session().create_client("cloudtrail", region_name="us-east-1")
        client.stop_logging(Name="organization-trail")
    code, out, err = run_command(
        capfd, "apply", FILE, "--sandbox", "--yes", "--quiet", "--log-file", str(log)
    )
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "123456789012 us-east-1 cloudtrail: trail organization-trail: logging false → true (cloudtrail:StartLogging)"
    ]
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [each["event"] for each in events] == ["in sync", "changed", "applied"]
    changed = {"account": "123456789012", "region": "us-east-1", "step": "cloudtrail"}
    assert {**changed, "operation": "cloudtrail:StartLogging"}.items() <= events[1].items()
    assert events[1]["request_id"]
    assert log.stat().st_mode & 0o777 == 0o600


def test_apply_without_a_terminal_needs_yes(capfd: Any) -> None:
    done = run_process("apply", FILE, "--sandbox", stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert "Plan: 10 to add" in done.stdout
    assert "give `--yes`" in done.stderr
    assert "Plan: 10 to add" in run_command(capfd, "diff", FILE, "--sandbox")[1]


def test_expect_plan_applies_only_that_plan(capfd: Any) -> None:
    plan = json.loads(run_command(capfd, "diff", FILE, "--sandbox", "--json")[1])
    digest = plan["plan_digest"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    code, _, err = run_command(capfd, "apply", FILE, "--sandbox", "--expect-plan", "sha256:" + "0" * 64)
    assert code == 1
    assert digest in err
    assert "review it again" in err
    assert json.loads(run_command(capfd, "diff", FILE, "--sandbox", "--json")[1])["plan_digest"] == digest
    assert run_command(capfd, "apply", FILE, "--sandbox", "--expect-plan", digest)[0] == 0
    assert run_command(capfd, "diff", FILE, "--sandbox")[0] == 0


def test_the_json_document(capfd: Any) -> None:
    code, out, _ = run_command(capfd, "diff", FILE, "--sandbox", "--json")
    found = json.loads(out)
    assert code == 2
    assert found["format_version"] == "2.0"
    assert found["sandbox"] is True
    counts = found["counts"]
    assert (counts["add"], counts["change"], counts["steps_in_sync"], counts["steps_failed"]) == (10, 1, 0, 0)
    assert found["cost"]["writes"] == 0
    policy = [c for c in found["accounts"][0]["changes"] if c["step"] == "password_policy"]
    assert policy[0]["call"]["operation"] == "UpdateAccountPasswordPolicy"
    assert {"field": "MinimumPasswordLength", "have": None, "want": 14} in policy[0]["differences"]
    code, out, _ = run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--json")
    done = json.loads(out)
    assert code == 0
    assert (done["counts"]["add"], done["counts"]["change"]) == (10, 1)
    assert done["accounts_by_state"] == {"in_sync": 0, "drifted": 0, "changed": 1, "failed": 0, "skipped": 0}
    assert all(each["request_id"] for each in all_of(done, "changes"))
    found = json.loads(run_command(capfd, "verify", FILE, "--sandbox", "--json")[1])
    assert {each["state"] for each in all_of(found, "findings")} == {"pass"}


def test_json_lines_of_one_account(capfd: Any) -> None:
    """What an apply finds, and then what it has made of it."""
    code, out, _ = run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--json-lines")
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(each["type"], each.get("state"), each.get("applied")) for each in lines] == [
        ("version", None, None),
        ("organization", "drifted", False),
        ("account", "drifted", False),
        ("organization", "changed", True),
        ("account", "changed", True),
        ("summary", None, None),
    ]


def test_output_matches_its_schema(capfd: Any) -> None:
    validator = Draft202012Validator(json.loads(run_command(capfd, "schema", "--output")[1]))
    for command in ("diff", "verify"):
        validator.validate(json.loads(run_command(capfd, command, FILE, "--sandbox", "--json")[1]))
        for line in run_command(capfd, command, FILE, "--sandbox", "--json-lines")[1].splitlines():
            validator.validate(json.loads(line))
    validator.validate(json.loads(run_command(capfd, "diff", "/nowhere.yaml", "--sandbox", "--json")[1]))


def test_target_includes_the_steps_it_needs(capfd: Any) -> None:
    found = json.loads(
        run_command(capfd, "diff", FILE, "--sandbox", "--json", "--target", "config_recorder")[1]
    )
    assert {each["step"] for each in all_of(found, "changes")} == {
        "log_buckets",
        "config_role",
        "config_recorder",
    }
    code, _, err = run_command(capfd, "diff", FILE, "--sandbox", "--target", "cloudtrial")
    assert code == 1
    assert "no such step" in err
    assert "cloudtrail" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diff", "--nope"], "No such option"),
        (["sandbox", "serve", "--latency", "nan"], "nan is no number of seconds"),
        (["sandbox", "serve", "--latency", "inf"], "not in the range"),
        (["frobnicate"], "no such command `frobnicate`; there are apply, "),
        (["apply", FILE, "--sandbox", "--lock-timeout", "soon"], "--lock-timeout"),
        (["diff", "/nowhere/at-all.yaml", "--sandbox"], "no such file"),
        (["diff", FILE, "--sandbox", "--region", "eu-central-1"], "not among the `regions`"),
        (["diff", FILE], "try it without an account"),
        (["diff", FILE, "--profile", "nope"], "nope"),
        (["diff", FILE, "--endpoint-url", "http://127.0.0.1:9"], "endpoint"),
        (["diff", FILE, "--endpoint-url", "foo"], "--endpoint-url foo: no URL to which requests can be sent"),
        (
            ["diff", FILE, "--sandbox", "--log-file", "/nowhere/at/all"],
            "--log-file /nowhere/at/all: No such file or directory",
        ),
    ],
)
def test_a_command_that_cannot_start_prints_one_error_and_exits_1(
    capfd: Any, request: pytest.FixtureRequest, arguments: list[str], message: str
) -> None:
    if "--endpoint-url" in arguments:
        request.getfixturevalue("credentials")
    code, out, err = run_command(capfd, *arguments)
    assert code == 1
    assert out == ""
    assert message in err
    assert "Traceback" not in err


def test_all_mistakes_in_the_file_are_printed_before_any_call(capfd: Any, home: Path) -> None:
    text = EXAMPLE.replace("minimum_password_length: 14", "minimum_password_length: x")
    text = text.replace("is_multi_region_trail", "is_multi_regon_trail")
    file = home / "wrong.yaml"
    file.write_text(text)
    code, out, err = run_command(capfd, "diff", str(file), "--sandbox")
    assert (code, out) == (1, "")
    assert "SANDBOX" not in err
    assert err.count("wrong.yaml:") == 2
    assert "want a whole number from 6 to 128, got 'x'" in err
    assert "did you mean 'is_multi_region_trail'" in err
    code, out, _ = run_command(capfd, "validate", str(file), "--json")
    assert code == 1
    assert len(json.loads(out)["problems"]) == 2


def test_validate_and_schema(capfd: Any) -> None:
    assert run_command(capfd, "validate", FILE)[0] == 0
    schema = json.loads(run_command(capfd, "schema")[1])
    assert {"log_buckets", "cloudtrail", "config", "password_policy"} <= set(schema["properties"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(capfd: Any, shell: str) -> None:
    code, out, _ = run_command(capfd, "completion", shell)
    assert code == 0
    assert "_PROVISION_COMPLETE" in out


def test_completion_completes(monkeypatch: pytest.MonkeyPatch) -> None:
    env = {
        **os.environ,
        "_PROVISION_COMPLETE": "bash_complete",
        "COMP_WORDS": "provision ver",
        "COMP_CWORD": "1",
    }
    assert "verify" in run_process(env=env).stdout


def test_terraform_spelling_of_options(capfd: Any) -> None:
    assert (
        run_command(
            capfd, "apply", FILE, "--sandbox", "-auto-approve", "-target=password_policy", "-no-color"
        )[0]
        == 0
    )
    assert (
        run_command(capfd, "diff", FILE, "--sandbox", "-target", "password_policy", "-detailed-exitcode")[0]
        == 0
    )


def test_colour(capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    escape = "\x1b["
    assert escape not in run_command(capfd, "diff", FILE, "--sandbox")[1]
    assert escape in run_command(capfd, "diff", FILE, "--sandbox", "--color", "always")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert escape in run_command(capfd, "diff", FILE, "--sandbox")[1]
    assert escape not in run_command(capfd, "diff", FILE, "--sandbox", "--no-color")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert escape not in run_command(capfd, "diff", FILE, "--sandbox")[1]


def test_an_account_that_is_not_allowed_is_refused(capfd: Any, home: Path, served: str) -> None:
    file = home / "guarded.yaml"
    file.write_text(
        EXAMPLE.replace("# allowed_account_ids", "allowed_account_ids").replace(
            "123456789012", "012345670123"
        )
    )
    code, out, err = run_command(capfd, "diff", str(file), "--endpoint-url", served)
    assert (code, out) == (1, "")
    assert "account 123456789012, which `allowed_account_ids` does not name" in err


@pytest.fixture
def served(credentials: None) -> Iterator[str]:
    """The URL of a sandbox behind HTTP, and credentials that it accepts."""
    with open_sandbox(None) as world, serving(world) as server:
        yield server.url


def test_apply_holds_a_lock(capfd: Any, home: Path) -> None:
    from provisioner.cli.lock import locked

    with locked(home / "state" / "provision" / "sandbox" / "apply.lock", 0):
        code, _, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes")
        assert code == 1
        assert "another run is in progress" in err
        assert str(os.getpid()) in err
        assert run_command(capfd, "diff", FILE, "--sandbox")[0] == 2
    assert run_command(capfd, "apply", FILE, "--sandbox", "--yes")[0] == 0


def test_ctrl_c_while_writing_finishes_the_call(home: Path, served: str, capfd: Any) -> None:
    started = start_process("apply", FILE, "--yes", "--endpoint-url", served)
    assert started.stderr is not None
    for line in started.stderr:
        if line.startswith("[3/"):
            started.send_signal(signal.SIGINT)
            break
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "the call in flight is finished first" in err
    assert "Interrupted. Done until then:" in out
    code, out, _ = run_command(capfd, "apply", FILE, "--yes", "--endpoint-url", served)
    assert code == 0
    assert "Apply complete!" in out


def test_ctrl_c_while_reading_ends_at_once(served: str) -> None:
    started = start_process("diff", FILE, "--endpoint-url", served)
    assert started.stderr is not None
    started.stderr.readline()
    started.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, err = started.communicate(timeout=60)
    assert started.returncode in {130, 2}, err
    assert time.monotonic() - begun < 30


def test_max_changes(capfd: Any) -> None:
    run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    run_command(capfd, "sandbox", "drift", "--seed", "1")
    digest = json.loads(run_command(capfd, "diff", FILE, "--sandbox", "--json")[1])["plan_digest"]
    for limit in ("1", "10%"):
        code, _, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--max-changes", limit)
        assert code == 1
        assert f"no more than {limit} are allowed: review it with `diff`, then allow more" in err
    assert json.loads(run_command(capfd, "diff", FILE, "--sandbox", "--json")[1])["plan_digest"] == digest
    for wrong in ("some", "101%", "%"):
        code, _, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--max-changes", wrong)
        assert (code, f"want a number or a percentage, as 10 or 30%, got '{wrong}'" in err) == (1, True)
    assert run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--max-changes", "3")[0] == 0


def test_no_secret_is_printed_logged_or_stored(
    capfd: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "S3CR3TKEYS3CR3TKEY", "AWS_SESSION_TOKEN": "T0KENT0KENT0KEN"}
    for name, value in {**secrets, "AWS_ACCESS_KEY_ID": "AKIAREALREALREAL"}.items():
        monkeypatch.setenv(name, value)
    log = home / "log"
    _, out, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--json", "--log-file", str(log))
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    for secret in (*secrets.values(), "AKIAREALREALREAL"):
        assert secret not in out + err
        assert secret.encode() not in kept
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == secrets["AWS_SECRET_ACCESS_KEY"]


def test_a_change_without_consent_is_withheld_and_the_rest_repaired(capfd: Any, home: Path) -> None:
    run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    with open_sandbox(home / "state" / "provision" / "sandbox" / "state"):
        aws = botocore.session.get_session()
        aws.create_client("cloudtrail", region_name="us-east-1").stop_logging(Name="organization-trail")
    file = home / "shorter.yaml"
    file.write_text(
        EXAMPLE.replace("days: 2555 }", "days: 400 }").replace(
            "  config:\n    name", "    exact: true\n  config:\n    name"
        )
    )
    code, out, err = run_command(capfd, "apply", str(file), "--sandbox", "--yes", "--quiet")
    assert code == 3
    assert out.splitlines() == [
        "123456789012 us-east-1 cloudtrail: trail organization-trail: logging false → true (cloudtrail:StartLogging)"
    ]
    assert "s3:PutBucketLifecycleConfiguration was not called: logs are deleted sooner than now" in err
    assert "hint: to have it, give `--allow shorten-retention`" in err
    assert (
        run_command(capfd, "apply", str(file), "--sandbox", "--yes", "--allow", "shorten-retention")[0] == 0
    )
    assert run_command(capfd, "diff", str(file), "--sandbox")[0] == 0
