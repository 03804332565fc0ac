"""Targets of EventBridge rules: how many, and buses of other Regions. Moto keeps rules and targets, and takes any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....compare.policy_eval import Act, decide_trust
from ....sandbox.ask import Request
from ....sandbox.iam import role_by_arn
from ....sandbox.model import Refused
from ....sandbox.rule import before
from ....sandbox.rules.propagation import Resource, needs, role
from ..keys import EVENTS

_INVALID = "ValidationException"


@before("events.targets", "PutTargets", row="16.E PutTargets with 6 targets accepted")
def targets(request: Request) -> None:
    """A rule has five targets at most."""
    rule = request.store("events").event_buses["default"].rules.get(request.params["Rule"])
    known = {each["Id"] for each in rule.targets} if rule else set()
    if len(known | {each["Id"] for each in request.params["Targets"]}) > 5:
        text = "The requested resource exceeds the maximum number allowed."
        raise Refused("LimitExceededException", text)


@before("events.other_region", "PutTargets", row="16.E EventBridge: rules see only their Region")
def other_region(request: Request) -> None:
    """Of another Region, only an event bus may be a target, with a role; see terraform-provider-aws#31444."""
    for each in request.params["Targets"]:
        service, region = each["Arn"].split(":")[2:4]
        if region not in {"", request.region} and (service != "events" or not each.get("RoleArn")):
            raise Refused(_INVALID, "Cross-region api call is not allowed.")


@before("events.target_role", "PutTargets", row="16.E EventBridge: rules see only their Region")
def target_role(request: Request) -> None:
    """The role of a target must exist, and let EventBridge in for this rule."""
    for each in _with_role(request):
        held = role_by_arn(each["RoleArn"])
        name = f"rule/{request.params['Rule']}"
        source = f"arn:{request.partition}:events:{request.region}:{request.account}:{name}"
        context = {"aws:sourceaccount": request.account, "aws:sourcearn": source}
        act = Act("sts:AssumeRole", each["RoleArn"], EVENTS, context)
        if held is None or decide_trust(held.trust, act) != "allow":
            raise _not_let_in(each["RoleArn"])


@needs("events:PutTargets")
def _targets_need(request: Request) -> Iterator[tuple[Resource, Refused]]:
    for each in _with_role(request):
        yield role(each["RoleArn"]), _not_let_in(each["RoleArn"])


def _with_role(request: Request) -> list[dict[str, Any]]:
    return [each for each in request.params["Targets"] if each.get("RoleArn")]


def _not_let_in(arn: str) -> Refused:
    return Refused(_INVALID, f"Provided role '{arn}' cannot be assumed by principal '{EVENTS}'.")
