"""Propagation delay: how many calls fail before AWS finds a new resource, if a test asks for it.

A service folder registers with `@creates` the resources that a call creates, and with `@needs` the resources that a call
needs, and how it fails until they are found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..ask import Request
from ..callers import caller
from ..iam import linked_role_name
from ..model import Refused
from ..rule import after, before

Resource = tuple[str, ...]
Creates = Callable[[Request], Iterator[Resource]]
Needs = Callable[[Request], Iterator[tuple[Resource, Refused]]]

_creates: dict[str, Creates] = {}  # by `service:Operation`


def creates(*operations: str) -> Callable[[Creates], Creates]:
    """Register the function that lists what a call of *operations* (`service:Operation`) creates."""

    def register(find: Creates) -> Creates:
        _creates.update(dict.fromkeys(operations, find))
        return find

    return register


def needs(*operations: str) -> Callable[[Needs], Needs]:
    """Register the function that lists what *operations* need, and AWS's error until it is found."""

    def register(find: Needs) -> Needs:
        @before("propagation.fresh", *operations)
        def refuse_fresh(request: Request) -> None:
            """A call fails for the first new resource that it needs, and brings that one call nearer."""
            fresh = request.saved("fresh")
            for resource, refusal in find(request) if fresh else ():
                if left := fresh.pop(resource, 0):
                    if left > 1:
                        fresh[resource] = left - 1
                    raise refusal

        return find

    return register


@after("propagation.fresh", "*:written", row="13.4 use of role right after create; 1.1")
def remember(request: Request, _: dict[str, Any]) -> None:
    """With `World.propagation` of n, n calls that depend on a new resource are refused."""
    find = _creates.get(f"{request.service}:{request.operation}")
    if request.world.propagation and find is not None:
        request.saved("fresh").update(dict.fromkeys(find(request), request.world.propagation))


def role(arn: str | None) -> Resource:
    """The role of that ARN as a resource."""
    parts = (arn or "").split(":", 5)
    return "role", parts[4] if len(parts) == 6 else "", (arn or "").rpartition("/")[2]


@creates("iam:CreateRole", "iam:CreateServiceLinkedRole", "iam:PutRolePolicy", "iam:AttachRolePolicy")
def _role_made(request: Request) -> Iterator[Resource]:
    name = request.params.get("RoleName") or linked_role_name(request.params["AWSServiceName"])
    yield "role", request.account, name


@creates("organizations:EnableAWSServiceAccess")
def _trust_made(request: Request) -> Iterator[Resource]:
    yield "trust", request.params["ServicePrincipal"]


@needs("sts:AssumeRole")
def _assume_needs(request: Request) -> Iterator[tuple[Resource, Refused]]:
    arn = request.params.get("RoleArn")
    text = f"User: {caller(request).arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    yield role(arn), Refused("AccessDenied", text, 403)
