"""Tests of the event rule in other Regions: what it sends to the home Region, its role, and what defeats it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.model import Kind
from provisioner.sandbox.policy_text import to_policy, trust_policy

from ...conftest import Bench
from ...sandbox.cases import ORGANIZATION
from .sample import ACCOUNT, SMALL, findings, shown

NAME = "security-tampering"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/security-events-to-home-region"
BUS = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
TARGET = {"Id": "home-region", "Arn": BUS, "RoleArn": ROLE}
TWO = SMALL.replace("[us-east-1]", "[us-east-1, eu-west-1]").replace(
    "alarms: {", "alarms: {event_rule: {all_regions: true}, "
)
RULE = f"event rule {NAME}"


def events(bench: Bench, region: str = "eu-west-1") -> Any:
    return bench.client("events", region)


def targets(bench: Bench, region: str = "eu-west-1") -> Any:
    return events(bench, region).list_targets_by_rule(Rule=NAME)["Targets"]


def warnings(bench: Bench, text: str) -> list[str]:
    return [note.text for _, note in bench.diff(text).notes(Kind.WARNING) if note.resource == RULE]


def test_the_other_region_sends_what_it_matches_to_the_rule_of_the_home_region(bench: Bench) -> None:
    bench.apply(TWO)
    here, there = (events(bench, each).describe_rule(Name=NAME) for each in ("us-east-1", "eu-west-1"))
    assert (here["EventPattern"], here["State"]) == (there["EventPattern"], there["State"])
    assert targets(bench) == [TARGET]
    assert [each["Id"] for each in targets(bench, "us-east-1")] == ["topic-security-alarms"]
    assert bench.diff(TWO).changes == []
    assert findings(bench, TWO)[RULE][0] is True


def test_without_the_policy_of_its_role_the_other_region_still_gets_its_target(bench: Bench) -> None:
    bench.world.deny("iam", "PutRolePolicy")
    run = bench.run(TWO)
    run.send(run.rehearse())
    assert targets(bench) == [TARGET]


def test_the_role_is_for_these_rules_and_this_bus_only(bench: Bench) -> None:
    bench.apply(TWO)
    iam, name = bench.client("iam"), ROLE.rpartition("/")[2]
    [trust] = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{ACCOUNT}:rule/{NAME}"},
    }
    found = iam.get_role_policy(RoleName=name, PolicyName="EventsToHomeRegion")["PolicyDocument"]
    [own] = found["Statement"]
    assert (own["Action"], own["Resource"]) == ("events:PutEvents", BUS)


def test_without_the_line_or_another_region_nothing_is_made_elsewhere(bench: Bench) -> None:
    bench.apply(TWO.replace("all_regions: true", ""))
    assert events(bench).list_rules()["Rules"] == []
    alone = TWO.replace(", eu-west-1", "")
    assert bench.diff(alone).changes == []


@pytest.mark.parametrize(
    ("change", "drifts"),
    [
        ({"Arn": BUS.replace("default", "another")}, True),
        ({"Arn": BUS.replace(ACCOUNT, "111122223333")}, True),
        ({"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/theirs"}, True),
        ({"Input": "{}"}, True),
        ({"RetryPolicy": {"MaximumRetryAttempts": 9, "MaximumEventAgeInSeconds": 3600}}, False),
    ],
)
def test_a_target_that_gets_no_event_or_another_is_repaired(
    bench: Bench, change: dict[str, Any], drifts: bool
) -> None:
    bench.apply(TWO)
    theirs = trust_policy("events.amazonaws.com")
    bench.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument=theirs)
    kept = {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"}}
    events(bench).put_targets(Rule=NAME, Targets=[{**TARGET, **kept, **change}])
    assert shown(bench.apply(TWO)) == ([(RULE, "target home-region")] if drifts else [])
    assert targets(bench)[0] == {**TARGET, **kept, **({} if drifts else change)}


def test_another_target_stays_and_is_told(bench: Bench) -> None:
    bench.apply(TWO)
    queue = {"Id": "theirs", "Arn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"}
    events(bench).put_targets(Rule=NAME, Targets=[queue])
    plan = bench.diff(TWO)
    assert plan.changes == []
    assert [note.text for _, note in plan.notes(Kind.FOREIGN)] == ["targets of others are kept: theirs"]


def test_without_the_region_of_global_services_their_events_are_missed(bench: Bench) -> None:
    away = TWO.replace("us-east-1, eu-west-1", "eu-west-1, eu-west-2") + "home_region: eu-west-1\n"
    [warning] = warnings(bench, away)
    assert "such as Organizations, whose events are in us-east-1 only" in warning
    assert warnings(bench, away.replace("eu-west-2", "us-east-1")) == []
    assert warnings(bench, TWO) == []


def test_a_rule_that_is_disabled_or_without_its_role_fails_verification(bench: Bench) -> None:
    bench.apply(TWO)
    iam, name = bench.client("iam"), ROLE.rpartition("/")[2]
    events(bench).disable_rule(Name=NAME)
    iam.delete_role_policy(RoleName=name, PolicyName="EventsToHomeRegion")
    iam.delete_role(RoleName=name)
    results = bench.run(TWO).verify()
    found = [f for r in results if r.step == "alarms_event_forwarding" for f in r.findings]
    assert [(each.ok, each.detail) for each in found] == [(False, "it is DISABLED; its role does not exist")]


def test_a_new_role_is_waited_for(bench: Bench) -> None:
    bench.world.propagation = 2
    bench.apply(TWO)
    assert targets(bench) == [TARGET]
    assert "EventBridge to be let into the role" in {each.until for each in bench.waits}


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": ROLE}, "Action": "events:PutEvents"}, True),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/theirs"}}, False),
        ({"Principal": "*", "Action": "events:PutRule"}, False),
        ({"Principal": "*", "Effect": "Allow"}, False),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:eu-*:*:*"}}}, True),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:ap-*:*:*"}}}, False),
        ({"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}}, False),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}}, True),
        ({"Principal": "*", "Condition": {"StringNotEquals": {"aws:SourceIp": "10.0.0.1"}}}, False),
    ],
)
def test_a_denial_in_the_policy_of_the_bus_is_a_danger_and_removed_with_consent_only(
    bench: Bench, statement: dict[str, Any], found: bool
) -> None:
    bench.apply(TWO)
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Action": "events:*", "Resource": BUS, **statement}
    events(bench, "us-east-1").put_permission(Policy=to_policy(theirs))
    changes = bench.diff(TWO).changes
    assert [(c.resource, c.consent) for _, c in changes] == (
        [("event bus default", "remove-foreign-statement")] if found else []
    )
    bench.apply(TWO, allow=("remove-foreign-statement",))
    assert ("Policy" in events(bench, "us-east-1").describe_event_bus(Name="default")) is not found
