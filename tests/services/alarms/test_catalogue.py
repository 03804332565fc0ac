"""Tests of the patterns: their grammar and size, which events match, and that our own runs match none."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from provisioner.aws.cloudtrail_names import event_source
from provisioner.sandbox import WireCall
from provisioner.services.alarms.catalogue import CATALOGUE
from provisioner.services.alarms.event_rule import EVENTS
from provisioner.services.alarms.sandbox.grammar import BadPattern, matcher
from provisioner.steps.registry import all_harmful_actions

from ...conftest import Bench
from .sample import ALL, LEAST

PATTERNS = [(name, each) for name, entry in CATALOGUE.items() for each in entry.patterns]
SOURCES = {"cloudwatch": "monitoring"}


def event(name: str, source: str = "", **more: Any) -> dict[str, Any]:
    return {
        "eventName": name,
        "eventSource": f"{source}.amazonaws.com",
        "sourceIPAddress": "192.0.2.1",
        **more,
    }


def raised(found: dict[str, Any]) -> set[str]:
    return {name for name, pattern in PATTERNS if matcher(pattern)(found)}


@pytest.mark.parametrize(("name", "pattern"), PATTERNS)
def test_a_pattern_is_valid_and_fits_into_a_filter(name: str, pattern: str) -> None:
    assert len(pattern) <= 1024
    assert (
        matcher(pattern)({"eventName": "DescribeTrails", "eventSource": "x", "sourceIPAddress": ""}) is False
    )


def test_each_control_of_cis_has_an_alarm() -> None:
    found = [entry.cis for entry in CATALOGUE.values() if entry.cis]
    assert found == [f"4.{number}" for number in range(1, 16)]


def test_every_event_that_a_pattern_names_matches_it() -> None:
    for name, pattern in PATTERNS:
        sources = re.findall(r"eventSource=([a-z0-9-]+)\.", pattern) or ["any"]
        for each in re.findall(r"eventName=([A-Za-z0-9]+)\)", pattern):
            if each != "ConsoleLogin":
                assert any(matcher(pattern)(event(each, source)) for source in sources), (name, each)


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (event("StopLogging", "cloudtrail"), {"trail_changes"}),
        (event("PutEventSelectors", "cloudtrail"), {"trail_changes"}),
        (event("DeleteConfigurationRecorder", "config"), {"config_changes", "detectors"}),
        (event("DeleteAlarms", "monitoring"), {"watchers"}),
        (event("DeleteRule", "elasticloadbalancing"), set()),
        (event("GetObject", "s3", errorCode="AccessDenied"), {"unauthorized_calls"}),
        (event("RunInstances", "ec2", errorCode="Client.UnauthorizedOperation"), {"unauthorized_calls"}),
        (event("HeadBucket", "s3", errorCode="AccessDenied"), set()),
        (event("GetUser", "iam", userIdentity={"type": "Root"}, eventType="AwsApiCall"), {"root_usage"}),
        (
            event("GetUser", "iam", userIdentity={"type": "Root", "invokedBy": "x"}, eventType="AwsApiCall"),
            set(),
        ),
        (event("ConsoleLogin", "signin", errorMessage="Failed authentication"), {"failed_sign_in"}),
        (
            event(
                "ConsoleLogin",
                "signin",
                additionalEventData={"MFAUsed": "No"},
                userIdentity={"type": "IAMUser"},
                responseElements={"ConsoleLogin": "Success"},
            ),
            {"console_without_mfa"},
        ),
        (event("ScheduleKeyDeletion", "kms"), {"key_deletion"}),
        (event("PutBucketPolicy", "s3"), {"bucket_policy_changes"}),
        (event("LeaveOrganization", "organizations"), {"organization_changes"}),
        (event("DisableMacie", "macie2"), {"detectors"}),
    ],
)
def test_what_raises_an_alarm(found: dict[str, Any], names: set[str]) -> None:
    assert raised(found) == names


def test_whatever_harms_a_detector_raises_an_alarm() -> None:
    """What a section says undoes it is heard, too, and not only what stops the service as a whole."""
    sources = {
        each
        for pattern in CATALOGUE["detectors"].patterns
        for each in re.findall(r"eventSource=([a-z0-9-]+\.amazonaws\.com)", pattern)
    }
    harmful = {each for actions in all_harmful_actions().values() for each in actions}
    found = {
        each: event(each.partition(":")[2], event_source(each).removesuffix(".amazonaws.com"))
        for each in harmful
    }
    watched = {name: each for name, each in found.items() if each["eventSource"] in sources}
    assert len(watched) > 40
    # Whoever adds a rule is no danger; who deletes one is heard.
    assert {name for name, each in watched.items() if not raised(each)} == {"config:PutConfigRule"}


def test_auto_scaling_raises_no_alarm_and_everybody_else_does() -> None:
    def put(by: str) -> set[str]:
        return raised(event("PutMetricAlarm", "monitoring", userIdentity={"invokedBy": by}))

    assert put("application-autoscaling.amazonaws.com") == set()
    assert put("cloudformation.amazonaws.com") == {"watchers"}


def as_event(call: WireCall) -> dict[str, Any]:
    return event(call.operation, SOURCES.get(call.service, call.service), requestParameters=call.params)


def test_a_run_that_finds_nothing_to_repair_raises_no_alarm(bench: Bench) -> None:
    bench.apply(ALL)
    assert raised(as_event(bench.world.writes[-1]))
    bench.world.calls.clear()
    run = bench.run(ALL)
    assert run.rehearse().changes == []
    run.verify()
    assert bench.world.calls
    assert [call.operation for call in bench.world.calls if raised(as_event(call))] == []


def test_the_event_rule_matches_what_an_alarm_is_raised_for_too() -> None:
    for source, names in EVENTS.items():
        for each in names:
            assert raised(event(each, source)), (source, each)


def test_the_rule_of_the_file_fits_into_an_event_pattern(bench: Bench) -> None:
    text = LEAST.replace("alarms: {", "alarms: {event_rule: {}, ")
    bench.apply(text)
    pattern = bench.client("events").describe_rule(Name="security-tampering")["EventPattern"]
    assert len(pattern) <= 2048
    assert set(json.loads(pattern)["detail"]) == {"eventSource", "eventName"}


@pytest.mark.parametrize(
    "bad", ["{($.a=b", "{$.a=}", "$.a=b", "{$.a b}", "{a=b}", "{($.a=b) && }", "{$.a=b}}", "{$.a NOT}"]
)
def test_a_pattern_that_aws_refuses(bad: str) -> None:
    with pytest.raises(BadPattern):
        matcher(bad)


@pytest.mark.parametrize(
    ("pattern", "found", "matches"),
    [
        ('{$.a="x*"}', {"a": "xyz"}, True),
        ("{$.a!=x}", {}, False),
        ("{$.a NOT EXISTS}", {}, True),
        ("{$.a IS NULL}", {"a": None}, True),
        ("{$.a IS TRUE || $.a IS FALSE}", {"a": False}, True),
        ("{$.a[1]=y}", {"a": ["x", "y"]}, True),
        ("{$.a>3 && $.a<=5}", {"a": 5}, True),
        ("{$.a=1 || $.b=1 && $.c=1}", {"a": 1}, True),
        ("{($.a=1 || $.b=1) && $.c=1}", {"a": 1}, False),
    ],
)
def test_the_grammar(pattern: str, found: dict[str, Any], *, matches: bool) -> None:
    assert matcher(pattern)(found) is matches
