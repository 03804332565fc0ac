"""Breaking things by hand: what somebody with the console might have done. `@breaks` lists every way, for each step."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from . import door, rule
from .seed import MANAGEMENT
from .words import SandboxError

if TYPE_CHECKING:
    from .world import World


@dataclass(frozen=True)
class Break:
    """One way in which a resource can be broken.

    *resource* and *field* are the names under which `diff` then shows it, *field* empty where more than one shows or the
    resource is gone. *asked* is where the file asks for it, below the section (`*.versioning.status`; `*` is any key); in
    several places, with a space between them.
    """

    resource: str
    field: str
    sentence: str
    do: Callable[[], Any]
    asked: str = ""
    stricter: bool = False  # to the stricter side: no drift, and kept


@dataclass(frozen=True)
class Hands:
    """Somebody in one account and Region who may do everything."""

    account: str
    region: str
    home: bool = True
    session: boto3.Session = field(default_factory=boto3.Session)

    @classmethod
    def of(cls, account: str, region: str, keys: Mapping[str, str], *, home: bool) -> Hands:
        """With credentials of the account, as boto3's session takes them."""
        return cls(account, region, home, boto3.Session(**keys))  # type: ignore[arg-type] # typed by position

    def client(self, service: str, region: str = "") -> Any:
        """A client of the service, in this Region unless another is named."""
        key = (service, region or self.region)
        if key not in self._clients:
            self._clients[key] = self.session.client(service, region_name=key[1])  # type: ignore[call-overload]
        return self._clients[key]

    @cached_property
    def _clients(self) -> dict[tuple[str, str], Any]:
        return {}


Breaking = Callable[[Hands], Iterator[Break]]


@dataclass(frozen=True)
class Breaks:
    """The ways to break what step *step* ensures, in each Region where *regional*."""

    step: str
    regional: bool
    found: Breaking


_breaks: list[Breaks] = []


def breaks(step: str, *, regional: bool = False) -> Callable[[Breaking], Breaking]:
    """Register a function that lists the ways to break what a step ensures, as far as it is there now."""

    def register(found: Breaking) -> Breaking:
        _breaks.append(Breaks(step, regional, found))
        return found

    return register


def every_break(hands: Iterable[Hands], step: str = "") -> Iterator[tuple[str, Hands, Break]]:
    """Each way to break what is there now, with its step, by *hands* in each Region; those at home break the rest, too.

    With *step*, only of that step.
    """
    rule.every()
    for each in sorted(_breaks, key=lambda found: found.step):
        for one in hands if step in {"", each.step} else ():
            if each.regional or one.home:
                yield from ((each.step, one, found) for found in each.found(one))


def drift(world: World | None, seed: int | None, count: int = 3) -> list[str]:
    """*count* things, fewer where there are not so many, are broken; one sentence tells of each.

    The same *seed* breaks the same things of the same sandbox. Raises `SandboxError` where none is open:
    nothing is ever broken in AWS itself.
    """
    if not door.is_open():
        raise SandboxError("no sandbox is open: drift breaks things in a sandbox only")
    chance = random.Random(seed)  # noqa: S311 it shall be foreseeable
    account = world.account_id if world else MANAGEMENT
    regions = sorted(world.regions_written(account)) if world else ["us-east-1"]
    home = regions[0] if regions else "us-east-1"
    hands = [Hands(account, region, home=region == home) for region in dict.fromkeys(["us-east-1", *regions])]
    found = sorted(
        ((one, hand) for _, hand, one in every_break(hands) if not one.stricter),
        key=lambda each: (each[0].sentence, each[1].region),
    )
    chance.shuffle(found)
    said: list[str] = []
    touched: set[tuple[str, str]] = set()
    for one, hand in found:
        if len(said) == count:
            break
        # AWS may refuse: a channel cannot be changed while its bucket's policy is broken.
        if (one.resource, hand.region) not in touched and done(one):
            touched.add((one.resource, hand.region))
            said.append(one.sentence)
    return said


def done(one: Break) -> bool:
    """It is broken now; False where AWS refused."""
    try:
        one.do()
    except ClientError:
        return False
    return True


def answer(call: Callable[..., Any], *absent: str, **params: Any) -> Any:
    """AWS's answer, or None for what is not there: one of the *absent* codes."""
    try:
        return call(**params)
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return None
        raise
