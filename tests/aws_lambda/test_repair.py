"""Tests of the Lambda function's repair: by the timer, by events, and by events that others have made up."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.aws_lambda import deployment, handler
from provisioner.aws_lambda.cloudtrail_event import find_steps, parse_call
from provisioner.aws_lambda.repair import parse_repair
from provisioner.model import Refused
from provisioner.repair import run
from provisioner.repair.watched import WatchedStep
from provisioner.sandbox import WireCall
from provisioner.sandbox.world import World

from ..conftest import EXAMPLE
from .conftest import PLENTY, WITH_RULE, WORKLOAD, Time, rule_after_recorders

OWN = "123456789012"
ONE = EXAMPLE.replace("is_organization_trail: true", "is_organization_trail: false")


def event(name: str = "UpdateAccountPasswordPolicy", source: str = "iam", **detail: Any) -> dict[str, Any]:
    """An event of EventBridge, as CloudTrail makes it."""
    return {
        "source": f"aws.{source}",
        "detail-type": "AWS API Call via CloudTrail",
        "account": OWN,
        "detail": {
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "userIdentity": {"arn": f"arn:aws:iam::{OWN}:user/mallory"},
            "userAgent": "aws-cli/2",
            "readOnly": False,
            "requestParameters": {"minimumPasswordLength": 6},
            **detail,
        },
    }


def batch(*bodies: Any) -> dict[str, Any]:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in bodies]
    return {"Records": [{"messageId": str(n), "body": text} for n, text in enumerate(texts)]}


@pytest.fixture
def one(world: World, tmp_path: Path) -> World:
    """A file for one account is deployed."""
    (tmp_path / "baseline.yaml").write_text(ONE)
    return world


def services(world: World) -> set[str]:
    return {each.service for each in world.calls} - {"sts"}


def test_the_timer_repairs_everything_of_one_account_and_then_writes_nothing(one: World) -> None:
    done = handler({"command": "repair"}, PLENTY)
    assert done["summary"] == {"accounts": 1, "in_sync": 0, "drifted": 0, "changed": 1, "failed": []}
    writes = len(one.writes)
    assert handler({"command": "repair"}, PLENTY)["summary"]["in_sync"] == 1
    assert len(one.writes) == writes


def test_the_timer_repairs_an_organization(world: World) -> None:
    done = handler({"command": "repair"}, PLENTY)
    assert done["summary"]["failed"] == []
    assert {each["account"] for each in done["results"]} == {"111122223333", OWN, WORKLOAD}
    assert done["unfinished"] == []


def test_rules_of_the_organization_come_after_the_recorders_of_its_accounts(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "baseline.yaml").write_text(WITH_RULE)
    assert handler({"command": "repair"}, PLENTY)["summary"]["failed"] == []
    assert rule_after_recorders(world)
    assert handler({"command": "repair"}, PLENTY)["summary"]["changed"] == 0


def test_without_time_a_rule_of_the_organization_is_not_begun(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "baseline.yaml").write_text(WITH_RULE)

    def stop(call: WireCall, phase: str) -> None:
        """The time is over as soon as an account has its recorder."""
        if call.operation == "StartConfigurationRecorder" and phase == "after":
            for each in timers:
                each.function()

    timers = list[Timer]()

    class Kept(Timer):
        def start(self) -> None:
            timers.append(self)

    monkeypatch.setattr(deployment, "Timer", Kept)
    world.interrupt(stop)
    with pytest.raises(Refused, match="not everything is repaired"):
        handler({"command": "repair"}, PLENTY)
    assert "PutOrganizationConfigRule" not in {each.operation for each in world.writes}


def test_an_event_repairs_just_its_step(one: World) -> None:
    assert handler(batch(event()), PLENTY) == {"batchItemFailures": []}
    assert services(one) == {
        "iam",
        "ssm",
        "cloudtrail",
    }  # and whether repairs are paused, and who changed something
    assert {each.operation for each in one.calls if each.service == "cloudtrail"} == {"LookupEvents"}
    assert [each.operation for each in one.writes] == ["UpdateAccountPasswordPolicy"]


def test_a_burst_is_one_repair(one: World) -> None:
    handler(batch(*[event()] * 100), PLENTY)
    assert len(one.writes) == 1
    writes = len(one.writes)
    handler(batch(*[event()] * 100), PLENTY)
    assert len(one.writes) == writes


def test_an_event_of_a_member_repairs_only_that_account(world: World) -> None:
    handler({**event(), "account": WORKLOAD}, PLENTY)
    assert [each.operation for each in world.writes] == ["UpdateAccountPasswordPolicy"]
    assert [each.account for each in world.writes] == [WORKLOAD]


@pytest.mark.parametrize(
    "detail",
    [
        {"errorCode": "AccessDenied"},
        {"readOnly": True},
        {"managementEvent": False},
        {"eventName": "CreateUser"},
    ],
)
def test_what_changed_nothing_of_ours_starts_nothing(one: World, detail: dict[str, Any]) -> None:
    handler(batch(event(**detail)), PLENTY)
    assert services(one) == set()


def test_our_own_writes_start_no_repair(one: World) -> None:
    caller = boto3.client("sts", region_name="us-east-1").get_caller_identity()["Arn"]
    handler(batch(event(userAgent="[provision/0.1.0 md/run#1]", userIdentity={"arn": caller})), PLENTY)
    assert services(one) == set()


def test_nobody_can_switch_it_off_with_our_user_agent(one: World) -> None:
    handler(batch(event(userAgent="provision/0.1.0 md/run#1")), PLENTY)
    assert len(one.writes) == 1


def test_nobody_can_switch_it_off_as_the_function_with_another_agent() -> None:
    call = parse_call(event(userIdentity={"arn": "function"}, userAgent="x-provision/1"))
    assert call is not None
    assert not call.is_own(["function"])


def test_a_message_that_makes_no_sense_stops_no_other(one: World) -> None:
    done = handler(batch("{", event(), {}, "[" * 100_000, {**event(), "source": "mallory"}), PLENTY)
    assert done == {"batchItemFailures": [{"itemIdentifier": each} for each in ("0", "2", "3", "4")]}
    assert len(one.writes) == 1


def test_what_is_not_repaired_is_an_error_after_everything_else_was_done(one: World) -> None:
    one.deny("iam", "UpdateAccountPasswordPolicy")
    with pytest.raises(Refused, match=f"not everything is repaired in {OWN}"):
        handler({"command": "repair"}, PLENTY)
    assert "StartLogging" in {each.operation for each in one.writes}


def test_steps_of_the_event_must_be_in_the_file(one: World) -> None:
    with pytest.raises(Refused, match="no step 'nothing'"):
        handler({"command": "repair", "steps": ["nothing"]}, PLENTY)
    with pytest.raises(Refused, match="the event has a 'baseline'"):
        handler({"command": "repair", "baseline": ONE}, PLENTY)


WATCHED = {("s3.amazonaws.com", "PutBucketPolicy"): [WatchedStep("log_buckets", frozenset({"Logs"}))]}


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"bucketName": "logs"}, True),
        ({"a": [{"b": "arn:aws:s3:::LOGS/x"}]}, True),
        ({"bucketName": "other"}, False),
        (None, True),  # CloudTrail leaves out what is too long
        ({}, True),
        ({"a": ["other"] * 2000}, True),
    ],
)
def test_a_call_to_a_resource_that_the_file_does_not_describe_breaks_nothing(
    parameters: Any, found: bool
) -> None:
    call = parse_call(event("PutBucketPolicy", "s3", requestParameters=parameters))
    assert call is not None
    assert bool(find_steps([call], WATCHED)) is found


KEYS = st.sampled_from(
    ["source", "detail-type", "account", "detail", "Records", "body", "messageId", "command", "steps"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, JSON), JSON)
def test_any_other_event_is_refused_and_nothing_else_is_raised(made_up: Any, detail: Any) -> None:
    for each in (made_up, {**event(), "detail": detail}, {**event(), **made_up}, batch(made_up)):
        with suppress(Refused):
            parse_repair(each)


BUCKET = "acme-journal"
TOPIC = f"arn:aws:sns:us-east-1:{OWN}:security"
KEPT = f"""
journal: {{s3_bucket_name: {BUCKET}}}
notices: {{security: {{sns: {{topic_arn: "{TOPIC}"}}}}}}
"""


@pytest.fixture
def kept(one: World, tmp_path: Path) -> World:
    """The file has a journal in a bucket, and a topic that is told."""
    (tmp_path / "baseline.yaml").write_text(ONE + KEPT)
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
    boto3.client("sns", region_name="us-east-1").create_topic(Name="security")
    return one


def journal() -> list[dict[str, Any]]:
    """The records in the bucket, the oldest part first."""
    s3 = boto3.client("s3", region_name="us-east-1")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]
    texts = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in sorted(keys)]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def published(world: World) -> list[str]:
    return [each.params["Subject"] for each in world.calls if each.operation == "Publish"]


def test_a_repair_is_kept_in_the_bucket_and_told(kept: World) -> None:
    handler({"command": "repair"}, PLENTY)
    iam = boto3.client("iam", region_name="us-east-1")
    iam.update_account_password_policy(MinimumPasswordLength=6)
    kept.calls.clear()
    handler({"command": "repair"}, PLENTY)
    records = journal()
    types = [each["type"] for each in records]
    first = types.index("run_ended")
    assert {*types[: first + 1]} == {"run_started", "planned", "call", "drift", "notice", "run_ended"}
    second = records[first + 1 :]
    assert [(each["type"], each.get("state")) for each in second if each["type"] in {"planned", "drift"}] == [
        ("planned", None),
        ("drift", "repaired"),
    ]
    call = next(each for each in second if each["type"] == "call")
    assert call["call"]["operation"] == "UpdateAccountPasswordPolicy"
    assert published(kept) == ["provision: 1 difference repaired in 123456789012"]
    assert second[-1]["exit_code"] == 0


def test_what_is_planned_is_in_the_bucket_before_the_first_change(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PATIENCE", 60.0)  # a slow machine must not fail the test
    kept.calls.clear()
    handler({"command": "repair"}, PLENTY)
    writes = [each for each in kept.calls if each in kept.writes]
    assert [each.operation for each in writes].index("PutObject") == 0


def test_a_function_that_lost_its_disk_knows_its_runs_from_the_bucket(kept: World, tmp_path: Path) -> None:
    handler({"command": "repair"}, PLENTY)
    told = []
    for _ in range(3):
        boto3.client("iam", region_name="us-east-1").update_account_password_policy(MinimumPasswordLength=6)
        for path in tmp_path.glob("provision-journal/**/*.jsonl"):
            path.unlink()
        kept.calls.clear()
        handler({"command": "repair"}, PLENTY)
        told.append(published(kept))
    again = ["provision: 1 resource is changed back again and again in 123456789012"]
    assert told == [
        ["provision: 1 difference repaired in 123456789012"],
        again,
        [],
    ]  # of a contest, one a day


def test_a_bucket_that_is_not_there_stops_nothing_and_is_told(
    one: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "baseline.yaml").write_text(ONE + KEPT)
    done = handler({"command": "repair"}, PLENTY)
    assert done["summary"]["failed"] == []
    assert f"the journal is incomplete: s3://{BUCKET}: NoSuchBucket" in caplog.text
    assert "notice to `security` not sent: NotFound" in caplog.text.replace("\\", "")


def test_accounts_that_there_was_no_time_for_come_first_in_the_next_run(world: World) -> None:
    for _ in range(3):
        with suppress(Refused):
            handler({"command": "repair"}, Time(900, 900, 30))  # time for one account
    repaired = [each.account for each in world.writes if each.operation == "UpdateAccountPasswordPolicy"]
    assert sorted(repaired) == ["111122223333", OWN, WORKLOAD]
