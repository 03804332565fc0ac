"""Tests of eventual consistency: what is waited for, for how long, and how it is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from provisioner.engine import run as running
from provisioner.model import Target
from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.world import World

from ..cli.test_commands import FILE, run_command
from ..conftest import EXAMPLE, Bench, ThreadClock
from .conftest import Switch

pytestmark = pytest.mark.usefixtures("home")

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
LOGS, CONFIG = "acme-cloudtrail-123456789012", "acme-config-123456789012"
TWO = EXAMPLE.replace("regions: [us-east-1]", "regions: [us-east-1, eu-west-1]")
WITH_ROLE = EXAMPLE.replace("config:\n  recorder:", "config:\n  role_name: recorder\n  recorder:")
# What each call of a first run waits for, in the order in which AWS propagates it, and the limit in seconds.
WAITS = {
    "put_public_access_block": [
        (f"S3 to know the new bucket {name} everywhere", 120) for name in (LOGS, CONFIG)
    ],
    "create_trail": [
        ("trusted access to take effect", 60),
        ("the new bucket to be seen by CloudTrail", 30),
        ("the bucket policy to take effect", 60),
    ],
    "start_logging": [("the new trail to be seen everywhere", 30)],
    "put_delivery_channel": [  # allowed: let into the role, and then into the bucket
        (f"AWS Config to see bucket {CONFIG}", 120),
        (f"AWS Config to be allowed to write to bucket {CONFIG}", 120),
    ],
    "start_configuration_recorder": [("AWS Config to see its delivery channel", 30)],
}


def waits_of(bench: Bench) -> dict[str, list[tuple[str, float]]]:
    """What each call waited for, each once and in order, and the limit. Waits for the rate limit are left out."""
    found: dict[str, list[tuple[str, float]]] = {}
    for each in bench.waits:
        if each.until.startswith("AWS's rate"):
            continue
        known = found.setdefault(each.operation, [])
        if (each.until, each.limit) not in known:
            known.append((each.until, each.limit))
    return found


@pytest.mark.parametrize("calls", [1, 2, 4])
def test_the_first_run_waits_for_each_propagation(bench: Bench, clock: ThreadClock, calls: int) -> None:
    bench.world.propagation = calls
    run = bench.run()
    sent = run.send(run.rehearse())
    assert [r.failure for r in sent if not r.ok] == []
    assert waits_of(bench) == WAITS
    assert all(each.waited < each.limit for each in bench.waits)
    assert len(clock.slept) == len(bench.waits), "no sleep that is not shown"
    assert max(clock.slept) <= 8
    assert run.settle(sent) == []
    assert bench.diff().changes == []


def test_each_wait_has_its_own_time(bench: Bench, clock: ThreadClock) -> None:
    bench.world.propagation = 6
    run = bench.run()
    assert [r.failure for r in run.send(run.rehearse()) if r.step == "cloudtrail"] == [None]
    for until in ("the new bucket to be seen by CloudTrail", "the bucket policy to take effect"):
        waited = [each.waited for each in bench.waits if each.until == until]
        assert waited[0] == 0
        assert waited == sorted(waited)


def test_waits_for_a_new_role_and_its_policies(bench: Bench, clock: ThreadClock) -> None:
    bench.apply(WITH_ROLE, only=("log_buckets",))
    bench.world.propagation = 3
    bench.apply(WITH_ROLE, only=("config_recorder",))
    until = f"AWS Config to be allowed to write to bucket {CONFIG}"
    assert [(w.until, w.waited, w.limit) for w in bench.waits if w.operation == "put_delivery_channel"] == [
        (until, 0, 120),
        (until, 1, 120),
        (until, 3, 120),
    ]


def test_waits_in_two_regions(bench: Bench, clock: ThreadClock) -> None:
    bench.world.propagation = 3
    bench.apply(TWO)
    waited = {w.target.region for w in bench.waits if w.operation == "start_configuration_recorder"}
    assert waited == {"us-east-1", "eu-west-1"}
    assert bench.diff(TWO).changes == []


def test_a_wait_ends_at_its_limit_with_a_hint(bench: Bench, clock: ThreadClock) -> None:
    def never(call: WireCall, phase: str) -> Fault | None:
        refused = call.operation == "PutDeliveryChannel" and phase == "before"
        return (
            Fault("InsufficientDeliveryPolicyException", 400, "unable to write to bucket")
            if refused
            else None
        )

    bench.world.interrupt(never)
    run = bench.run()
    by = {r.step: r for r in run.send(run.rehearse())}
    failure = by["config_recorder"].failure
    assert failure
    assert failure.hint == (
        f"waited 120 s for AWS Config to be allowed to write to bucket {CONFIG}, which is as long as AWS takes;"
        " AWS Config may not write to the bucket: look at its policy, the prefix, the KMS key and the role"
    )
    assert 120 <= sum(clock.slept) <= 128
    assert by["config_rules"].ok  # they need the recorder, not its channel
    assert by["cloudtrail"].ok


def test_waits_are_printed(
    capfd: Any, switch: Callable[[Switch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioner.cli.screen._INTERVAL", 0.0)
    switch(lambda world: setattr(world, "propagation", 4))
    code, out, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes")
    assert code == 0
    assert "AWS shows what was asked." in out
    lines = re.findall(r"waiting for (.*), (\d+) s of (\d+) s", err)
    assert [(until, waited, limit) for until, waited, limit in lines if "allowed to write" in until] == [
        (f"AWS Config to be allowed to write to bucket {CONFIG}", waited, "120")
        for waited in ("0", "1", "3", "7", "15", "23", "31", "39")
    ]
    assert {until for until, _, _ in lines} == {until for waits in WAITS.values() for until, _ in waits}


STALE = [(1, 0, 0), (2, 0, 0), (3, 0, 0), (2, 3, 0), (2, 0, 2), (2, 2, 2)]


@pytest.mark.parametrize(("stale", "propagation", "pages"), STALE)
def test_stale_reads_are_no_drift(
    bench: Bench, clock: ThreadClock, stale: int, propagation: int, pages: int
) -> None:
    bench.world.stale_reads, bench.world.propagation, bench.world.page_size = stale, propagation, pages
    bench.apply(TWO)
    until = {each.until for each in bench.waits if not each.operation}
    # Which resources are waited for depends on which of the reads at the same time are the first.
    assert any(each.startswith("AWS to show what was written: ") for each in until)
    assert all(each.limit == 120 for each in bench.waits if not each.operation)
    before = len(bench.world.writes)
    bench.apply(TWO)
    assert bench.diff(TWO).changes == []
    assert bench.world.writes[before:] == []


@pytest.mark.parametrize("text", [EXAMPLE, WITH_ROLE], ids=["linked role", "own role"])
@pytest.mark.parametrize("operation", ["UpdateAccountPasswordPolicy", "CreateTrail", "PutBucketPolicy"])
def test_a_lost_answer_with_stale_reads_creates_nothing_twice(
    bench: Bench, clock: ThreadClock, text: str, operation: str
) -> None:
    bench.world.stale_reads = 2
    failed_needs: list[str] = []

    def lose(call: WireCall, phase: str) -> None:
        if call.operation == operation and phase == "after" and not failed_needs:
            failed_needs.append(operation)
            raise ConnectionResetError

    bench.world.interrupt(lose)
    bench.apply(text)
    assert failed_needs
    assert len(bench.client("cloudtrail").describe_trails()["trailList"]) == 1
    assert bench.diff(text).changes == []


def test_a_run_after_one_without_reading_back(bench: Bench, clock: ThreadClock) -> None:
    bench.world.stale_reads = 2
    run = bench.run()
    run.send(run.rehearse())
    run = bench.run()
    sent = run.send(run.rehearse())
    # It may have planned from old answers; what is there already is then no error that scares.
    assert {r.failure and "run again" in r.failure.message for r in sent if r.failure} <= {True}
    bench.apply()
    assert bench.diff().changes == []


def test_reading_back_ends_after_two_minutes(bench: Bench, clock: ThreadClock) -> None:
    run = bench.run(only=("password_policy",))
    bench.world.stale_reads = 10**6
    sent = run.send(run.rehearse())
    [unseen] = run.settle(sent)
    assert unseen.changes[0].resource == "password policy"
    assert running.SETTLE == sum(clock.slept) == 120
    assert [each.until for each in bench.waits] == [
        "AWS to show what was written: password policy",
    ] * len(bench.waits)
    assert [each.target for each in bench.waits[:1]] == [Target("123456789012", "us-east-1")]
    assert bench.waits[-1].waited < 120


def test_changes_that_aws_does_not_show_are_printed(capfd: Any, switch: Callable[[Switch], None]) -> None:
    def never(world: World) -> None:
        world.stale_reads = 10**6

    switch(never)
    code, out, err = run_command(capfd, "apply", FILE, "--sandbox", "--yes", "--target", "password_policy")
    assert code == 3
    assert "AWS shows what was asked." not in out
    assert (
        "! AWS does not show yet: password_policy  123456789012 us-east-1: password policy:"
        " MinimumPasswordLength" in err
    )


def test_what_was_written_counts_as_shown_once_two_reads_in_a_row_show_it(
    bench: Bench, clock: ThreadClock
) -> None:
    """Old, new, old: one read that shows it proves nothing."""
    bench.world.stale_reads, bench.world.flapping = 7, True
    bench.apply()
    bench.world.stale_reads = 0
    assert bench.diff().changes == []


def put_lifecycle(bench: Bench, days: int) -> None:
    """Let somebody else set the lifecycle rules of the bucket of the trail, with this number of days."""
    s3 = bench.client("s3")
    answer = s3.get_bucket_lifecycle_configuration(Bucket=LOGS)
    answer.pop("ResponseMetadata")
    for rule in (rules := answer.pop("Rules")):
        if "Expiration" in rule and "Days" in rule["Expiration"]:
            rule["Expiration"] = {"Days": days}
    s3.put_bucket_lifecycle_configuration(Bucket=LOGS, LifecycleConfiguration={"Rules": rules}, **answer)


def lifecycle_days(bench: Bench) -> int:
    rules = bench.client("s3").get_bucket_lifecycle_configuration(Bucket=LOGS)["Rules"]
    return int(next(r["Expiration"]["Days"] for r in rules if "Days" in r.get("Expiration", {})))


def test_lifecycle_rules_that_s3_shows_now_and_then_are_no_drift(bench: Bench, clock: ThreadClock) -> None:
    bench.apply()
    want = lifecycle_days(bench)
    put_lifecycle(bench, 100)
    assert [c.call.operation for _, c in bench.diff().changes] == ["put_bucket_lifecycle_configuration"]
    bench.world.stale_reads, bench.world.flapping = 10**6, True
    put_lifecycle(bench, want)
    for _ in range(3):
        plan = bench.diff()
        assert plan.changes == []
        assert [str(r.failure) for r in plan.results if not r.ok] == []


def test_lifecycle_rules_on_which_s3_does_not_agree_are_a_failure(bench: Bench, clock: ThreadClock) -> None:
    bench.apply()
    put_lifecycle(bench, 100)
    bench.world.stale_reads, bench.world.flapping = 10**6, True
    put_lifecycle(bench, 200)
    plan = bench.diff()
    assert plan.changes == []
    assert ["now with one value" in str(r.failure) for r in plan.results if not r.ok] == [True]
    assert 180 <= sum(clock.slept) < 240


@pytest.mark.parametrize("message", ["Invalid principal in policy", "Policy has invalid resource", "no"])
def test_a_bucket_policy_with_a_new_principal_is_waited_for_whatever_s3_says(
    bench: Bench, clock: ThreadClock, message: str
) -> None:
    bench.apply()
    role = bench.client("iam").create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST))[
        "Role"
    ]
    statement = {
        "sid": "Auditor",
        "effect": "Allow",
        "principal": {"aws": role["Arn"]},
        "action": "s3:GetObject",
        "resource": f"arn:aws:s3:::{LOGS}/*",
    }
    text = EXAMPLE.replace(
        "    lifecycle_rules: &archive",
        f"    policy_statements: [{json.dumps(statement)}]\n    lifecycle_rules: &archive",
    )
    left = [1, 2, 3]

    def malformed(call: WireCall, phase: str) -> Fault | None:
        refused = call.operation == "PutBucketPolicy" and phase == "before" and bool(left)
        return Fault("MalformedPolicy", 400, message) if refused and left.pop() else None

    bench.world.interrupt(malformed)
    bench.apply(text)
    assert left == []
    assert "S3 to know the new principal of the bucket policy" in {each.until for each in bench.waits}


def test_a_bucket_policy_without_a_new_principal_is_not_waited_for(bench: Bench, clock: ThreadClock) -> None:
    def malformed(call: WireCall, phase: str) -> Fault | None:
        refused = call.operation == "PutBucketPolicy" and phase == "before"
        return Fault("MalformedPolicy", 400, "Policy has invalid resource") if refused else None

    bench.world.interrupt(malformed)
    run = bench.run(only=("log_buckets",))
    [result] = run.send(run.rehearse())
    assert {each.code for each in result.failures} == {"MalformedPolicy"}
    assert clock.slept == []


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("StartConfigurationRecorder", "NoSuchConfigurationRecorderException"),
        ("StartConfigurationRecorder", "NoAvailableDeliveryChannelException"),
        ("PutObjectLockConfiguration", "InvalidBucketState"),
    ],
)
def test_what_aws_does_not_see_yet_is_waited_for(bench: Bench, operation: str, code: str) -> None:
    lock = "    object_lock: {mode: GOVERNANCE, days: 30}\n"
    text = f"log_buckets:\n  logs:\n    name: acme-logs-1\n{lock}  config: {{name: acme-config-1}}\n"
    text += "config: {delivery_channel: {s3_bucket_name: config}}\n"
    bench.client("s3").create_bucket(Bucket="acme-logs-1")
    left = [Fault(code, 400)] * 3
    bench.world.interrupt(
        lambda call, phase: left.pop() if left and phase == "before" and call.operation == operation else None
    )
    bench.apply(text)
    assert left == []
    assert bench.diff(text).changes == []
