"""How long AWS takes to see what was just made: counted in calls, where a test asks for it.

A service folder says with `@made` what a call makes that others need, and with `@needs` what a call is refused for while
that is not seen yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..ask import Ask
from ..callers import caller
from ..iam import linked_name
from ..rule import after, before
from ..words import Refused

Thing = tuple[str, ...]
Makes = Callable[[Ask], Iterator[Thing]]
Needs = Callable[[Ask], Iterator[tuple[Thing, Refused]]]

_made: dict[str, Makes] = {}  # by `service:Operation`


def made(*operations: str) -> Callable[[Makes], Makes]:
    """Register what a call of *operations* (`service:Operation`) makes."""

    def register(makes: Makes) -> Makes:
        _made.update(dict.fromkeys(operations, makes))
        return makes

    return register


def needs(*operations: str) -> Callable[[Needs], Needs]:
    """Register what *operations* need, and what AWS answers as long as it is not seen."""

    def register(find: Needs) -> Needs:
        @before("propagation.fresh", *operations)
        def refuse_fresh(ask: Ask) -> None:
            """An attempt is refused for the first thing that is not there yet, and brings it one call nearer."""
            fresh = ask.note("fresh")
            for thing, refusal in find(ask) if fresh else ():
                if left := fresh.pop(thing, 0):
                    if left > 1:
                        fresh[thing] = left - 1
                    raise refusal

        return find

    return register


@after("propagation.fresh", "*:written", row="13.4 use of role right after create; 1.1")
def remember(ask: Ask, _: dict[str, Any]) -> None:
    """Where `World.propagation` is n, what was just made is refused n times by what depends on it."""
    makes = _made.get(f"{ask.service}:{ask.operation}")
    if ask.world.propagation and makes is not None:
        ask.note("fresh").update(dict.fromkeys(makes(ask), ask.world.propagation))


def role(arn: str | None) -> Thing:
    """The role of that ARN, as something that is made."""
    parts = (arn or "").split(":", 5)
    return "role", parts[4] if len(parts) == 6 else "", (arn or "").rpartition("/")[2]


@made("iam:CreateRole", "iam:CreateServiceLinkedRole", "iam:PutRolePolicy", "iam:AttachRolePolicy")
def _role_made(ask: Ask) -> Iterator[Thing]:
    name = ask.params.get("RoleName") or linked_name(ask.params["AWSServiceName"])
    yield "role", ask.account, name


@made("organizations:EnableAWSServiceAccess")
def _trust_made(ask: Ask) -> Iterator[Thing]:
    yield "trust", ask.params["ServicePrincipal"]


@needs("sts:AssumeRole")
def _assume_needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    arn = ask.params.get("RoleArn")
    text = f"User: {caller(ask).arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    yield role(arn), Refused("AccessDenied", text, 403)
