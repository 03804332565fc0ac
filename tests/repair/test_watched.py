"""Tests of the events that start a repair: every break of the full file is matched, and none of our names is spelled here."""

from __future__ import annotations

import json
from functools import cache

import botocore.session
import pytest

from provisioner.aws.cloudtrail_names import event_names
from provisioner.baseline import parse
from provisioner.model import Scope
from provisioner.repair.watched import DETAIL_TYPE, event_patterns, watched_events
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.drift import every_break
from provisioner.steps.registry import all_harmful_actions, all_sections, all_steps

from ..conftest import Bench
from ..laws.full import FULL, administrator_of, applied, section_of, steps_of

ACCOUNT = "123456789012"


@cache
def watched() -> dict[tuple[str, str], frozenset[str]]:
    found = watched_events(parse(FULL, "full.yaml", all_sections(), {}), ACCOUNT, "aws")
    return {event: frozenset(each.name for each in steps) for event, steps in found.items()}


@pytest.mark.parametrize(
    ("event", "step"),
    [
        ("cloudtrail StopLogging", "cloudtrail"),
        ("cloudtrail DeleteTrail", "cloudtrail"),
        ("cloudtrail UpdateTrail", "cloudtrail"),
        ("cloudtrail PutEventSelectors", "cloudtrail"),
        ("s3 PutBucketPolicy", "log_buckets"),
        ("s3 DeleteBucketPolicy", "log_buckets"),
        ("s3 PutBucketLifecycle", "log_buckets"),  # CloudTrail's name of PutBucketLifecycleConfiguration
        ("s3 PutBucketLifecycleConfiguration", "log_buckets"),
        ("s3 DeleteBucketPublicAccessBlock", "log_buckets"),
        ("config StopConfigurationRecorder", "config_recorder"),
        ("config DeleteConfigRule", "config_rules"),
        ("iam DeleteAccountPasswordPolicy", "password_policy"),
        ("organizations DisableAWSServiceAccess", "cloudtrail_trusted_access"),
    ],
)
def test_an_event_concerns_its_step(event: str, step: str) -> None:
    source, name = event.split()
    assert step in watched()[f"{source}.amazonaws.com", name]


HEAD = "organization_name: acme\nhome_region: us-east-1\naccounts: {all: true}\n"
BASE = HEAD + "password_policy: {minimum_password_length: 14}\n"
SECTION = "{finding_publishing_frequency: FIFTEEN_MINUTES}"


def events_of(text: str) -> dict[str, set[str]]:
    found = watched_events(parse(text, "b.yaml", all_sections(), {}), ACCOUNT, "aws")
    return {name: {each.name for each in steps} for (_, name), steps in found.items()}


@pytest.mark.parametrize("who", ["ids: ['111122223333']", "tags: {stage: prod}"])
def test_what_only_overrides_ask_for_is_watched_too(who: str) -> None:
    """Whichever accounts they are for: a call in an account that they leave out starts a comparison of nothing."""
    alone, both = events_of(BASE), events_of(f"{BASE}overrides:\n  - {{{who}, guardduty: {SECTION}}}\n")
    everywhere = events_of(f"{BASE}guardduty: {SECTION}\n")
    assert "DeleteDetector" not in alone
    once = {
        each.name for each in all_steps().values() if each.scope is Scope.ONCE
    }  # of the file without overrides
    assert (
        both.keys() - alone.keys() == {name for name in everywhere if everywhere[name] - once} - alone.keys()
    )
    assert {name: both[name] - once for name in both} == {name: everywhere[name] - once for name in both}
    tagged = f"{BASE}guardduty: {SECTION}\noverrides:\n  - {{{who}, guardduty: {{tags: {{team: a}}}}}}\n"
    assert "TagResource" not in everywhere
    assert "guardduty" in events_of(tagged)["TagResource"]


@cache
def signing_name(service: str) -> str:
    return str(botocore.session.get_session().get_service_model(service).signing_name)


def test_every_call_of_every_break_is_watched() -> None:
    state, events, missed, matched = applied(), watched(), set[str](), 0
    with open_sandbox(None) as world:
        bench = Bench(world)
        bench.at(state)
        for step, _, each in every_break(administrator_of(bench)):
            if each.stricter:
                continue
            bench.at(state)
            before = len(world.writes)
            each.do()
            writes = {(call.service, call.operation) for call in world.writes[before:]}
            known = [
                steps
                for (source, name), steps in events.items()
                for service, operation in writes
                if operation == name and source == f"{signing_name(service)}.amazonaws.com"
            ]
            matched += bool(known)
            clients = {client for name in steps_of(section_of(step)) for client in all_steps()[name].clients}
            if clients.isdisjoint(service for service, _ in writes):
                continue  # what follows from a write to another service
            if writes and not any(step in steps for steps in known):
                missed.add(f"{step}: {each.sentence}: {sorted(writes)}")
    assert sorted(missed) == []
    assert matched > len(all_steps())


def test_every_harmful_write_to_what_a_call_can_set_is_watched() -> None:
    names = {name for _, name in watched()}
    services = {client for step in all_steps().values() for client in step.clients}
    for actions in all_harmful_actions().values():
        for action in actions:
            assert event_names(action, services) <= names


def test_reads_objects_and_what_is_no_call_are_not_watched() -> None:
    services = {"s3", "iam", "organizations"}
    for action in (
        "organizations:ListAccounts",
        "iam:PassRole",
        "s3:PutObject",
        "s3:BypassGovernanceRetention",
    ):
        assert event_names(action, services) == frozenset()
    assert event_names("unknown:DeleteThing", services) == {"DeleteThing"}
    assert event_names("unknown:ListThings", services) == frozenset()


def test_patterns_have_every_event_once_and_are_short() -> None:
    events = [*watched(), *(("x.amazonaws.com", f"DeleteSomethingWithLongName{n}") for n in range(200))]
    patterns = dict(event_patterns(events))
    in_patterns = [
        (source, name)
        for each in patterns.values()
        for source in each["detail"]["eventSource"]
        for name in each["detail"]["eventName"]
    ]
    assert sorted(in_patterns) == sorted(events)
    assert max(len(json.dumps(each)) for each in patterns.values()) <= 2048
    assert all(name.isalnum() for name in patterns)
    assert all(each["detail-type"] == [DETAIL_TYPE] for each in patterns.values())
