"""Tests of `verify --fire`: each alarm goes off once, and what AWS did with it is found."""

from __future__ import annotations

from typing import Any

from provisioner.model import Result
from provisioner.sandbox import Fault

from ...conftest import Bench
from ...permissions.sample import Caller, actions, least
from .sample import ACCOUNT, SMALL, TOPIC, alarm

HEAD = "organization_name: acme\nhome_region: us-east-1\n"
TEXT = f"{HEAD}{SMALL}"
NAMES = ("security-trail-changes", "security-config-changes")
TITLES = tuple(f"alarm {each}" for each in NAMES)


def fired(bench: Bench, text: str = TEXT) -> list[Result]:
    return bench.run(text, only=("alarms",)).verify(firing=True)


def evaluated(bench: Bench) -> None:
    """Let the time pass after which AWS evaluates the alarms."""
    later = bench.world.now() + 300
    bench.world.clock = lambda: later


def outcomes(results: list[Result]) -> dict[str, tuple[bool | None, str]]:
    found = [f for r in results for f in r.findings if f.check == "goes off"]
    return {each.resource: (each.ok, each.detail) for each in found}


def test_each_alarm_goes_off_once_and_the_topic_is_notified(bench: Bench) -> None:
    bench.apply(TEXT)
    before = len(bench.world.writes)
    done = f"Successfully executed action {TOPIC}"
    assert outcomes(fired(bench)) == dict.fromkeys(TITLES, (True, done))
    made = [(each.operation, each.params["AlarmName"]) for each in bench.world.writes[before:]]
    assert made == [("SetAlarmState", each) for each in NAMES]
    assert bench.diff(TEXT).changes == []


def test_without_the_flag_nothing_goes_off(bench: Bench) -> None:
    bench.apply(TEXT)
    before = len(bench.world.writes)
    assert outcomes(bench.run(TEXT).verify()) == {}
    assert bench.world.writes[before:] == []


def test_an_alarm_that_is_on_is_left_until_it_was_evaluated(bench: Bench) -> None:
    bench.apply(TEXT)
    fired(bench)
    again = outcomes(fired(bench))
    assert {ok for ok, _ in again.values()} == {None}
    assert all("Successfully executed" in text for _, text in again.values())
    evaluated(bench)
    assert {ok for ok, _ in outcomes(fired(bench)).values()} == {True}


def test_a_topic_key_that_lets_no_alarm_in_is_found_by_nothing_else(bench: Bench) -> None:
    key = bench.client("kms").create_key()["KeyMetadata"]["Arn"]
    text = TEXT.replace("alarms: {", f"alarms: {{topic: {{kms_master_key_id: '{key}'}}, ")
    bench.apply(text)
    results = fired(bench, text)
    assert {f.ok for r in results for f in r.findings if f.check == "raises"} == {True}
    for ok, detail in outcomes(results).values():
        assert ok is False
        assert detail.endswith(
            "CloudWatch Alarms does not have authorization to access the SNS topic encryption key."
        )


def test_an_alarm_that_says_nothing_is_found(bench: Bench) -> None:
    bench.apply(TEXT)
    bench.client("cloudwatch").disable_alarm_actions(AlarmNames=[NAMES[0]])
    started = bench.clock.now()
    found = outcomes(fired(bench))
    assert found[TITLES[0]] == (
        False,
        "no action was executed: are its actions enabled, and is it muted",
    )
    assert found[TITLES[1]][0] is True
    assert 30 < bench.clock.now() - started < 90


def test_an_earlier_action_proves_nothing(bench: Bench) -> None:
    bench.apply(TEXT)
    fired(bench)
    evaluated(bench)
    bench.client("sns").delete_topic(TopicArn=TOPIC)
    assert {ok for ok, _ in outcomes(fired(bench)).values()} == {False}


def test_one_that_is_refused_stops_no_other(bench: Bench) -> None:
    bench.apply(TEXT)
    denied = Fault("AccessDenied", 403, "no")

    def refuse(call: Any, phase: str) -> Fault | None:
        first = call.operation == "SetAlarmState" and call.params["AlarmName"] == NAMES[0]
        return denied if first else None

    bench.world.interrupt(refuse)
    results = fired(bench)
    assert outcomes(results)[TITLES[0]] == (False, "could not be made to go off")
    assert outcomes(results)[TITLES[1]][0] is True
    assert [f.operation for r in results for f in r.failures] == ["SetAlarmState"]


def test_an_alarm_that_is_not_there_is_not_set_off(bench: Bench) -> None:
    bench.apply(TEXT)
    bench.client("cloudwatch").delete_alarms(AlarmNames=[NAMES[0]])
    assert set(outcomes(fired(bench))) == {TITLES[1]}


def test_the_permissions_for_it_are_enough_and_only_then_printed(bench: Bench) -> None:
    bench.apply(TEXT)
    own = {"cloudwatch:SetAlarmState", "cloudwatch:DescribeAlarmHistory"}
    assert set(actions(least(TEXT, "fire"))) - set(actions(least(TEXT, "verify"))) == own
    assert own.isdisjoint(actions(least(TEXT, "verify", "apply", "repair")))
    caller = Caller(bench.world)
    with caller.held_to(least(TEXT, "fire")):
        assert all(r.ok for r in bench.run(TEXT).verify(firing=True))
    assert caller.denied == []
    assert own <= {action for _, action in caller.taken()}
    [statement] = [x for x in least(TEXT, "fire")["Statement"] if x["Sid"] == "AlarmsFire"]
    assert statement["Resource"] == f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:security-*"


def test_an_alarm_that_was_changed_while_on_is_evaluated_all_the_same(bench: Bench) -> None:
    bench.apply(TEXT)
    fired(bench)
    bench.client("cloudwatch").enable_alarm_actions(AlarmNames=list(NAMES))
    evaluated(bench)
    assert alarm(bench)["StateValue"] == "OK"
