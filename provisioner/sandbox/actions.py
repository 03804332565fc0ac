"""The IAM actions and resources that a request must be allowed, as the policies of its caller would be evaluated.

AWS's Service Authorization Reference (`reference`) gives the resources of an action. A service whose operations need more
than the action of their name registers a function with `@authorizes`. All of it is written from AWS's pages alone, never
from the permissions that the steps declare, so that each proves the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..compare.policy_eval import Act
from .iam import linked_role_name
from .model import WireCall
from .partitions import partition_of
from .reference import ResourceType, find_action, service_prefix
from .rule import import_rules

_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")

Acts = Iterator[Act]
FindActs = Callable[[WireCall], Acts]
_services: dict[str, FindActs] = {}


def authorizes(service: str) -> Callable[[FindActs], FindActs]:
    """Register the function that lists what a request to a service must be allowed; botocore's service name.

    Without one, `default_acts` is used.
    """

    def register(find: FindActs) -> FindActs:
        _services[service] = find
        return find

    return register


def acts(call: WireCall) -> list[Act]:
    """Everything that one request must be allowed; empty if the operation is unknown."""
    import_rules()
    return list(_services.get(call.service, default_acts)(call))


def default_acts(call: WireCall) -> Acts:
    """The action with the operation's name, on the resources that the parameters name, or on `*` if they name none."""
    action = find_action(f"{service_prefix(call.service)}:{call.operation}")
    if action is None:
        return
    found = [arn for kind in action.resources for arn in _arns(call, kind)]
    for resource in found or ["*"]:
        yield act(call, action.name, resource)


def _arns(call: WireCall, kind: ResourceType) -> Iterator[str]:
    """The ARNs of one resource type in the request: those given as ARNs, else one built from the names in it."""
    leaves = list(_leaves(call.params))
    if given := [each for _, each in leaves if each.startswith("arn:") and kind.fits(each)]:
        yield from given
        return
    known = {"partition": partition(call), "region": call.region, "account": call.account}
    values = {**{key.lower(): value for key, value in reversed(leaves)}, **known}
    short = {each: each.removeprefix(kind.name.lower()) for each in map(str.lower, kind.variables)}
    if all(each in values or short[each] in values for each in short):
        yield _VARIABLE.sub(lambda v: values.get(v[1].lower()) or values[short[v[1].lower()]], kind.arn)


def _leaves(params: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string in the parameters, with the name of its field."""
    if isinstance(params, str):
        yield key, params
    elif isinstance(params, Mapping):
        for name, value in params.items():
            yield from _leaves(value, name)
    elif isinstance(params, list):
        for value in params:
            yield from _leaves(value, key)


def act(call: WireCall, action: str, resource: str, **context: str) -> Act:
    """One action on one resource; a context key has `__` in place of its colon."""
    keys = {name.replace("__", ":").lower(): value for name, value in context.items()}
    base = {"aws:requestedregion": call.region, "aws:principalaccount": call.account}
    caller = call.caller or f"arn:{partition(call)}:iam::{call.account}:user/sandbox"
    return Act(action, resource, caller, {**base, **keys})


def partition(call: WireCall) -> str:
    """The partition of the Region that was called."""
    return partition_of(call.region)


def linked_role_arn(call: WireCall, principal: str) -> str:
    """The ARN of the service-linked role of a service principal, in the account of the caller."""
    path = f"role/aws-service-role/{principal}/{linked_role_name(principal)}"
    return f"arn:{partition(call)}:iam::{call.account}:{path}"
