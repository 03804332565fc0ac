"""Ways to keep by hand what happens in other Regions from the event rule of the home Region."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none
from ....sandbox.policy_text import to_policy, trust_policy

_POLICY, _TARGET = "EventsToHomeRegion", "home-region"  # by which what is ours is known


@breaks("alarms_event_role")
def role_breaks(admin: Administrator) -> Iterator[Break]:
    """Let another service into the role, take its policy away, and close the bus to it."""
    iam = admin.client("iam")
    for each in iam.list_roles()["Roles"]:
        name = each["RoleName"]
        named = {"RoleName": name, "PolicyName": _POLICY}
        if read_or_none(partial(iam.get_role_policy, **named), "NoSuchEntity") is None:
            continue
        broken, what = breaks_of(f"role {name}"), f"role {name}"
        other = {"RoleName": name, "PolicyDocument": trust_policy("ec2.amazonaws.com")}
        yield broken(
            "trust statement", f"let another service into {what}", iam.update_assume_role_policy, **other
        )
        text = f"deleted the policy of {what}"
        yield broken(f"policy {_POLICY}", text, iam.delete_role_policy, **named)
        yield _closed(admin)


def _closed(admin: Administrator) -> Break:
    """Deny everybody to send to the default event bus."""
    events, field = admin.client("events"), "policy statement Closed of others"
    bus = events.describe_event_bus(Name="default")["Arn"]
    deny = {"Sid": "Closed", "Effect": "Deny", "Principal": "*", "Action": "events:*", "Resource": bus}
    broken, text = breaks_of("event bus default"), "closed the default event bus"
    put = {"Policy": to_policy(deny)}
    return broken(field, text, events.put_permission, consent="remove-foreign-statement", **put)


@breaks("alarms_event_forwarding", regional=True)
def forwarding_breaks(admin: Administrator) -> Iterator[Break]:
    """Disable the rule, let it match nothing, send its events elsewhere or nowhere, and delete it."""
    events = admin.client("events")
    for each in events.list_rules()["Rules"]:
        name, what = each["Name"], f"event rule {each['Name']}"
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
        ours = next((target for target in targets if target["Id"] == _TARGET), None)
        if ours is None:
            continue
        broken = breaks_of(what)
        yield broken("State", f"disabled {what}", events.disable_rule, Name=name)
        nothing = {"Name": name, "State": "ENABLED", "EventPattern": '{"source":["nobody"]}'}
        yield broken("EventPattern", f"matched nothing with {what}", events.put_rule, **nothing)
        field, gone = f"target {_TARGET}", {"Rule": name, "Ids": [_TARGET]}
        yield broken(field, f"sent the events of {what} nowhere", events.remove_targets, **gone)
        other = {**ours, "Arn": f"{ours['Arn'].rpartition('/')[0]}/another"}
        elsewhere = {"Rule": name, "Targets": [other]}
        yield broken(field, f"sent the events of {what} to another bus", events.put_targets, **elsewhere)
        yield broken("", f"deleted {what}", partial(_delete, events, name))


def _delete(events: Any, name: str) -> None:
    """Delete a rule, whose targets must be gone before."""
    events.remove_targets(Rule=name, Ids=[_TARGET])
    events.delete_rule(Name=name)
