"""What is the same in many accounts and Regions, but for their own id and name in it. Nothing is copied: only pointed at."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, Generic, TypeVar

from ..model import Result, Target

ACCOUNT, REGION = "${account_id}", "${region}"

T = TypeVar("T")

_NUMBER: Final = re.compile("[0-9]+")
_FORM: Final = re.compile(r"\$\$|\$\{(account_id|region)\}")


@dataclass
class Group(Generic[T]):
    """Things that are the same in all *results*, at least one. *one* of them is the thing of *first*, its *at*-th there."""

    one: T
    first: Result
    at: int
    results: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """The result has it, too; once, however often it has it."""
        if not self.results or self.results[-1] is not result:
            self.results.append(result)

    @property
    def step(self) -> str:
        """The step that all of them are of."""
        return self.first.step


def general(value: Any, target: Target, *, account: bool, region: bool) -> Any:
    """*value* with the target's own account id and Region as placeholders, in every string of it, however deep.

    *account*, *region*: which of the two. Only whole ones count: the id is not found in a longer number.
    """
    own = _Own(target.account if account else "", target.region if region else "")
    return own.said(value) if own.account or own.region else value


def alike(found: Iterable[tuple[Result, Sequence[T]]], identity: Callable[[T], Any]) -> list[Group[T]]:
    """The *things* of all results, each in one group: with all that are the same, and of the same step.

    The same is what has an equal *identity* (JSON-like) once its own account and Region are placeholders. The central
    account and the one that keeps the logs are named in what is made elsewhere. There, and only there, the name stays;
    and what is then the same in these two themselves belongs to that group, too.
    """
    groups: dict[bytes, Group[T]] = {}
    naming: dict[tuple[str, str], list[Group[T]]] = defaultdict(list)
    central: list[tuple[Result, int, T]] = []
    for result, things in found:
        target = result.target
        special = {target.central, target.archive} - {""}
        own = _Own(target.account, target.region, escape=True)
        for at, thing in enumerate(things):
            if target.account in special:
                central.append((result, at, thing))
                continue
            said = _spelled(result.step, own.said(identity(thing)))
            group = groups.get(key := _key(said))
            if group is None:
                group = groups[key] = Group(thing, result, at)
                for each in special:
                    if each in said:
                        naming[result.step, each].append(group)
            elif _where(result) < _where(group.first):
                group.one, group.first, group.at = thing, result, at
            group.add(result)
    _join_central(groups, naming, central, identity)
    return list(groups.values())


def _join_central(
    groups: dict[bytes, Group[T]],
    naming: Mapping[tuple[str, str], Sequence[Group[T]]],
    central: list[tuple[Result, int, T]],
    identity: Callable[[T], Any],
) -> None:
    """What is of the accounts that others name goes to the others' groups where it is what these say there."""
    said_there: dict[tuple[str, str, str], dict[str, Group[T]]] = {}
    for result, at, thing in sorted(central, key=lambda each: (_where(each[0]), each[1])):
        step, target = result.step, result.target
        where = (step, target.account, target.region)
        if where not in said_there:
            said_there[where] = {}
            for each in sorted(naming.get((step, target.account), ()), key=_size):
                said = _spelled(step, _filled(_template(each, identity), target))
                said_there[where].setdefault(said, each)
        literal = _spelled(step, _Own("", "", escape=True).said(identity(thing)))
        own = _Own(target.account, target.region, escape=True)
        key = _key(_spelled(step, own.said(identity(thing))))
        group = said_there[where].get(literal) or groups.get(key)
        if group is None:
            group = groups[key] = Group(thing, result, at)
        group.add(result)


def _template(group: Group[T], identity: Callable[[T], Any]) -> Any:
    target = group.first.target
    return _Own(target.account, target.region, escape=True).said(identity(group.one))


def _where(result: Result) -> tuple[str, str]:
    return result.target.account, result.target.region


def _size(group: Group[Any]) -> tuple[Any, ...]:
    """Large groups first."""
    return -len(group.results), _where(group.first), group.at


def _spelled(step: str, said: Any) -> str:
    return json.dumps([step, said], sort_keys=True, default=str)


def _key(spelled: str) -> bytes:
    """Short, so that a thousand accounts need no memory."""
    return blake2b(spelled.encode(), digest_size=16).digest()


@dataclass
class _Own:
    """Says a value without the account's id and the Region's name. Escaped, no two values are said alike."""

    account: str
    region: str
    escape: bool = False

    def said(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self.said(key): self.said(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.said(each) for each in value]
        return value

    def _text(self, text: str) -> str:
        if self.escape and "$" in text:
            text = text.replace("$", "$$")
        if self.account and self.account in text:
            text = _NUMBER.sub(lambda found: ACCOUNT if found[0] == self.account else found[0], text)
        if self.region and self.region in text:
            text = _whole(self.region).sub(lambda found: REGION, text)
        return text


@lru_cache(maxsize=256)
def _whole(region: str) -> re.Pattern[str]:
    """The Region's name, but not in a longer one and not in that of a zone: `us-east-1a`."""
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(region)}(?![A-Za-z0-9])")


def _filled(value: Any, target: Target) -> Any:
    """An escaped value, as it is in *target*."""
    if isinstance(value, str):
        there = {"account_id": target.account, "region": target.region}
        return _FORM.sub(lambda found: there[found[1]] if found[1] else found[0], value)
    if isinstance(value, Mapping):
        return {_filled(key, target): _filled(each, target) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, target) for each in value]
    return value
