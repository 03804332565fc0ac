"""Tests of the command line over an organization: reports, account filters, `--resume` and interruptions."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli import open_work, run
from provisioner.sandbox import Fault, WireCall, open_sandbox, store
from provisioner.sandbox.serve import serving
from provisioner.sandbox.world import World

from ..conftest import EXAMPLE, ROOT

MANAGEMENT, ARCHIVE, WORKLOAD = "123456789012", "111122223333", "444455556666"
ACCOUNTS = f"\naccounts: {{all: true, log_archive: '{ARCHIVE}'}}\n"
TEXT = EXAMPLE.replace("regions: [us-east-1]", "regions: [us-east-1, eu-west-1]") + ACCOUNTS


class Organization:
    """An organization behind HTTP, a file for it, and ways to run commands: in this process, and in one of their own."""

    def __init__(self, world: World, url: str, folder: Path, capfd: Any):
        self.world, self.url, self.folder, self.capfd = world, url, folder, capfd
        self.file = folder / "org.yaml"
        self.file.write_text(TEXT)

    def command_line(self, command: str, *arguments: str) -> list[str]:
        return [command, str(self.file), "--endpoint-url", self.url, *arguments]

    def begin(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a process, for a signal, or for other processes that it starts."""
        return subprocess.Popen(
            [sys.executable, "-m", "provisioner", *self.command_line(command, *arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def run(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command in this process."""
        self.capfd.readouterr()
        code = run(self.command_line(command, *arguments))
        return code, *self.capfd.readouterr()

    def run_process(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a process."""
        process = self.begin(command, *arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


@pytest.fixture
def organization(credentials: None, tmp_path: Path, capfd: Any) -> Iterator[Organization]:
    with open_sandbox(None) as world, serving(world) as door:
        yield Organization(world, door.url, tmp_path, capfd)


@pytest.fixture(scope="module")
def after_apply() -> list[bytes]:
    """The state of the organization after the first `apply`, once a test has made it."""
    return []


@pytest.fixture
def applied(organization: Organization, after_apply: list[bytes]) -> Organization:
    if after_apply:
        organization.world.memory = store.restore(after_apply[0])
        return organization
    code, out, err = organization.run("apply", "--yes")
    assert (code, "Apply complete!" in out) == (0, True), err
    after_apply.append(store.capture(organization.world.memory))
    return organization


def drift(world: World, *accounts: str) -> None:
    """Weaken the password policy of these accounts."""
    from moto.iam.models import iam_backends

    for account in accounts:
        iam_backends[account]["aws"].account_password_policy.minimum_password_length = 8


def test_equal_changes_are_printed_once_and_unfold_lists_accounts(applied: Organization) -> None:
    drift(applied.world, MANAGEMENT, ARCHIVE, WORKLOAD)
    before = len(applied.world.writes)
    code, out, err = applied.run("diff")
    assert code == 2, err
    assert out.count("MinimumPasswordLength  8 → 14") == 1
    assert re.search(r"^password_policy  3 accounts$", out, re.MULTILINE)
    assert "Plan: 0 to add, 3 to change, 0 to destroy. 0 in sync" not in out
    assert "Plan: 0 to add, 3 to change, 0 to destroy. 3 accounts drifted, 1 skipped" in out
    assert "skipped: 777788889999" in err
    _, out, _ = applied.run("diff", "--unfold")
    assert all(name in out for name in ("log-archive", "management", "workload"))
    assert len(applied.world.writes) == before
    code, out, err = applied.run("apply", "--yes")
    assert code == 0, err
    assert (
        "Apply complete! Resources: 0 added, 3 changed, 0 destroyed. AWS shows what was asked. 3 accounts changed"
        in out
    )
    assert applied.run("diff")[:1] == (0,)


def test_json_lines_of_many_accounts(applied: Organization) -> None:
    drift(applied.world, WORKLOAD)
    code, out, _ = applied.run("diff", "--json-lines")
    assert code == 2
    events = [json.loads(line) for line in out.splitlines()]
    assert [each["type"] for each in events] == ["version", "organization", *["account"] * 3, "summary"]
    drifted = [each for each in events if each["type"] == "account" and each["state"] != "in_sync"]
    assert [each["account"] for each in drifted] == [WORKLOAD]
    states = {"in_sync": 2, "drifted": 1, "changed": 0, "failed": 0, "skipped": 1}
    assert events[-1]["accounts_by_state"] == states
    code, out, _ = applied.run("diff", "--json")
    document = json.loads(out)
    assert document["plan_digest"] == events[-1]["plan_digest"]
    assert [each["account"] for each in document["accounts"]] == [ARCHIVE, MANAGEMENT, WORKLOAD]


def test_expect_plan_covers_all_accounts(applied: Organization) -> None:
    drift(applied.world, WORKLOAD)
    _, out, _ = applied.run("diff")
    digest = out.splitlines()[-1].removeprefix("plan ")
    drift(applied.world, ARCHIVE)
    code, _, err = applied.run("apply", "--expect-plan", digest)
    assert (code, "not the one that was reviewed" in err) == (1, True)
    code, _, err = applied.run("apply", "--expect-plan", digest, "--not-accounts", ARCHIVE)
    assert code == 0, err


def test_a_failed_account_exits_3_and_is_resumed(applied: Organization) -> None:
    drift(applied.world, WORKLOAD)
    lift = applied.world.deny("iam", "GetAccountPasswordPolicy", account=ARCHIVE)
    code, out, err = applied.run("apply", "--yes")
    assert code == 3
    assert "Apply incomplete. Resources: 0 added, 1 changed" in out
    assert re.search(r"password_policy .*111122223333", err, re.DOTALL)
    assert "AccessDenied" in err
    lift()
    before = len(applied.world.calls)
    code, out, err = applied.run("apply", "--yes", "--resume")
    assert code == 0, err
    assert "2 succeeded last time" in err
    asked = {call.account for call in applied.world.calls[before:] if call.service == "config"}
    assert asked == {ARCHIVE}, "only what did not succeed"


def test_resume_without_a_record_is_an_error(organization: Organization) -> None:
    code, _, err = organization.run("diff", "--resume")
    assert (code, "--resume: the last `diff` was of another file, or with other flags" in err) == (1, True)


def test_resume_with_nothing_left_says_so(applied: Organization) -> None:
    applied.run("diff")
    code, out, err = applied.run("diff", "--resume")
    assert code == 0
    assert (
        "3 succeeded last time\nnothing is left to resume; leave `--resume` out to run on all accounts again\n"
        in err
    )
    assert "No changes." in out
    assert applied.run("diff", "--resume", "--not-accounts", "workload")[0] == 1


FLAGS = [
    (("--accounts", WORKLOAD), {WORKLOAD}),
    (("--accounts", "workload,log-archive"), {WORKLOAD, ARCHIVE}),
    (("--not-accounts", "management"), {WORKLOAD, ARCHIVE}),
    (("--ou", "Workloads"), {WORKLOAD}),
]


@pytest.mark.parametrize(("flags", "expected"), FLAGS)
def test_flags_narrow_the_run(organization: Organization, flags: tuple[str, ...], expected: set[str]) -> None:
    code, _, err = organization.run("diff", *flags, "--regions", "eu-west-1")
    assert code == 2, err
    config = [call for call in organization.world.calls if call.operation == "DescribeConfigurationRecorders"]
    assert {call.account for call in config} == expected
    assert {call.region for call in config} == {"eu-west-1"}


UNIT = "the organization has no such unit"
REFUSED = [
    (("--accounts", "nobody"), "--accounts nobody: none of the 3 accounts"),
    (("--accounts", "Workload"), "did you mean 'workload'?"),
    (("--accounts", "closed"), "--accounts: none of the file's accounts is left; 777788889999"),
    (
        ("--ou", "Workloads", "--not-accounts", "workload"),
        "--not-accounts and --ou: none of the file's accounts",
    ),
    (("--accounts", ""), "'--accounts': one of them is empty in ''"),
    (("--not-accounts", "workload,"), "'--not-accounts': one of them is empty in 'workload,'"),
    (("--ou", "Wrokloads"), f"--ou Wrokloads: {UNIT}; did you mean 'Workloads'?"),
    (("--regions", "eu-west-3"), "--regions eu-west-3: not among the `regions`"),
    (("--regions", "all"), "--regions all: without the flag, the run covers all Regions of the file"),
    (("--json", "--json-lines"), "--json and --json-lines: one document, or a line for each account"),
    (("--processes", "2", "--scheduler", "tcp://127.0.0.1:1"), "give one of them"),
    (("--sandbox", "--processes", "2"), "--sandbox works in one process"),
    (("--scheduler", "nowhere"), "--scheduler: the Dask scheduler `nowhere` cannot be reached"),
]


@pytest.mark.parametrize(("flags", "text"), REFUSED)
def test_wrong_flags_are_refused(organization: Organization, flags: tuple[str, ...], text: str) -> None:
    code, out, err = organization.run("diff", *flags)
    assert code == 1
    assert text in err
    assert text in out if "--json" in flags else not out
    assert "Traceback" not in err


@pytest.mark.parametrize("flags", [("--accounts", WORKLOAD), ("--resume",), ("--processes", "2")])
def test_flags_for_many_accounts_need_accounts_in_the_file(
    organization: Organization, flags: tuple[str, ...]
) -> None:
    organization.file.write_text(EXAMPLE)
    code, _, err = organization.run("diff", *flags)
    assert (code, f"{flags[0]}: {organization.file} is for one account: add `accounts:" in err) == (1, True)


LINE = EXAMPLE.count("\n") + 1  # the line after the example
MISTAKES = [
    (
        "accounts: {organizational_units: [Wrokloads]}",
        f":{LINE}:35: accounts.organizational_units[0]: {UNIT}; did you mean 'Workloads'?\n    accounts: {{org",
    ),
    ("accounts: {tags: {no: such}}", f":{LINE}:11: accounts: the organization has none of these"),
    (
        "regions: all\naccounts: {all: true}",
        "--regions us-est-1: there is no Region `us-est-1`; did you mean `us-west-1`?",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes_found_by_asking_aws_have_a_place_in_the_file(
    organization: Organization, text: str, message: str
) -> None:
    flags = ("--regions", "us-est-1") if "regions:" in text else ()
    head = EXAMPLE.replace("regions: [us-east-1]", "#") if flags else EXAMPLE
    organization.file.write_text(f"{head}{text}\n")
    code, out, err = organization.run("diff", *flags)
    assert (code, out) == (1, "")
    assert message in err


def test_verify_names_account_and_region_of_what_does_not_work(applied: Organization) -> None:
    from moto.config.models import config_backends

    config_backends[WORKLOAD]["eu-west-1"].stop_configuration_recorder("default")
    code, out, err = applied.run("verify")
    assert code == 2, err
    assert re.search(r"config_recorder  444455556666 \(workload\) eu-west-1\n.*FAIL", out)
    assert "2 accounts in sync, 1 drifted" in out


def test_the_first_ctrl_c_finishes_accounts_in_flight(organization: Organization) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def hold(call: WireCall, phase: str) -> Fault | None:
        if call.operation == "GetAccountPasswordPolicy" and phase == "before":
            reached.set()
            organization.world._lock.release()  # others are answered meanwhile
            go_on.wait(20)
            organization.world._lock.acquire()
        return None

    lift = organization.world.interrupt(hold)
    process = organization.begin("diff")
    assert reached.wait(30)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    for line in process.stderr:
        if "the accounts in flight are finished first" in line:
            break
    go_on.set()
    out, err = process.communicate(timeout=60)
    lift()
    assert process.returncode == 130, err
    assert "3 accounts drifted" in out


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_apply_is_resumed(organization: Organization, seed: int) -> None:
    world = organization.world
    place = random.Random(seed).randrange(2, 50)
    killed = threading.Event()
    processes: list[subprocess.Popen[str]] = []

    def kill(call: WireCall, phase: str) -> None:
        if call.writes and phase == "after" and len(world.writes) >= place and not killed.is_set():
            killed.set()
            processes[0].kill()
            processes[0].wait(20)

    lift = world.interrupt(kill)
    processes.append(organization.begin("apply", "--yes"))
    out, err = processes[0].communicate(timeout=120)
    lift()
    assert killed.is_set(), err
    assert processes[0].returncode == -signal.SIGKILL
    code, out, err = organization.run("apply", "--yes", "--resume")
    assert code == 0, err
    made: Counter[Any] = Counter(
        (call.account, call.region, call.operation, json.dumps(call.params, sort_keys=True, default=str))
        for call in world.writes
        if call.code is None
    )
    assert max(made.values()) == 1, "nothing is done twice"
    before = len(world.writes)
    code, out, err = organization.run("apply", "--yes")
    assert (code, "No changes." in out, len(world.writes)) == (0, True, before), err


def test_a_repair_that_was_cut_short_is_gone_on_with(
    applied: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run looks first at the accounts that the one before has not done."""
    monkeypatch.setenv("XDG_STATE_HOME", str(applied.folder))
    assert applied.run("repair")[0] == 0
    [record] = (applied.folder / "provision" / "runs").glob("*-repair.jsonl")
    first, *done = record.read_text().splitlines(keepends=True)
    record.write_text("".join([first, *(each for each in done if WORKLOAD not in each)]))  # killed before it
    monkeypatch.setattr(open_work, "FEW", 1)  # accounts at a time
    applied.world.calls.clear()
    assert applied.run("repair")[0] == 0
    read = [x.account for x in applied.world.calls if x.operation == "GetAccountPasswordPolicy"]
    assert list(dict.fromkeys(read)) == [WORKLOAD, ARCHIVE, MANAGEMENT]


def test_changes_of_other_processes_are_printed_and_logged(applied: Organization) -> None:
    drift(applied.world, WORKLOAD, ARCHIVE)
    log = applied.folder / "log.jsonl"
    code, out, err = applied.run_process(
        "apply", "--yes", "--processes", "2", "--unfold", "--log-file", str(log)
    )
    assert code == 0, err
    assert "0 added, 2 changed, 0 destroyed. AWS shows what was asked. 1 account in sync, 2 changed" in out
    assert err.count("iam:UpdateAccountPasswordPolicy") == 2
    events = [json.loads(line) for line in log.read_text().splitlines()]
    changed = [each for each in events if each["event"] == "changed"]
    assert {each["account"] for each in changed} == {WORKLOAD, ARCHIVE}
    assert all(each["request_id"] for each in changed)
    assert applied.run_process("diff", "--processes", "2")[0] == 0


def test_apply_prints_a_line_for_each_account(organization: Organization) -> None:
    code, _, err = organization.run("apply", "--yes")
    assert code == 0
    assert re.search(r"^\[3/3\] \d{12} \([a-z-]+\)  \d+ changes$", err, re.MULTILINE)
    assert "config:PutConfigRule" not in err
    assert "cloudtrail:CreateTrail" in err, "each call of the steps that run once is printed"


def test_an_override_of_the_prefix_is_refused_before_any_call(organization: Organization) -> None:
    more = f"overrides:\n- ids: ['{WORKLOAD}']\n  config: {{delivery_channel: {{s3_key_prefix: mine}}}}\n"
    organization.file.write_text(TEXT + more)
    code, _, err = organization.run("diff")
    assert code == 1
    assert "overrides[0].config.delivery_channel.s3_key_prefix: is the same for all accounts" in err
    assert organization.world.calls == []


def test_a_missing_role_has_a_hint(applied: Organization) -> None:
    from moto.iam.models import iam_backends

    held = iam_backends[WORKLOAD]["aws"]
    role = next(each for each in held.roles.values() if each.name == "OrganizationAccountAccessRole")
    del held.roles[role.id]
    code, _, err = applied.run("diff")
    assert code == 3
    assert "is there a role of that name in the account" in " ".join(err.split())


LIMITED = f"""
organization_name: acme
home_region: us-east-1
regions: [us-east-1, eu-west-1]
accounts: {{all: true}}
access_analyzer: {{regions: [eu-west-1], tags: {{team: security}}}}
overrides:
  - ids: ["{WORKLOAD}"]
    without: [access_analyzer]
  - ids: ["{ARCHIVE}"]
    password_policy: {{minimum_password_length: 20}}
"""


def changed_places(out: str) -> set[tuple[str, str, str]]:
    """Account, Region and step of each change in a JSON document."""
    return {
        (each["account"], each["region"], each["step"])
        for account in json.loads(out)["accounts"]
        for each in account["changes"]
    }


def test_a_section_is_limited_to_accounts_and_regions(organization: Organization) -> None:
    organization.file.write_text(LIMITED)
    analyzers = {(each, "eu-west-1", "access_analyzer") for each in (MANAGEMENT, ARCHIVE)}
    code, out, _ = organization.run("apply", "--yes", "--json")
    assert (code, changed_places(out)) == (0, analyzers | {(ARCHIVE, "us-east-1", "password_policy")})

    code, out, _ = organization.run("diff", "--json", "--target", "password_policy")
    assert (code, changed_places(out)) == (0, set())
    assert organization.run("diff", "--target", "cloudtrail")[0] == 1

    off = LIMITED + "    access_analyzer: {state: disabled}\n"
    organization.file.write_text(off)
    code, out, _ = organization.run("apply", "--yes")
    assert (code, "0 destroyed" in out) == (3, True)  # not without consent
    code, out, _ = organization.run("apply", "--yes", "--allow", "delete-analyzers")
    assert (code, "1 destroyed" in out) == (0, True)
    assert organization.run("diff")[0] == 0


def test_validate_names_sections_in_overrides(organization: Organization) -> None:
    organization.file.write_text(LIMITED)
    organization.capfd.readouterr()
    assert run(["validate", str(organization.file)]) == 0
    assert "valid (access_analyzer, password_policy in `overrides`)" in organization.capfd.readouterr().out
