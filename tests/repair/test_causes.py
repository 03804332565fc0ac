"""Table of causes: what several actors did to a resource one after another, and who of them is named for each drift."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
import pytest

from provisioner.model import Difference
from provisioner.repair.causes import find_cause
from provisioner.repair.event_search import search_for, with_makers
from provisioner.repair.events import Event
from provisioner.repair.records import Address, Drift
from provisioner.report.json_objects import CallJson

from .notice_samples import ACCOUNT, START

US = f"arn:aws:iam::{ACCOUNT}:role/audit"
TRAIL, KEY = "trail main", "KMS key of trail main"
MAIN = {"Name": "main"}
ORGANIZATION = "GuardDuty of the organization"
DETECTOR = {"DetectorId": "d1"}

Step = tuple[str, str, dict[str, Any]]  # actor, operation and parameters; one a minute


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def event(service: str, minute: int, step: Step) -> Event:
    actor, name, params = step
    ours = {"userAgent": "provision/1 md/run#an-earlier-one"} if actor == "us" else {}
    arn = US if actor == "us" else f"arn:aws:iam::{ACCOUNT}:user/{actor}"
    record = {"requestParameters": params, "userIdentity": {"arn": arn}, **ours}
    return Event(
        f"{minute}",
        name,
        service,
        START + timedelta(minutes=minute),
        record,
        frozenset(map(str, params.values())),
    )


def found(resource: str, operation: str, params: dict[str, Any], *fields: Difference, service: str) -> Drift:
    """A drift that the run finds an hour after the start. One without differences is a creation."""
    action = "update" if fields else "create"
    call = CallJson(service, operation, "us-east-1", params)
    address = Address(ACCOUNT, "us-east-1", "step", resource)
    return Drift(
        "this", (START + timedelta(hours=1)).isoformat(), address, list(fields), action, "repaired", call=call
    )


def named(drifts: list[Drift], service: str, steps: list[Step], *, final: bool = False) -> dict[str, str]:
    """The actor of each drift by its operation, `?` if that is not certain yet, with `+1` if there is another."""
    events = [event(service, minute, step) for minute, step in enumerate(steps)]
    names = {}
    searches = with_makers(
        search_for(x, x.call, model(service), "us-east-1", START) for x in drifts if x.call
    )
    for each in searches:
        cause = find_cause(each, events, frozenset({f"{ACCOUNT}/audit"}), final=final)
        sure = cause is not None and (cause[1] == 2 or final)
        others = f"+{cause[2]}" if cause and cause[2] else ""
        operation = each.drift.call.operation if each.drift.call else ""
        names[operation] = cause[0].actor(0).name.rpartition("/")[2] + others if cause and sure else "?"
    return names


def trail(operation: str, *fields: Difference, resource: str = TRAIL, **params: Any) -> Drift:
    return found(resource, operation, MAIN | params, *fields, service="cloudtrail")


LOGGING = trail("StartLogging", Difference("logging", have=False, want=True))
REGIONS = trail(
    "UpdateTrail", Difference("IsMultiRegionTrail", have=False, want=True), IsMultiRegionTrail=True
)
NO_KEY = trail("UpdateTrail", Difference("KmsKeyId", None, "key/1"), resource=KEY, KmsKeyId="key/1")
CREATED = trail("CreateTrail")
FEWER: Step = ("bob", "UpdateTrail", MAIN | {"isMultiRegionTrail": False})
KEYLESS: Step = ("bob", "UpdateTrail", MAIN | {"kmsKeyId": ""})
DELETED: Step = ("eve", "DeleteTrail", MAIN)
MADE_BY_US: Step = ("us", "CreateTrail", MAIN)

GUARD = {"AdminAccountId": "1"}
ADMIN = found(ORGANIZATION, "EnableOrganizationAdminAccount", GUARD, service="guardduty")
MEMBERS = found(
    ORGANIZATION,
    "CreateMembers",
    DETECTOR | {"AccountDetails": [{"AccountId": "2"}]},
    Difference("member 2", None, "ENABLED"),
    service="guardduty",
)
SETTINGS = found(
    ORGANIZATION,
    "UpdateOrganizationConfiguration",
    DETECTOR | {"AutoEnableOrganizationMembers": "ALL"},
    Difference("AutoEnableOrganizationMembers", "NONE", "ALL"),
    service="guardduty",
)
NO_MEMBER: Step = ("bob", "DisassociateMembers", {"detectorId": "d1", "accountIds": ["2"]})
NO_ADMIN: Step = ("eve", "DisableOrganizationAdminAccount", {"adminAccountId": "1"})


RULE = {"configRuleName": "r"}
NO_CONTROLS = found(
    "remediation of config rule r",
    "PutRemediationConfigurations",
    {"RemediationConfigurations": [{"ConfigRuleName": "r", "TargetId": "document"}]},
    Difference("ExecutionControls", None, {"SsmControls": {}}),
    service="config",
)
REMEDIATION = found(
    "remediation of config rule r",
    "PutRemediationConfigurations",
    {"RemediationConfigurations": [{"ConfigRuleName": "r", "MaximumAutomaticAttempts": 5}]},
    Difference("MaximumAutomaticAttempts", 1, 5),
    service="config",
)
CHANGED_RULE: Step = ("eve", "PutConfigRule", {"configRule": RULE})
CHANGED_REMEDIATION: Step = ("bob", "PutRemediationConfigurations", {"remediationConfigurations": [RULE]})


@pytest.mark.parametrize(
    ("drifts", "steps", "names"),
    [
        pytest.param([LOGGING], [("bob", "StopLogging", MAIN)], ["bob"], id="stopped"),
        pytest.param([LOGGING], [DELETED], ["?"], id="a trail that is there was not deleted"),
        pytest.param(
            [LOGGING], [DELETED, ("bob", "StopLogging", MAIN)], ["bob+1"], id="made again, and stopped"
        ),
        pytest.param([REGIONS], [DELETED, MADE_BY_US, FEWER], ["bob"], id="made again by us, and changed"),
        pytest.param([REGIONS], [DELETED, FEWER], ["bob+1"], id="our making is not shown yet"),
        pytest.param([REGIONS], [DELETED], ["?"], id="neither is the change"),
        pytest.param([REGIONS], [DELETED, ("bob", "CreateTrail", MAIN)], ["bob+1"], id="replaced"),
        pytest.param([NO_KEY], [DELETED], ["?"], id="a key of a trail that is there"),
        pytest.param([CREATED], [DELETED], ["eve"], id="deleted"),
        pytest.param(
            [CREATED, LOGGING], [DELETED], ["eve", "eve"], id="what is set on it is of who deleted it"
        ),
        pytest.param(
            [CREATED, LOGGING],
            [("bob", "StopLogging", MAIN), DELETED],
            ["eve", "eve"],
            id="though another had stopped it before",
        ),
        pytest.param(
            [CREATED, LOGGING], [("bob", "StopLogging", MAIN)], ["?", "?"], id="its deletion is not shown yet"
        ),
        pytest.param(
            [CREATED, NO_KEY], [KEYLESS, DELETED], ["eve", "eve+1"], id="at another address of the trail"
        ),
        pytest.param(
            [REMEDIATION], [CHANGED_REMEDIATION, CHANGED_RULE], ["bob"], id="of the rule, not the rule"
        ),
        pytest.param(
            [NO_CONTROLS], [("eve", "DeleteRemediationConfiguration", RULE)], ["?"], id="of one that is there"
        ),
        pytest.param([REMEDIATION], [CHANGED_RULE], ["?"], id="only the rule"),
        pytest.param([MEMBERS], [NO_MEMBER], ["bob"], id="a member was taken"),
        pytest.param([MEMBERS, SETTINGS], [NO_MEMBER], ["bob", "?"], id="and nothing else"),
        pytest.param(
            [ADMIN, SETTINGS, MEMBERS],
            [NO_MEMBER, NO_ADMIN],
            ["eve", "eve", "eve"],
            id="the administrator was",
        ),
        pytest.param([ADMIN, SETTINGS, MEMBERS], [NO_MEMBER], ["?", "?", "?"], id="which is not shown yet"),
    ],
)
def test_who_is_named(drifts: list[Drift], steps: list[Step], names: list[str]) -> None:
    service = drifts[0].call.service if drifts[0].call else ""
    assert list(named(drifts, service, steps).values()) == names


def test_what_may_be_the_cause_is_named_in_the_end() -> None:
    assert named([REGIONS], "cloudtrail", [DELETED], final=True) == {"UpdateTrail": "eve"}
    last = named([ADMIN, MEMBERS], "guardduty", [NO_MEMBER], final=True)
    assert last == {"EnableOrganizationAdminAccount": "?", "CreateMembers": "bob"}


def test_the_time_of_an_event_is_a_minute_after_the_one_before() -> None:
    assert event("cloudtrail", 2, DELETED).time == datetime.fromisoformat("2026-11-23T04:02:00+00:00")
