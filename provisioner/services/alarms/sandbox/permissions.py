"""IAM actions of requests to CloudWatch Logs, EventBridge and SNS whose parameters do not have the names of their resources."""

from __future__ import annotations

from dataclasses import replace

from ....sandbox.actions import Acts, act, authorizes, default_acts, partition
from ....sandbox.model import WireCall
from ..keys import EVENTS


@authorizes("logs")
def _logs(call: WireCall) -> Acts:
    """A log group with tags needs the permission to tag it; an identifier is a name or an ARN."""
    if name := call.params.get("logGroupIdentifier"):
        arn = f"arn:{partition(call)}:logs:{call.region}:{call.account}:log-group:{name}"
        yield act(call, f"logs:{call.operation}", name if name.startswith("arn:") else arn)
        return
    found = [*default_acts(call)]
    yield from found
    if call.operation == "CreateLogGroup" and call.params.get("tags"):
        yield from (replace(each, action="logs:TagResource") for each in found)


@authorizes("events")
def _events(call: WireCall) -> Acts:
    """The resource is the rule, on the default event bus. A target may be sent to with a role."""
    name = call.params.get("Rule") or call.params.get("Name")
    if name is None:
        yield from default_acts(call)
        return
    kind = "event-bus" if call.operation == "DescribeEventBus" else "rule"
    arn = f"arn:{partition(call)}:events:{call.region}:{call.account}:{kind}/{name}"
    yield act(call, f"events:{call.operation}", arn)
    for role in filter(None, (each.get("RoleArn") for each in call.params.get("Targets") or ())):
        yield act(call, "iam:PassRole", role, iam__PassedToService=EVENTS)


@authorizes("sns")
def _sns(call: WireCall) -> Acts:
    """The resource of a call on a subscription is its topic."""
    subscription = str(call.params.get("SubscriptionArn", ""))
    if subscription.count(":") == 6:
        yield act(call, f"sns:{call.operation}", subscription.rpartition(":")[0])
        return
    yield from default_acts(call)
