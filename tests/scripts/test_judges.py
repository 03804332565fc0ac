"""Tests of `scripts/judges`: its tables, how it reads what judges answer, and, where they are installed, the judges themselves."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from ..conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from judges.custodian import compared, found_in, read_policies
from judges.environments import for_judge, served_sandbox
from judges.prowler import errors, read_checks, statuses
from judges.verdict import FAILS, HOLDS, NO_FINDING, Verdict, judged, summary, table

PROFILES = ROOT / "provisioner" / "profiles"
CHECKS = read_checks()
CONTROL = re.compile(r"(7\.0 )?\d+(\.\d+)+|beyond")


def controls_of(text: str) -> set[str]:
    """The controls that the comments of a profile name; `4.1 to 4.15` are all from the first to the last."""
    found = set(re.findall(r"\d+(?:\.\d+)+", text))
    for start, first, last in re.findall(r"(\d+(?:\.\d+)*)\.(\d+) to \1\.(\d+)", text):
        found |= {f"{start}.{number}" for number in range(int(first), int(last) + 1)}
    return found


@pytest.mark.parametrize("profile", CHECKS.profiles)
def test_the_table_of_checks_is_well_formed(profile: str) -> None:
    checks = CHECKS.profiles[profile]
    assert (PROFILES / f"{profile}.yaml").is_file()
    assert [name for name in checks if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", name)] == []
    assert [control for control in checks.values() if not CONTROL.fullmatch(control)] == []


def test_what_is_said_of_a_check_is_of_one_that_is_asked() -> None:
    asked = {name for checks in CHECKS.profiles.values() for name in checks}
    assert {*CHECKS.no_finding, *CHECKS.home_region_only} - asked == set()


def test_each_control_of_cis_that_is_judged_is_named_in_its_profile() -> None:
    named = controls_of((PROFILES / "cis-5.0.yaml").read_text())
    judged_ones = {each for each in CHECKS.profiles["cis-5.0"].values() if not each.startswith("7.0 ")}
    assert judged_ones - named == set()
    assert {f"4.{number}" for number in range(1, 17)} <= judged_ones


def test_all_controls_that_both_profiles_answer_are_the_same_in_both() -> None:
    cis, full = CHECKS.profiles["cis-5.0"], CHECKS.profiles["full"]
    assert {name: (cis[name], full[name]) for name in {*cis} & {*full} if cis[name] != full[name]} == {}


def test_the_policies_have_the_filters_by_which_the_profile_is_to_be_judged() -> None:
    filters = {str(each) for each in yaml_filters(read_policies(home=True))}
    wanted = {"guard-duty", "securityhub", "check-macie", "default-ebs-encryption", "check-cloudtrail"}
    assert wanted <= filters
    elsewhere = {str(each) for each in yaml_filters(read_policies(home=False))}
    assert wanted - elsewhere == {"check-cloudtrail"}


def yaml_filters(policies: object) -> list[object]:
    """Every `type` of a filter in the policies."""
    text = yaml.safe_dump(policies)
    return re.findall(r"type: ([a-z0-9-]+)", text)


@pytest.mark.parametrize(
    ("found", "accepted", "want"),
    [
        (["PASS", "PASS"], None, (HOLDS, "2 PASS")),
        (["PASS", "FAIL"], None, (FAILS, "1 FAIL, 1 PASS")),
        (["FAIL"], "may be silent", (FAILS, "1 FAIL")),
        (["MANUAL"], "left to people", (NO_FINDING, "left to people")),
        (["MANUAL"], None, (FAILS, "no finding: 1 MANUAL")),
        ([], "nothing there", (NO_FINDING, "nothing there")),
        ([], None, (FAILS, "no finding: an error")),
    ],
)
def test_a_check_needs_a_pass_and_no_fail(found: list[str], accepted: str | None, want: object) -> None:
    assert judged(found, accepted, "an error") == want


def test_prowlers_findings_and_errors_are_read() -> None:
    findings = [
        {"metadata": {"event_code": name}, "status_code": status}
        for name, status in (("one_check", "PASS"), ("one_check", "FAIL"), ("other_check", "MANUAL"))
    ]
    assert statuses(json.dumps(findings)) == {"one_check": ["PASS", "FAIL"], "other_check": ["MANUAL"]}
    assert statuses("") == {}
    log = (
        "2026-11-30 [File: one_service.py:9] \t[Module: one_service]\t ERROR: eu-west-1 -- it failed \n\nmore"
    )
    assert errors(log) == {"one": "eu-west-1 -- it failed"}


@pytest.mark.parametrize(
    ("resources", "log", "want"),
    [
        ("[]", None, "not found"),
        ('[{"account_id": "1"}]', "", "found"),
        (None, "first\nan error occurred\n", "error: an error occurred"),
        (None, None, "error: Custodian did not run it"),
    ],
)
def test_custodians_answers_are_read(
    tmp_path: Path, resources: str | None, log: str | None, want: str
) -> None:
    for name, text in (("resources.json", resources), ("custodian-run.log", log)):
        if text is not None:
            (tmp_path / name).write_text(text)
    assert found_in(tmp_path) == want


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        ("found", "not found", HOLDS),
        ("found", "found", FAILS),
        ("not found", "not found", FAILS),
        ("found", "error: x", FAILS),
    ],
)
def test_a_policy_holds_that_finds_the_account_before_and_not_after(
    before: str, after: str, want: str
) -> None:
    [verdict] = compared("full", {("p", "r"): before}, {("p", "r"): after})
    assert (verdict.verdict, verdict.findings) == (want, f"r: {before} before apply, {after} after")


def test_the_table_has_a_line_for_each_verdict() -> None:
    verdicts = [Verdict("prowler", "full", "3.1", "c", each, "1 PASS") for each in (HOLDS, FAILS)]
    headings, *lines = table(verdicts).splitlines()
    assert headings.split() == ["judge", "profile", "control", "check", "verdict", "findings"]
    assert [line.split() for line in lines] == [
        ["prowler", "full", "3.1", "c", each, "1", "PASS"] for each in (HOLDS, FAILS)
    ]
    assert summary(verdicts) == {"prowler on full": "1 holds, 0 no finding, 1 FAILS"}


def test_a_judge_gets_the_environment_that_the_served_sandbox_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "a-real-account")
    with served_sandbox(tmp_path) as env:
        given = for_judge(env)
        port = urlsplit(given["AWS_ENDPOINT_URL"]).port
        ask = (
            f"import socket; socket.create_connection(('123456789012.localhost', {port}), 10); print('there')"
        )
        done = subprocess.run(
            [sys.executable, "-c", ask], env=given, capture_output=True, text=True, check=False
        )
    assert done.stdout == "there\n", done.stderr
    assert "AWS_PROFILE" not in given
    assert given["AWS_ACCESS_KEY_ID"] == "sandbox"
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 10)


@pytest.mark.parametrize("judge", ["prowler", "custodian"])
def test_the_judge_is_satisfied(judge: str) -> None:
    if not os.environ.get(f"JUDGES_{judge.upper()}"):
        pytest.skip(f"JUDGES_{judge.upper()} names no virtual environment with {judge}")
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"}
    command = [sys.executable, "-m", "judges", "--judge", judge]
    done = subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"\n{judge} on full: " in done.stdout
