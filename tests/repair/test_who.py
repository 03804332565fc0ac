"""Tests of who made a drift: each break of each section, what is not named, and the bounds of the lookups."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError

from provisioner.aws import Options
from provisioner.aws.cloud import Cloud
from provisioner.aws.keyring import Role
from provisioner.engine.plan import Plan
from provisioner.fleet.fleet import Fleet
from provisioner.model import Call, Difference, Target
from provisioner.repair import who
from provisioner.repair.events import parse_event
from provisioner.repair.permissions import who_permissions
from provisioner.repair.records import Address, Drift
from provisioner.repair.who import SECONDS, attribute
from provisioner.report.json_objects import CallJson
from provisioner.sandbox import Fault, WireCall, open_sandbox, store
from provisioner.sandbox.drift import Administrator, carry_out, every_break
from provisioner.sandbox.serve import serving

from ..conftest import MEMBER, Bench, one_in
from ..laws.full import FULL, applied, not_repeated, section_of, steps_of

SHARDS = 4
SAMPLE = one_in(8)  # one break in eight
ACCOUNT = "123456789012"
TRAIL = """
log_buckets: {logs: {name: acme-logs}}
cloudtrail:
  name: main
  s3_bucket_name: logs
  s3_key_prefix: logs
  is_multi_region_trail: true
"""
PASSWORDS = """
home_region: eu-west-1
password_policy:
  minimum_password_length: 14
"""


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.new = None  # what was applied is of a run of this test's
    return bench


def keys_of(bench: Bench, name: str) -> dict[str, str]:
    """Create a user, and return its access key."""
    iam = bench.client("iam")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}


def as_user(bench: Bench, name: str, service: str, region: str = "us-east-1") -> Any:
    session = boto3.Session(**keys_of(bench, name))  # type: ignore[arg-type] # typed by position
    return session.client(service, region_name=region)  # type: ignore[call-overload]


def drifts_of(bench: Bench, plan: Plan, at: datetime | None = None) -> list[Drift]:
    """The drifts of a plan, as a run's journal has them."""
    return [
        Drift(
            run=bench.clouds[-1].run_id,
            time=(at or now()).isoformat(),
            address=Address(r.target.account, r.target.region, r.step, c.resource),
            differences=list(c.differences),
            action=c.action,
            state="drifted",
            call=CallJson(c.call.service, c.call.name, c.call.region or r.target.region, dict(c.call.params)),
        )
        for r in plan.results
        for c in (*r.changes, *r.withheld)
    ]


def now() -> datetime:
    return datetime.now(UTC)


def look_up(bench: Bench, drifts: list[Drift], since: datetime, **given: Any) -> list[Drift]:
    starts = {str(each.address): since.isoformat() for each in drifts}
    at = given.pop("now", None) or now()
    return attribute(bench.clouds[-1], drifts, starts, at, **given)


def names(found: list[Drift]) -> set[str | None]:
    return {each.who.name.rpartition("/")[2] if each.who else None for each in found}


@cache
def broken_into() -> tuple[bytes, dict[str, str]]:
    """The sandbox with the full file applied and another user in it, and that user's key."""
    state = applied()
    with open_sandbox(None) as world:
        bench = Bench(world)
        bench.at(state)
        keys = keys_of(bench, "mallory")
        bench.close()
        return store.capture(world.memory), keys


@cache
def breakers() -> list[Administrator]:
    """Call it first while no sandbox is open."""
    keys = broken_into()[1]
    with open_sandbox(None) as world:
        general = Bench(world).baseline(FULL).general
    regions = dict.fromkeys([general.home_region, *general.regions])
    home = general.home_region
    return [Administrator.of(ACCOUNT, each, keys, home=each == home) for each in regions]


@cache
def break_names() -> list[tuple[str, str, str]]:
    (state, _), admins = broken_into(), breakers()
    with open_sandbox(None) as world:
        Bench(world).at(state)
        every = not_repeated([each for each in every_break(admins) if not each[2].stricter])
        return [(step, admin.region, one.sentence) for step, admin, one in every][::SAMPLE]


def problem(bench: Bench, step: str, region: str, sentence: str) -> str:
    """What is wrong with the answer to who made a break."""
    since = now()
    admins = [each for each in breakers() if each.region == region]
    [one] = [one for *_, one in every_break(admins, step) if one.sentence == sentence]
    before = len(bench.world.calls)
    assert carry_out(one), sentence
    writes = [call for call in bench.world.calls[before:] if call.writes and call.code is None]
    made = {call.operation for call in writes}
    plan = bench.diff(FULL, only=steps_of(section_of(step)))
    found = look_up(bench, drifts_of(bench, plan), since)
    # What goes with something else, or is kept in a tag, has no event of its own: one that is found is enough.
    in_a_tag = made == {"UntagResource"} and not any("tag" in name for each in found for name in each.fields)
    known = [each for each in found if each.who is not None]
    wrong = [each for each in known if each.who and not each.who.name.endswith(":user/mallory")]
    # CloudTrail keeps no link to what follows from a write to another service.
    services = {each.call.service for each in found if each.call}
    follows = services.isdisjoint(call.service for call in writes)
    wrong += [] if known or in_a_tag or follows else found
    levels = ("Bucket", "Account")
    spelled = {each.replace("PublicAccess", f"{level}PublicAccess") for each in made for level in levels}
    spelled |= {each.replace("LifecycleConfiguration", "Lifecycle") for each in made}
    strange = {each.who.event for each in found if each.who} - made - spelled
    if not found or wrong or strange:
        shown = [(str(each.address), each.fields, each.who_pending, each.call) for each in wrong]
        return f"{step} {region} {sentence}: {made} {shown} {strange}"
    return ""


@pytest.mark.parametrize("shard", range(SHARDS))
def test_each_break_is_of_the_one_who_made_it(shard: int, request: pytest.FixtureRequest) -> None:
    (state, _), named = broken_into(), break_names()[shard::SHARDS]
    bench: Bench = request.getfixturevalue("bench")
    bench.one_process = True
    wrong = []
    for step, region, sentence in named:
        bench.at(state)
        wrong.append(problem(bench, step, region, sentence))
    assert [each for each in wrong if each] == []


def trail_of(bench: Bench) -> None:
    bench.apply(TRAIL)


def test_what_we_repaired_is_of_the_one_who_broke_it(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    as_user(bench, "alice", "cloudtrail").stop_logging(Name="main")
    drifts = drifts_of(bench, bench.diff(TRAIL))
    bench.apply(TRAIL)
    drifts = [replace(each, run=bench.clouds[-1].run_id) for each in drifts]
    [found] = look_up(bench, drifts, since)
    assert found.who is not None
    assert (found.who.name, found.who.event) == (f"arn:aws:iam::{ACCOUNT}:user/alice", "StopLogging")
    assert found.who.source_address == "127.0.0.1"
    assert found.who.user_agent.startswith("Boto3/")
    assert (found.who.event_id != "", found.who.others, found.who_pending) == (True, 0, False)
    # A drift that has an answer is not looked up again.
    before = len(bench.world.calls)
    assert look_up(bench, [found], since) == [found]
    assert lookups(bench, before) == []


def lookups(bench: Bench, before: int = 0) -> list[WireCall]:
    return [each for each in bench.world.calls[before:] if each.operation == "LookupEvents"]


def test_our_own_writes_are_never_named(bench: Bench) -> None:
    trail_of(bench)
    # Nobody else wrote anything: the trail that does not log is not of our first apply.
    [found] = look_up(bench, [stopped_drift(bench)], now() - timedelta(days=1))
    assert (found.who, found.who_pending) == (None, True)


def stopped_drift(bench: Bench) -> Drift:
    """The drift of a trail that does not log, without anybody having stopped it."""
    call = CallJson("cloudtrail", "StartLogging", "us-east-1", {"Name": "main"})
    address = Address(ACCOUNT, "us-east-1", "cloudtrail", "trail main")
    return Drift(
        bench.clouds[-1].run_id, now().isoformat(), address, [], "update", state="drifted", call=call
    )


def test_what_came_before_a_run_of_ours_that_repaired_it_is_no_cause(bench: Bench) -> None:
    trail_of(bench)
    as_user(bench, "alice", "cloudtrail").stop_logging(Name="main")
    bench.apply(TRAIL)
    bench.run(TRAIL)
    # Without a time at which it was in sync, our own event tells.
    [found] = look_up(bench, [stopped_drift(bench)], now() - timedelta(days=1))
    assert (found.who, found.who_pending) == (None, True)


def test_an_agent_like_ours_does_not_hide_a_user(bench: Bench) -> None:
    trail_of(bench)
    agent = bench.clouds[-1].client("cloudtrail", "us-east-1").meta.config.user_agent
    session = boto3.Session(**keys_of(bench, "mallory"))  # type: ignore[arg-type] # typed by position
    since = now()
    config = botocore.config.Config(user_agent=agent)
    session.client("cloudtrail", region_name="us-east-1", config=config).stop_logging(Name="main")
    assert names(look_up(bench, drifts_of(bench, bench.diff(TRAIL)), since)) == {"mallory"}


def test_an_event_that_is_not_shown_yet_is_found_by_the_next_run(bench: Bench) -> None:
    trail_of(bench)
    bench.world.set(event_delay=600)
    since = now()
    as_user(bench, "alice", "cloudtrail").stop_logging(Name="main")
    drifts = drifts_of(bench, bench.diff(TRAIL))
    pending = look_up(bench, drifts, since)
    assert [(each.who, each.who_pending) for each in pending] == [(None, True)]
    bench.world.later(900)
    assert names(look_up(bench, pending, since, now=now() + timedelta(minutes=15))) == {"alice"}


def test_it_is_given_up_after_an_hour(bench: Bench) -> None:
    trail_of(bench)
    drift = stopped_drift(bench)
    later = now() + timedelta(minutes=61)
    assert look_up(bench, [drift], now(), now=later) == [drift]
    assert not drift.who_pending


def test_events_before_it_was_in_sync_and_after_it_was_found_are_no_cause(bench: Bench) -> None:
    trail_of(bench)
    alice, bob = (as_user(bench, each, "cloudtrail") for each in ("alice", "bob"))
    alice.stop_logging(Name="main")
    bench.world.later(60)
    since = now() + timedelta(seconds=60)
    drift = stopped_drift(bench)
    bench.world.later(60)
    bob.stop_logging(Name="main")
    [found] = look_up(bench, [drift], since, now=now() + timedelta(seconds=120))
    assert found.who is None


def test_refused_attempts_do_not_count(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    as_user(bench, "alice", "cloudtrail").stop_logging(Name="main")
    mallory = as_user(bench, "mallory", "cloudtrail")
    lift = bench.world.deny("cloudtrail", "StopLogging")
    with pytest.raises(ClientError):
        mallory.stop_logging(Name="main")
    lift()
    history = bench.client("cloudtrail").lookup_events()["Events"]
    refused = json.loads(history[0]["CloudTrailEvent"])
    assert (refused["errorCode"], history[0]["Username"]) == ("AccessDeniedException", "mallory")
    assert names(look_up(bench, drifts_of(bench, bench.diff(TRAIL)), since)) == {"alice"}


def test_of_several_actors_the_newest_is_named_with_the_number_of_others(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    for name in ("alice", "bob", "carol"):
        as_user(bench, name, "cloudtrail").stop_logging(Name="main")
    [found] = look_up(bench, drifts_of(bench, bench.diff(TRAIL)), since)
    assert found.who is not None
    assert (found.who.name.rpartition("/")[2], found.who.others) == ("carol", 2)


def test_who_changed_another_field_later_is_not_named(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    as_user(bench, "alice", "cloudtrail").update_trail(Name="main", IsMultiRegionTrail=False)
    as_user(bench, "bob", "cloudtrail").update_trail(Name="main", IncludeGlobalServiceEvents=True)
    as_user(bench, "carol", "cloudtrail").add_tags(
        ResourceId=bench.client("cloudtrail").get_trail(Name="main")["Trail"]["TrailARN"],
        TagsList=[{"Key": "a", "Value": "b"}],
    )
    found = look_up(bench, drifts_of(bench, bench.diff(TRAIL)), since)
    assert (names(found), [each.fields for each in found]) == ({"alice"}, [["IsMultiRegionTrail"]])


def test_a_change_of_another_trail_is_no_cause(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    stopped = {"eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com"}
    params = {"requestParameters": {"name": "other"}}
    put_event(bench, ACCOUNT, "us-east-1", {**ours(ACCOUNT, ""), **stopped, **params})
    [found] = look_up(bench, [stopped_drift(bench)], since)
    assert found.who is None


def test_who_deleted_the_trail_is_the_one_for_all_of_it(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    as_user(bench, "alice", "cloudtrail").stop_logging(Name="main")
    as_user(bench, "bob", "cloudtrail").delete_trail(Name="main")
    found = look_up(bench, drifts_of(bench, bench.diff(TRAIL)), since)
    assert len(found) > 1
    assert names(found) == {"bob"}


def test_an_assumed_role_is_named_with_its_session_and_its_role(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail_of(bench)
    drifts, since = [stopped_drift(bench)], now() - timedelta(seconds=5)
    role = {"AssumeRolePolicyDocument": TRUST, "RoleName": "AWSReservedSSO_Admin_1", "Path": "/aws-reserved/"}
    arn = bench.client("iam").create_role(**role)["Role"]["Arn"]
    sts = bench.client("sts")
    given = sts.assume_role(RoleArn=arn, RoleSessionName="alice@example.com")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    session.client("cloudtrail", region_name="us-east-1").stop_logging(Name="main")
    drifts = drifts_of(bench, bench.diff(TRAIL))
    [found] = look_up(bench, drifts, since)
    assert found.who is not None
    assert found.who.name == (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_1/alice@example.com")
    assert found.who.role == arn


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
    }
)


def test_root_is_named(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    root = boto3.Session(f"ROOT{ACCOUNT}", "secret")
    root.client("cloudtrail", region_name="us-east-1").stop_logging(Name="main")
    [found] = look_up(bench, drifts_of(bench, bench.diff(TRAIL)), since)
    assert found.who is not None
    assert found.who.name == f"arn:aws:iam::{ACCOUNT}:root"


def test_global_services_are_looked_up_in_their_region(bench: Bench) -> None:
    bench.apply(PASSWORDS)
    since = now()
    as_user(bench, "alice", "iam").update_account_password_policy(MinimumPasswordLength=6)
    drifts = drifts_of(bench, bench.diff(PASSWORDS))
    assert {each.address.region for each in drifts} == {"eu-west-1"}
    before = len(bench.world.calls)
    assert names(look_up(bench, drifts, since)) == {"alice"}
    assert {each.region for each in lookups(bench, before)} == {"us-east-1"}


@pytest.mark.parametrize(
    ("service", "region", "expected"),
    [
        ("iam", "eu-west-1", "us-east-1"),
        ("organizations", "eu-west-1", "us-east-1"),
        ("iam", "cn-northwest-1", "cn-north-1"),
        ("iam", "us-gov-east-1", "us-gov-west-1"),
        ("s3", "eu-west-1", "eu-west-1"),
        ("accessanalyzer", "eu-west-1", "eu-west-1"),
        ("cloudtrail", "us-gov-east-1", "us-gov-east-1"),
    ],
)
def test_the_region_of_the_events(bench: Bench, service: str, region: str, expected: str) -> None:
    bench.run(PASSWORDS)
    assert bench.clouds[-1].event_region(service, region) == expected


def test_in_another_account_the_role_is_assumed_and_ours(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(TRAIL)
    cloud = bench.clouds[-1]
    cloud.keyring.role = Role(ACCOUNT, "aws", "us-east-1", "OrganizationAccountAccessRole")
    drift = Drift(
        cloud.run_id,
        now().isoformat(),
        Address(MEMBER, "eu-west-1", "s", "configuration recorder default"),
        [Difference("recording", have=False, want=True)],
        "update",
        state="drifted",
        call=CallJson(
            "config", "StartConfigurationRecorder", "eu-west-1", {"ConfigurationRecorderName": "default"}
        ),
    )
    since = now()
    put_event(bench, MEMBER, "eu-west-1", ours(MEMBER, "an-earlier-run"))
    assert names(look_up(bench, [drift], since)) == {None}
    put_event(bench, MEMBER, "eu-west-1", {**ours(MEMBER, ""), "userAgent": "console.amazonaws.com"})
    put_event(bench, MEMBER, "eu-west-1", ours(MEMBER, cloud.run_id))
    before = len(bench.world.calls)
    [found] = look_up(bench, [drift], since)
    assert found.who is not None
    assert found.who.event == "StopConfigurationRecorder"
    assert {(each.account, each.region) for each in lookups(bench, before)} == {(MEMBER, "eu-west-1")}


def ours(account: str, run: str) -> dict[str, Any]:
    """CloudTrail's record of a call with the role of our run."""
    role = "OrganizationAccountAccessRole"
    return {
        "eventName": "StopConfigurationRecorder",
        "eventSource": "config.amazonaws.com",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/provision",
            "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{account}:role/{role}"}},
        },
        "userAgent": f"provision/1.0 md/run#{run} Botocore/1",
        "requestParameters": {"configurationRecorderName": "default"},
        "readOnly": False,
    }


def put_event(bench: Bench, account: str, region: str, record: dict[str, Any]) -> None:
    """Add an event, of which CloudTrail knows no resources."""
    entry = {
        "EventId": str(uuid4()),
        "EventName": record["eventName"],
        "EventSource": record["eventSource"],
        "EventTime": bench.world.now(),
        "ReadOnly": str(record.get("readOnly", False)).lower(),
        "AccessKeyId": "",
        "Username": "",
        "Resources": [],
        "CloudTrailEvent": json.dumps(record),
    }
    bench.world.memory.setdefault("events", {}).setdefault((account, region), []).append(entry)


def test_an_event_without_resources_is_found_by_its_name_or_its_service(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    record = {
        **ours(ACCOUNT, ""),
        "eventSource": "cloudtrail.amazonaws.com",
        "userAgent": "",
        "requestParameters": {"name": f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"},
    }
    for name, keys in (
        ("StopLogging", {"ResourceName", "EventName"}),
        ("StopLogging20131101", {"ResourceName", "EventName", "EventSource"}),
    ):
        bench.world.memory["events"].clear()
        put_event(bench, ACCOUNT, "us-east-1", {**record, "eventName": name})
        before = len(bench.world.calls)
        [found] = look_up(bench, [stopped_drift(bench)], since)
        assert found.who is not None
        assert found.who.event == "StopLogging"
        asked = {each.params["LookupAttributes"][0]["AttributeKey"] for each in lookups(bench, before)}
        assert asked == keys


def test_reads_are_no_cause_and_pages_are_read_on(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    as_user(bench, "alice", "cloudtrail").stop_logging(Name="main")
    read = {
        **ours(ACCOUNT, ""),
        "eventName": "GetTrailStatus",
        "eventSource": "cloudtrail.amazonaws.com",
        "requestParameters": {"name": "main"},
        "readOnly": True,
    }
    for _ in range(60):
        put_event(bench, ACCOUNT, "us-east-1", read)
    for each in bench.world.memory["events"][ACCOUNT, "us-east-1"]:
        each["Resources"] = [{"ResourceName": "main"}]
    before = len(bench.world.calls)
    assert names(look_up(bench, drifts_of(bench, bench.diff(TRAIL)), since)) == {"alice"}
    assert len(lookups(bench, before)) == 2


def test_one_question_serves_all_drifts_of_a_resource(bench: Bench) -> None:
    trail_of(bench)
    since = now()
    alice = as_user(bench, "alice", "cloudtrail")
    alice.stop_logging(Name="main")
    alice.update_trail(Name="main", IsMultiRegionTrail=False)
    drifts = drifts_of(bench, bench.diff(TRAIL))
    assert len(drifts) == 2
    before = len(bench.world.calls)
    assert names(look_up(bench, drifts, since)) == {"alice"}
    assert len(lookups(bench, before)) == 1


@pytest.mark.parametrize(("calls", "expected"), [(16, "eve"), (1, None)])
def test_what_only_may_be_the_cause_counts_if_all_events_were_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, calls: int, expected: str | None
) -> None:
    trail_of(bench)
    monkeypatch.setattr(who, "_CALLS", calls)
    since = now()
    record = {**ours(ACCOUNT, ""), "eventName": "DeleteTrail", "eventSource": "cloudtrail.amazonaws.com"}
    arn = {"userIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/eve"}, "userAgent": ""}
    put_event(bench, ACCOUNT, "us-east-1", {**record, **arn, "requestParameters": {"name": "main"}})
    for each in bench.world.memory["events"][ACCOUNT, "us-east-1"]:
        each["Resources"] = [{"ResourceName": "main"}]
    later = now() + timedelta(minutes=30)
    drift = replace(stopped_drift(bench), run="a later one")
    assert names(look_up(bench, [drift], since, now=later)) == {expected}


def many(bench: Bench, count: int) -> list[Drift]:
    """Drifts of that many rules."""
    return [
        replace(
            stopped_drift(bench),
            address=Address(ACCOUNT, "us-east-1", "s", f"config rule r{number}"),
            call=CallJson(
                "config", "PutConfigRule", "us-east-1", {"ConfigRule": {"ConfigRuleName": f"r{number}"}}
            ),
        )
        for number in range(count)
    ]


def test_the_lookups_are_bounded_and_keep_to_the_rate(bench: Bench) -> None:
    bench.run(TRAIL)
    bench.world.set(rates=True)
    bench.world.clock = bench.clock.now
    started = bench.clock.time
    found = look_up(bench, many(bench, 300), now())
    assert [(each.who, each.who_pending) for each in found] == [(None, True)] * 300
    assert 0 < len(lookups(bench)) <= 16
    assert bench.clock.time - started <= SECONDS
    assert sum(bench.world.limiter.throttled.values()) == 0


def test_many_resources_are_looked_up_by_their_service(bench: Bench) -> None:
    run = bench.run(TRAIL)
    since, drifts = now(), many(bench, 80)
    for number in range(80):
        rule = {"configRule": {"configRuleName": f"r{number}"}}
        record = {**ours(ACCOUNT, ""), "eventName": "PutConfigRule", "requestParameters": rule}
        put_event(bench, ACCOUNT, "us-east-1", {**record, "userAgent": "aws-cli"})
    fleet = Fleet(bench.clouds[-1], run.baseline, run.identity)
    found = attribute(fleet, drifts, {str(each.address): since.isoformat() for each in drifts}, now())
    assert names(found) == {"provision"}
    assert len(lookups(bench)) == 2


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalFailure", "ThrottlingException"])
def test_a_failure_is_told_and_not_raised(bench: Bench, code: str) -> None:
    trail_of(bench)
    told: list[str] = []
    status = 500 if code == "InternalFailure" else 400

    def fail(call: WireCall, phase: str) -> Fault | None:
        return Fault(code, status) if call.operation == "LookupEvents" else None

    lift = bench.world.interrupt(fail)
    [found] = look_up(bench, [stopped_drift(bench)], now(), tell=told.append)
    lift()
    assert (found.who, found.who_pending) == (None, True)
    [text] = told
    assert text.startswith(f"who changed it in account {ACCOUNT}, us-east-1, is not known yet: ")


def test_a_closed_run_leaves_it_pending(bench: Bench) -> None:
    trail_of(bench)
    told: list[str] = []
    cloud = bench.clouds[-1]
    drift = stopped_drift(bench)
    bench.close()
    [found] = attribute(cloud, [drift], {}, now(), tell=told.append)
    assert (found.who_pending, len(told)) == (True, 1)


def test_a_drift_without_a_call_stays_as_it_is(bench: Bench) -> None:
    bench.run(TRAIL)
    drift = replace(stopped_drift(bench), call=None)
    assert look_up(bench, [drift], now()) == [drift]
    strange = replace(drift, call=CallJson("cloudtrail", "NoSuchOperation", "us-east-1", {}))
    assert look_up(bench, [strange], now()) == [replace(strange, who_pending=True)]


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ({"type": "AWSService", "invokedBy": "config.amazonaws.com"}, "config.amazonaws.com"),
        (
            {"type": "FederatedUser", "arn": "arn:aws:sts::1:federated-user/bob"},
            "arn:aws:sts::1:federated-user/bob",
        ),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}, "accountId": "1"}, "u-1"),
        ({"type": "AWSAccount", "accountId": "999999999999", "principalId": "AIDA"}, "account 999999999999"),
        ({"type": "Unknown"}, "Unknown"),
        (None, "unknown"),
    ],
)
def test_the_name_of_each_kind_of_actor(identity: Any, name: str) -> None:
    entry = {
        "EventId": "e",
        "EventTime": now(),
        "CloudTrailEvent": json.dumps({"eventName": "X", "eventSource": "y", "userIdentity": identity}),
    }
    event = parse_event(entry)
    assert event is not None
    assert event.actor(0).name == name


@pytest.mark.parametrize("text", ["", "[]", "{}", "nothing", '{"eventName": 1}', '{"errorCode": "X"}'])
def test_an_event_that_cannot_be_read_is_passed_over(text: str) -> None:
    assert parse_event({"CloudTrailEvent": text, "EventTime": now()}) is None
    assert parse_event({}) is None


def test_the_permission(bench: Bench) -> None:
    baseline = bench.baseline(TRAIL)
    assert [each.action for each in who_permissions(baseline)] == ["cloudtrail:LookupEvents"]


@pytest.mark.parametrize("own_signatures", [False, True])
def test_the_run_is_in_the_user_agent_of_each_call(own_signatures: bool) -> None:
    with open_sandbox(None) as world, serving(world) as door:
        agents: list[str] = []
        real = world.exchange

        def exchange(method: str, url: str, headers: Any, *rest: Any) -> Any:
            agents.append({str(k).lower(): str(v) for k, v in dict(headers).items()}["user-agent"])
            return real(method, url, headers, *rest)

        world.exchange = exchange  # type: ignore[assignment, method-assign]
        options = Options(
            endpoint_url=door.url, own_connections=True, own_signatures=own_signatures, run_id="20261130-a b"
        )
        cloud = Cloud(options)
        here = Target(ACCOUNT, "us-east-1")
        for _ in range(2):
            cloud.read(here, "config", "us-east-1", "describe_delivery_channels", {})
        cloud.write(here, Call("iam", "create_account_alias", {"AccountAlias": "acme"}))
        [event] = boto3.client("cloudtrail", endpoint_url=door.url, region_name="us-east-1").lookup_events()[
            "Events"
        ]
        cloud.close()
    assert len(agents) == 4
    assert {each.split()[1] for each in agents[:3]} == {"md/run#20261130-a-b"}
    assert "md/run#20261130-a-b" in json.loads(event["CloudTrailEvent"])["userAgent"]
