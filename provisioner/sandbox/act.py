"""One thing that a request asks to be allowed, as the policies of its caller would see it."""

from __future__ import annotations

from collections.abc import Iterator

from .policy_eval import Act
from .words import WireCall

Acts = Iterator[Act]


def act(call: WireCall, action: str, resource: str, **context: str) -> Act:
    """*action* on *resource*; a context key has `__` for its colon."""
    keys = {name.replace("__", ":").lower(): value for name, value in context.items()}
    base = {"aws:requestedregion": call.region, "aws:principalaccount": call.account}
    who = call.caller or f"arn:{partition(call)}:iam::{call.account}:user/sandbox"
    return Act(action, resource, who, {**base, **keys})


def partition(call: WireCall) -> str:
    """The partition of the Region that was called."""
    if call.region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if call.region.startswith("us-gov-") else "aws"
