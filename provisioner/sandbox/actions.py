"""What a request asks to be allowed: actions on resources, as the policies of its caller would see them.

AWS's Service Authorization Reference (`reference`) tells which action is about what. Where an operation asks for more
than the action of its name, its service says so with `@authorizes`. All of it is written from AWS's pages alone, never
from what the steps declare, so that each proves the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .policy_eval import Act
from .reference import ResourceType, find_action, service_prefix
from .rule import read_rooms
from .words import WireCall

_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")

Acts = Iterator[Act]
Asks = Callable[[WireCall], Acts]
_asks: dict[str, Asks] = {}  # by service


def authorizes(service: str) -> Callable[[Asks], Asks]:
    """Make a function say what each request to a service, as botocore names it, asks to be allowed.

    `named(call)` is what it would be without: the action of the operation's name, on what its parameters name.
    """

    def register(asks: Asks) -> Asks:
        _asks[service] = asks
        return asks

    return register


def acts(call: WireCall) -> list[Act]:
    """Everything that AWS asks to be allowed for one request, what depends on it included; nothing if it is not known."""
    read_rooms()
    return list(_asks.get(call.service, named)(call))


def named(call: WireCall) -> Acts:
    """The action of the operation's name, on the resources that the parameters name; on all (`*`) where they name none."""
    action = find_action(f"{service_prefix(call.service)}:{call.operation}")
    if action is None:
        return
    found = [arn for kind in action.resources for arn in _arns(call, kind)]
    for resource in found or ["*"]:
        yield act(call, action.name, resource)


def _arns(call: WireCall, kind: ResourceType) -> Iterator[str]:
    """The ARNs of that kind that the request is about: given whole, or made from the names in it."""
    leaves = list(_leaves(call.params))
    whole = [each for _, each in leaves if each.startswith("arn:") and kind.fits(each)]
    if whole:
        yield from whole
        return
    known = {"partition": partition(call), "region": call.region, "account": call.account}
    values = {**{key.lower(): value for key, value in reversed(leaves)}, **known}
    short = {each: each.removeprefix(kind.name.lower()) for each in map(str.lower, kind.variables)}
    if all(each in values or short[each] in values for each in short):
        yield _VARIABLE.sub(lambda v: values.get(v[1].lower()) or values[short[v[1].lower()]], kind.arn)


def _leaves(params: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in the parameters, with the name of its field."""
    if isinstance(params, str):
        yield key, params
    elif isinstance(params, Mapping):
        for name, value in params.items():
            yield from _leaves(value, name)
    elif isinstance(params, list):
        for value in params:
            yield from _leaves(value, key)


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
