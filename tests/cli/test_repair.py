"""Tests of `repair`, `pause`, `resume`, `history` and `undo`, through the command line and the sandbox."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from provisioner.aws.cloud import Cloud
from provisioner.cli.lock import locked
from provisioner.cli.options import CommandOptions
from provisioner.cli.repair import repeat
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving

from .test_commands import run_command

pytestmark = pytest.mark.usefixtures("home")

POLICY = "password_policy:\n  minimum_password_length: 14\n  password_reuse_prevention: 12\n"
HEAD = "organization_name: acme\nhome_region: us-east-1\n"
TRAIL = """
log_buckets: {logs: {name: "acme-logs-${account_id}", versioning: {status: Enabled}}}
cloudtrail: {name: main, s3_bucket_name: logs, is_multi_region_trail: true}
"""

Command = Callable[..., tuple[int, str, str]]


@contextmanager
def administrator(home: Path, service: str) -> Iterator[Any]:
    """A client of a user who breaks things in the sandbox."""
    with open_sandbox(home / "state" / "provision" / "sandbox" / "state"):
        yield botocore.session.get_session().create_client(service, region_name="us-east-1")


def weaken(home: Path, length: int = 6, reuse: int = 12) -> None:
    with administrator(home, "iam") as iam:
        iam.update_account_password_policy(MinimumPasswordLength=length, PasswordReusePrevention=reuse)


def stop_logging(home: Path) -> None:
    with administrator(home, "cloudtrail") as cloudtrail:
        cloudtrail.stop_logging(Name="main")


@pytest.fixture
def command(capfd: Any, home: Path) -> Command:
    """Run a command on the file with these sections, over the sandbox."""

    def call(name: str, *arguments: str, text: str = POLICY) -> tuple[int, str, str]:
        file = home / "baseline.yaml"
        file.write_text(HEAD + text)
        if name == "history":
            return run_command(capfd, name, "--sandbox", *arguments)
        before = arguments[:1] if name == "undo" else ()
        return run_command(capfd, name, *before, str(file), "--sandbox", *arguments[len(before) :])

    return call


def records(command: Command, kind: str = "drift") -> list[dict[str, Any]]:
    """The records of the runs of `repair`."""
    every = [json.loads(line) for line in command("history", "--json")[1].splitlines()]
    ours = {each["run"] for each in every if each.get("command") == "repair"}
    return [each for each in every if each["type"] == kind and each["run"] in ours]


def test_what_was_broken_is_repaired_and_told_with_who_did_it(command: Command, home: Path) -> None:
    command("apply", "--yes")
    assert command("repair") == (0, "", "")
    weaken(home)
    code, out, _ = command("repair")
    assert code == 0
    repaired, who = out.splitlines()
    assert repaired.endswith(
        "password policy: MinimumPasswordLength 6 → 14 (iam:UpdateAccountPasswordPolicy)"
    )
    assert "changed by arn:aws:iam::123456789012:user/sandbox from 127.0.0.1" in who
    assert command("diff")[0] == 0
    [drift] = records(command)
    assert (drift["state"], drift["repairs"], drift["contested"]) == ("repaired", 1, False)
    assert drift["who"]["event"] == "UpdateAccountPasswordPolicy"


def test_detect_only_changes_nothing(command: Command, home: Path) -> None:
    command("apply", "--yes")
    weaken(home)
    code, out, _ = command("repair", "--detect-only")
    assert (code, "Plan: 0 to add, 1 to change" in out) == (2, True)
    assert command("diff")[0] == 2
    assert [each["state"] for each in records(command)] == ["drifted"]


def test_a_run_beside_another_one_is_skipped_and_says_so(command: Command, home: Path) -> None:
    with locked(home / "state" / "provision" / "sandbox" / "apply.lock", 0):
        code, out, err = command("repair")
    assert (code, out) == (0, "")
    assert "skipped: another run is in progress" in err


# --- what the file says about drift ---


@pytest.mark.parametrize(
    ("mode", "code", "told"), [("enforce", 0, False), ("alert", 2, True), ("ignore", 0, False)]
)
def test_the_mode_of_a_section(command: Command, home: Path, mode: str, code: int, told: bool) -> None:
    text = f"{POLICY}  mode: {mode}\n"
    command("apply", "--yes")
    weaken(home)
    found, out, _ = command("repair", text=text)
    assert (found, "only told, not made: the file says `mode: alert`" in out) == (code, told)
    assert command("diff", text=text)[0] == code
    assert command("apply", "--yes", text=text)[0] == code
    assert command("diff")[0] == (0 if mode == "enforce" else 2)


def exception(days: int, field: str = "MinimumPasswordLength") -> str:
    expires = datetime.now(UTC).date() + timedelta(days)
    return (
        "exceptions:\n  - {address: 'password_policy/*', reason: a migration, owner: Ann,"
        f" field: {field}, expires: {expires}}}\n"
    )


def test_an_exception_keeps_its_field_and_nothing_else_as_it_is(command: Command, home: Path) -> None:
    command("apply", "--yes")
    weaken(home, length=6, reuse=3)
    code, out, _ = command("repair", text=POLICY + exception(30))
    assert code == 0
    assert "PasswordReusePrevention 3 → 12" in out
    assert "MinimumPasswordLength" not in out
    code, _, err = command("diff", text=POLICY + exception(30))
    assert code == 0
    assert re.search(
        "accepted: password policy: MinimumPasswordLength: accepted until .* by Ann: a migration", err
    )
    assert "MinimumPasswordLength  6 → 14" in command("diff")[1]


def test_an_exception_for_one_statement_of_a_policy(command: Command, home: Path) -> None:
    kept = (
        "exceptions:\n  - {address: 'log_buckets/bucket *', field: '*DenyInsecureTransport*', reason: old agents,"
        " owner: Ann, expires: 2999-01-01}\n"
    )
    command("apply", "--yes", text=TRAIL)
    with administrator(home, "s3") as s3:
        s3.delete_bucket_policy(Bucket="acme-logs-123456789012")
    assert command("repair", text=TRAIL + kept)[0] == 0
    with administrator(home, "s3") as s3:
        policy = json.loads(s3.get_bucket_policy(Bucket="acme-logs-123456789012")["Policy"])
    sids = {each["Sid"] for each in policy["Statement"]}
    assert (len(sids), "DenyInsecureTransportProvision" in sids) == (2, False)
    assert command("diff", text=TRAIL + kept)[0] == 0
    assert "DenyInsecureTransport" in command("diff", text=TRAIL)[1]


def test_an_exception_that_has_expired_is_told_in_every_run_and_does_not_count(
    command: Command, home: Path
) -> None:
    command("apply", "--yes")
    weaken(home)
    text = POLICY + exception(0)
    for name, arguments in (("diff", ("-q",)), ("verify", ()), ("repair", ())):
        assert (
            "the exception for password_policy/*: MinimumPasswordLength expired"
            in command(name, *arguments, text=text)[2]
        )
    assert command("diff")[0] == 0


@pytest.mark.parametrize("stop", [False, True])
def test_what_comes_back_again_and_again_is_contested(command: Command, home: Path, stop: bool) -> None:
    text = f"{POLICY}  when_contested: stop\n" if stop else POLICY
    command("apply", "--yes")
    for _ in range(3):
        weaken(home)
        code, out, _ = command("repair", text=text)
        assert code == 0
    assert "contested: repaired 3 times in a day" in out
    weaken(home)
    code, out, _ = command("repair", text=text)
    assert code == (2 if stop else 0)
    assert (
        "not made: contested: repaired 3 times in a day, and arn:aws:iam::123456789012:user/sandbox" in out
    ) == stop
    # Another field of the same resource is not contested.
    weaken(home, length=14, reuse=3)
    assert "PasswordReusePrevention 3 → 12" in command("repair", text=text)[1]


# --- pause ---


def test_a_pause_holds_all_but_what_aws_needs_to_record(command: Command, home: Path) -> None:
    text = POLICY + TRAIL
    command("apply", "--yes", text=text)
    assert command("pause", "--reason", "INC-1", "--until", "2h", text=text)[0] == 0
    for name in ("diff", "verify", "apply"):
        assert "repairs are paused until" in command(name, text=text)[2], name
    weaken(home)
    stop_logging(home)
    with administrator(home, "s3") as s3:
        s3.delete_bucket_policy(Bucket="acme-logs-123456789012")
        s3.put_bucket_versioning(
            Bucket="acme-logs-123456789012", VersioningConfiguration={"Status": "Suspended"}
        )
    code, out, err = command("repair", text=text)
    assert code == 2
    assert "repairs are paused until" in err
    assert "logging false → true" in out
    assert "s3:PutBucketPolicy)" in out
    assert out.count("only told, not made: repairs are paused until") == 2
    assert {(each["address"]["step"], each["state"]) for each in records(command)} >= {
        ("password_policy", "held"),
        ("cloudtrail", "repaired"),
    }
    assert command("resume", text=text)[0] == 0
    assert command("repair", text=text)[0] == 0
    assert command("diff", text=text)[0] == 0


def delete_the_trail(cloudtrail: Any) -> None:
    cloudtrail.delete_trail(Name="main")


def record_one_region(cloudtrail: Any) -> None:
    cloudtrail.update_trail(Name="main", IsMultiRegionTrail=False)


def record_no_global_events(cloudtrail: Any) -> None:
    cloudtrail.update_trail(Name="main", IsMultiRegionTrail=False, IncludeGlobalServiceEvents=False)


def record_reads_only(cloudtrail: Any) -> None:
    reads = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
    cloudtrail.put_event_selectors(TrailName="main", EventSelectors=[reads])


NARROWER = [delete_the_trail, record_one_region, record_no_global_events, record_reads_only]


@pytest.mark.parametrize("narrow", NARROWER)
def test_a_pause_does_not_narrow_what_is_recorded(
    command: Command, home: Path, narrow: Callable[[Any], None]
) -> None:
    selectors = "event_selectors: [{read_write_type: All}]"
    text = TRAIL.replace("is_multi_region_trail: true", f"is_multi_region_trail: true, {selectors}")
    assert command("apply", "--yes", text=text)[0] == 0
    assert command("pause", "--reason", "INC-1", "--until", "2h", text=text)[0] == 0
    with administrator(home, "cloudtrail") as cloudtrail:
        narrow(cloudtrail)
    assert command("diff", text=text)[0] == 2
    command("repair", text=text)
    assert command("diff", text=text)[0] == 0


def test_recording_is_paused_only_by_name(command: Command, home: Path) -> None:
    command("apply", "--yes", text=TRAIL)
    pause = ("pause", "--reason", "moving", "--until", "1d", "--target", "cloudtrail")
    assert command(*pause, text=TRAIL)[0] == 0
    stop_logging(home)
    code, out, _ = command("repair", text=TRAIL)
    assert (code, "only told, not made" in out) == (2, True)


NO_PAUSE = [
    "no JSON",
    "[]",
    "{}",
    json.dumps({"until": "2999-01-01T00:00:00+00:00", "reason": "r", "by": "b"}),
    json.dumps({"until": "2020-01-01T00:00:00+00:00", "reason": "r", "by": "b"}),
    json.dumps({"until": 5, "reason": "r", "by": "b"}),
]


@pytest.mark.parametrize("value", NO_PAUSE)
def test_a_parameter_that_is_no_pause_pauses_nothing(command: Command, home: Path, value: str) -> None:
    command("apply", "--yes")
    weaken(home)
    with administrator(home, "ssm") as ssm:
        ssm.put_parameter(Name="/provision/pause", Value=value, Type="String")
    assert command("repair")[0] == 0
    assert command("diff")[0] == 0


def test_a_pause_that_is_renewed_shows_since_when_repairs_have_been_paused(
    command: Command, home: Path
) -> None:
    """Seven days are the most for one pause, and nothing keeps it from being renewed: so each renewal is told."""
    pause = ("pause", "--reason", "INC-1", "--until", "7d")
    assert "renews" not in command(*pause)[2]
    assert "they have been paused since" not in command("repair")[2]
    [first] = records(command, "run_ended")
    assert "this renews a pause, which everybody is told: repairs are paused until" in command(*pause)[2]
    shown = command("repair")[2]
    assert "INC-1 (renewed 1 time)" in shown
    last = records(command, "run_ended")[-1]
    assert last["paused_since"] == first["paused_since"] <= first["time"]
    with administrator(home, "ssm") as ssm:  # the same by hand, so that no version tells it
        kept = ssm.get_parameter(Name="/provision/pause")["Parameter"]
        while True:  # until a second later, which is as exact as the time in the journal
            ssm.delete_parameter(Name="/provision/pause")
            ssm.put_parameter(Name="/provision/pause", Value=kept["Value"], Type="String")
            new = ssm.get_parameter(Name="/provision/pause")["Parameter"]
            if new["LastModifiedDate"] - kept["LastModifiedDate"] >= timedelta(seconds=1):
                break
    shown = command("repair")[2]
    assert ("renewed" in shown, f"they have been paused since {first['paused_since']}" in shown) == (
        False,
        True,
    )
    command("resume")
    command("repair")
    assert records(command, "run_ended")[-1]["paused_since"] == ""


@pytest.mark.parametrize("until", ["8d", "0h", "soon", "2020-01-01", "999999999999d", "-1h"])
def test_a_pause_lasts_seven_days_at_most(command: Command, until: str) -> None:
    code, _, err = command("pause", "--reason", "r", "--until", until)
    assert (code, f"--until {until}" in err) == (1, True)


# --- history and undo ---


def test_undo_puts_back_what_a_run_changed_if_it_is_still_so(command: Command, home: Path) -> None:
    command("apply", "--yes")
    weaken(home)
    command("repair")
    run = records(command, "call")[-1]["run"]
    assert f"run {run}  repair of" in command("history")[1]
    code, out, _ = command("undo", run, "--yes")
    assert (code, "needs --allow undo" in out) == (2, True)
    assert command("diff")[0] == 0
    code, out, _ = command("undo", run, "--yes", "--allow", "undo")
    assert (code, "MinimumPasswordLength 14 → 6" in out) == (0, True)
    shown = command("history")[1]
    assert ("exit 0: 1 change put back" in shown, "did not end" in shown) == (True, False)
    assert "Nothing to undo." in command("undo", run, "--yes", "--allow", "undo")[1]
    weaken(home, length=8)
    code, out, err = command("undo", run, "--yes", "--allow", "undo")
    assert (code, "Nothing to undo." in out, "changed since, and left alone" in err) == (0, True, True)
    assert command("undo", "none", "--yes")[0] == 1


def test_undo_names_what_a_run_has_made_and_how_it_is_deleted_by_hand(command: Command, home: Path) -> None:
    command("apply", "--yes", text=TRAIL)
    with administrator(home, "cloudtrail") as cloudtrail:
        cloudtrail.delete_trail(Name="main")
    command("repair", text=TRAIL)
    run = records(command, "call")[-1]["run"]
    code, out, err = command("undo", run, "--yes", "--allow", "undo", text=TRAIL)
    assert (code, "Nothing to undo." in out) == (0, True)
    assert "trail main: was created by the run on " in err
    assert (
        "delete it by hand, with what it contains: cloudtrail:DeleteTrail with Name main in us-east-1" in err
    )
    with administrator(home, "cloudtrail") as cloudtrail:
        assert [each["Name"] for each in cloudtrail.describe_trails()["trailList"]] == ["main"]
        cloudtrail.delete_trail(Name="main")
    assert "by hand" not in command("undo", run, "--yes", "--allow", "undo", text=TRAIL)[2]


def test_undo_puts_nothing_back_that_it_cannot_read(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("apply", "--yes")
    weaken(home)
    command("repair")
    run = records(command, "call")[-1]["run"]
    read = Cloud.read

    def deny(cloud: Cloud, target: Any, service: str, region: str, operation: str, *more: Any) -> Any:
        if operation == "get_account_password_policy":
            raise OSError("denied")
        return read(cloud, target, service, region, operation, *more)

    monkeypatch.setattr(Cloud, "read", deny)
    code, out, err = command("undo", run, "--yes", "--allow", "undo")
    assert (code, out, "nothing is put back where not all could be read" in err) == (3, "", True)


def test_history_is_filtered(command: Command, home: Path) -> None:
    command("apply", "--yes")
    weaken(home)
    command("repair")
    run = records(command)[-1]["run"]
    for flags, shown in {
        ("--run", run): True,
        ("--run", "other"): False,
        ("--step", "password_policy"): True,
        ("--account", "111122223333"): False,
        ("--since", "1h"): True,
    }.items():
        assert ("MinimumPasswordLength" in command("history", *flags)[1]) == shown, flags


def test_a_repair_goes_on_where_the_journal_cannot_be_written(command: Command, home: Path) -> None:
    command("apply", "--yes")
    weaken(home)
    journal = home / "state" / "provision" / "sandbox" / "journal"
    for each in journal.iterdir():
        each.unlink()
    journal.rmdir()
    journal.write_text("a file where the folder should be")
    code, _, err = command("repair")
    assert (code, "the journal is incomplete" in err) == (0, True)
    assert command("diff")[0] == 0


# --- --every ---


def test_every_goes_on_until_a_signal_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter([0, 2])

    def once(_: CommandOptions) -> int:
        try:
            return next(codes)
        except StopIteration:
            raise KeyboardInterrupt from None

    gc.freeze()  # each run ends with a collection, which looks through all that earlier tests have left
    assert repeat(CommandOptions("repair", every=1e-9), once) == 2
    gc.unfreeze()
    assert repeat(CommandOptions("repair"), lambda _: 3) == 3


def test_an_actor_that_is_not_known_yet_is_found_by_a_later_run(
    capfd: Any, home: Path, credentials: None
) -> None:
    file, journal = home / "baseline.yaml", home / "state" / "provision" / "journal"
    file.write_text(HEAD + POLICY)
    with open_sandbox(None) as world, serving(world) as server:
        url = ("--endpoint-url", server.url)
        run_command(capfd, "apply", str(file), "--yes", *url)
        iam = botocore.session.get_session().create_client("iam", "us-east-1", endpoint_url=server.url)
        iam.update_account_password_policy(MinimumPasswordLength=6, PasswordReusePrevention=12)
        world.set(event_delay=300.0)
        run_command(capfd, "repair", str(file), *url)
        world.set(event_delay=0.0)
        for _ in range(2):
            run_command(capfd, "repair", str(file), *url)
    found = [json.loads(line) for each in journal.iterdir() for line in each.read_text().splitlines()]
    assert [each["who_pending"] for each in found if each["type"] == "drift"][-1:] == [True]
    assert [each["who"]["event"] for each in found if each["type"] == "attributed"] == [
        "UpdateAccountPasswordPolicy"
    ]


def test_each_change_of_a_resource_is_attributed_by_itself(capfd: Any, home: Path, credentials: None) -> None:
    file, journal = home / "baseline.yaml", home / "state" / "provision" / "journal"
    file.write_text(HEAD + TRAIL)
    with open_sandbox(None) as world, serving(world) as server:
        url = ("--endpoint-url", server.url)
        run_command(capfd, "apply", str(file), "--yes", *url)
        session = botocore.session.get_session()
        iam = session.create_client("iam", "us-east-1", endpoint_url=server.url)

        def trail_of(name: str) -> Any:
            iam.create_user(UserName=name)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            return session.create_client(
                "cloudtrail",
                "us-east-1",
                endpoint_url=server.url,
                aws_access_key_id=key["AccessKeyId"],
                aws_secret_access_key=key["SecretAccessKey"],
            )

        alice, bob = trail_of("alice"), trail_of("bob")
        world.set(event_delay=300.0)
        alice.stop_logging(Name="main")
        bob.update_trail(Name="main", IsMultiRegionTrail=False)
        run_command(capfd, "repair", str(file), *url)
        world.set(event_delay=0.0)
        run_command(capfd, "repair", str(file), *url)
    shown = run_command(capfd, "history")[1]
    found = [json.loads(line) for each in journal.iterdir() for line in each.read_text().splitlines()]
    who = {each["who"]["event"]: each["who"]["name"] for each in found if each["type"] == "attributed"}
    users = "arn:aws:iam::123456789012:user/"
    assert who == {"StopLogging": f"{users}alice", "UpdateTrail": f"{users}bob"}
    assert all(f"by {who[each]}, {each}" in shown for each in who)


BUCKET = "journal: {s3_bucket_name: acme-journal}\n"


def test_a_run_on_another_machine_is_known_from_the_bucket(command: Command, home: Path) -> None:
    with administrator(home, "s3") as s3:
        s3.create_bucket(Bucket="acme-journal")
    file = ("--file", str(home / "baseline.yaml"))
    assert command("apply", "--yes", text=BUCKET + POLICY)[0] == 0
    weaken(home)
    assert command("repair", text=BUCKET + POLICY)[2] == ""
    [run] = {each["run"] for each in records(command)}
    for path in (home / "state" / "provision" / "sandbox" / "journal").glob("*.jsonl"):
        path.unlink()
    assert "MinimumPasswordLength" not in command("history")[1]
    assert "MinimumPasswordLength 6 → 14" in command("history", *file, text=BUCKET + POLICY)[1]
    code, out, _ = command("undo", run, "--yes", "--allow", "undo", text=BUCKET + POLICY)
    assert (code, "MinimumPasswordLength 14 → 6" in out) == (0, True)


def test_a_bucket_that_cannot_be_used_is_told_and_stops_nothing(command: Command, home: Path) -> None:
    weaken(home)
    code, _, err = command("repair", text=BUCKET + POLICY)
    assert (code, "the journal is incomplete: s3://acme-journal: NoSuchBucket" in err) == (2, True)
    assert "does not exist in us-east-1: make it, or correct `journal.s3_bucket_name`" in err
    assert command("diff")[0] == 0
    code, _, err = command("history", "--file", str(home / "baseline.yaml"), text=BUCKET + POLICY)
    assert (code, "s3://acme-journal: NoSuchBucket" in err) == (1, True)


def test_what_a_killed_run_was_about_to_change_is_in_the_history(command: Command, home: Path) -> None:
    command("apply", "--yes")
    weaken(home)
    command("repair")
    [journal] = (home / "state" / "provision" / "sandbox" / "journal").glob("*.jsonl")
    run = records(command)[-1]["run"]
    lines = journal.read_text().splitlines(keepends=True)
    kept = [x for x in lines if run not in x or json.loads(x)["type"] in {"run_started", "planned"}]
    journal.write_text("".join(kept))  # killed between AWS's effect and the record of it
    out = command("history", "--run", run)[1]
    assert "MinimumPasswordLength: perhaps changed with iam:UpdateAccountPasswordPolicy" in out
    assert "did not end" in out
