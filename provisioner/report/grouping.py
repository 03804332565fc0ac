"""Group equal results across accounts and Regions.

Things are equal if they are after each account id and Region name of their own place is replaced by a placeholder.
Nothing is copied: a group points at the things that it is made of.
"""

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
_PLACEHOLDER: Final = re.compile(r"\$\$|\$\{(account_id|region)\}")


@dataclass
class Group(Generic[T]):
    """Equal things, one of each of *results*. *one* stands for them all: it is the *at*-th thing of the result *first*."""

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


def to_template(value: Any, target: Target, *, account: bool, region: bool) -> Any:
    """*value* with the target's own account id and Region as placeholders, in every string of it, however deep.

    *account*, *region*: which of the two. Only whole ones count: the id is not found in a longer number.
    """
    template = _Template(target.account if account else "", target.region if region else "")
    return template.of(value) if template.account or template.region else value


def group(found: Iterable[tuple[Result, Sequence[T]]], identity: Callable[[T], Any]) -> list[Group[T]]:
    """The *things* of all results, each in one group, with all that are equal and of the same step.

    Equal is what has an equal *identity* (JSON-like) once its own account and Region are placeholders. The central
    account and the log archive are named in what is made elsewhere. There, and only there, the name stays; and what is
    then equal in these two themselves belongs to that group, too.
    """
    groups: dict[bytes, Group[T]] = {}
    naming: dict[tuple[str, str], list[Group[T]]] = defaultdict(list)
    central: list[tuple[Result, int, T]] = []
    for result, things in found:
        target = result.target
        special = {target.central, target.archive} - {""}
        template = _Template(target.account, target.region, escape=True)
        for at, thing in enumerate(things):
            if target.account in special:
                central.append((result, at, thing))
                continue
            text = _text_of(result.step, template.of(identity(thing)))
            found_group = groups.get(key := _key(text))
            if found_group is None:
                found_group = groups[key] = Group(thing, result, at)
                for each in special:
                    if each in text:
                        naming[result.step, each].append(found_group)
            elif _where(result) < _where(found_group.first):
                found_group.one, found_group.first, found_group.at = thing, result, at
            found_group.add(result)
    _join_central(groups, naming, central, identity)
    return list(groups.values())


def _join_central(
    groups: dict[bytes, Group[T]],
    naming: Mapping[tuple[str, str], Sequence[Group[T]]],
    central: list[tuple[Result, int, T]],
    identity: Callable[[T], Any],
) -> None:
    """What is of the accounts that others name goes to the others' groups where it is what these say there."""
    filled_there: dict[tuple[str, str, str], dict[str, Group[T]]] = {}
    for result, at, thing in sorted(central, key=lambda each: (_where(each[0]), each[1])):
        step, target = result.step, result.target
        where = (step, target.account, target.region)
        if where not in filled_there:
            filled_there[where] = {}
            for each in sorted(naming.get((step, target.account), ()), key=_size):
                text = _text_of(step, fill(template_of(each, identity), target))
                filled_there[where].setdefault(text, each)
        literal = _text_of(step, escaped(identity(thing)))
        template = _Template(target.account, target.region, escape=True)
        key = _key(_text_of(step, template.of(identity(thing))))
        found = filled_there[where].get(literal) or groups.get(key)
        if found is None:
            found = groups[key] = Group(thing, result, at)
        found.add(result)


def template_of(group: Group[T], identity: Callable[[T], Any]) -> Any:
    """What is equal in all of the group, with placeholders for account and Region, a dollar sign escaped."""
    target = group.first.target
    return _Template(target.account, target.region, escape=True).of(identity(group.one))


def escaped(value: Any) -> Any:
    """*value* as a template without placeholders."""
    return _Template("", "", escape=True).of(value)


def fill(template: Any, target: Target) -> Any:
    """An escaped template, as it is in *target*."""
    if isinstance(template, str):
        there = {"account_id": target.account, "region": target.region}
        return _PLACEHOLDER.sub(lambda found: there[found[1]] if found[1] else found[0], template)
    if isinstance(template, Mapping):
        return {fill(key, target): fill(each, target) for key, each in template.items()}
    if isinstance(template, list):
        return [fill(each, target) for each in template]
    return template


def _where(result: Result) -> tuple[str, str]:
    return result.target.account, result.target.region


def _size(group: Group[Any]) -> tuple[Any, ...]:
    """Large groups first."""
    return -len(group.results), _where(group.first), group.at


def _text_of(step: str, value: Any) -> str:
    return json.dumps([step, value], sort_keys=True, default=str)


def _key(text: str) -> bytes:
    """Short, so that a thousand accounts need no memory."""
    return blake2b(text.encode(), digest_size=16).digest()


@dataclass
class _Template:
    """Replaces an account id and a Region by placeholders. Escaped, no two values become the same template."""

    account: str
    region: str
    escape: bool = False

    def of(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self.of(key): self.of(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(each) for each in value]
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
