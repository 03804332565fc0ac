"""Group equal results across accounts and Regions.

Results are equal if they are after each account id and Region name in them is replaced by a placeholder. A group refers
to the results and copies nothing.
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
_PLACEHOLDER: Final = re.compile(r"\$\$|\$\{(?:account_id|region)\}")


@dataclass
class Group(Generic[T]):
    """Equal items, one of each of *results*. *sample* is one of them: item number *index* of the result *first*."""

    sample: T
    first: Result
    index: int
    results: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Add a result, unless it was the last one added."""
        if not self.results or self.results[-1] is not result:
            self.results.append(result)

    @property
    def step(self) -> str:
        """The step of all the items."""
        return self.first.step


def group(found: Iterable[tuple[Result, Sequence[T]]], identity: Callable[[T], Any]) -> list[Group[T]]:
    """Group the items of all results: those of the same step whose *identity* (JSON-like) makes the same template.

    Other accounts name the central account and the log archive, as in the name of a bucket. Outside of these two the id
    stays as it is. An item of these two joins the group whose template, filled in for it, is equal to it.
    """
    groups: dict[bytes, Group[T]] = {}
    naming: dict[tuple[str, str], list[Group[T]]] = defaultdict(list)
    central: list[tuple[Result, int, T]] = []
    for result, items in found:
        target = result.target
        special = {target.central, target.archive} - {""}
        for index, item in enumerate(items):
            if target.account in special:
                central.append((result, index, item))
                continue
            text = _to_text(result.step, to_template(identity(item), target, escape=True))
            same = groups.get(key := _key(text))
            if same is None:
                same = groups[key] = Group(item, result, index)
                for account in special:
                    if account in text:
                        naming[result.step, account].append(same)
            elif _place(result) < _place(same.first):
                same.sample, same.first, same.index = item, result, index
            same.add(result)
    _join_central(groups, naming, central, identity)
    return list(groups.values())


def _join_central(
    groups: dict[bytes, Group[T]],
    naming: Mapping[tuple[str, str], Sequence[Group[T]]],
    central: list[tuple[Result, int, T]],
    identity: Callable[[T], Any],
) -> None:
    """Add the items of the central account and the log archive to the groups that they equal, or make groups of them.

    *naming*: the groups of other accounts, by step and by the account that they name.
    """
    filled: dict[tuple[str, str, str], dict[str, Group[T]]] = {}
    for result, index, item in sorted(central, key=lambda each: (_place(each[0]), each[1])):
        step, target = result.step, result.target
        where = (step, target.account, target.region)
        if where not in filled:
            filled[where] = {}
            for each in sorted(naming.get((step, target.account), ()), key=_size):
                text = _to_text(step, fill(template_of(each, identity), target))
                filled[where].setdefault(text, each)
        literal = _to_text(step, escaped(identity(item)))
        key = _key(_to_text(step, to_template(identity(item), target, escape=True)))
        same = filled[where].get(literal) or groups.get(key)
        if same is None:
            same = groups[key] = Group(item, result, index)
        same.add(result)


def template_of(group: Group[T], identity: Callable[[T], Any]) -> Any:
    """The escaped template of a group: its identity with placeholders for account and Region."""
    return to_template(identity(group.sample), group.first.target, escape=True)


def to_template(
    value: Any, target: Target, *, account: bool = True, region: bool = True, escape: bool = False
) -> Any:
    """*value* with the account id and the Region of *target* replaced by placeholders, in every string in it.

    *account*, *region*: which of the two. Only whole names count: an id is not found in a longer number. *escape* doubles
    each `$`, so that no two values make the same template.
    """
    return _replaced(value, target.account if account else "", target.region if region else "", escape=escape)


def escaped(value: Any) -> Any:
    """*value* as an escaped template without placeholders."""
    return _replaced(value, "", "", escape=True)


def fill(template: Any, target: Target, *, unescape: bool = False) -> Any:
    """An escaped template with the account and Region of *target* in place of the placeholders; *unescape*: `$` for `$$`."""
    names = {ACCOUNT: target.account, REGION: target.region, "$$": "$" if unescape else "$$"}

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda found: names[found[0]], value)
        if isinstance(value, Mapping):
            return {filled(key): filled(each) for key, each in value.items()}
        return [filled(each) for each in value] if isinstance(value, list) else value

    return filled(template)


def _replaced(value: Any, account: str, region: str, *, escape: bool) -> Any:
    def replaced(value: Any) -> Any:
        if isinstance(value, str):
            return in_text(value)
        if isinstance(value, Mapping):
            return {replaced(key): replaced(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [replaced(each) for each in value]
        return value

    def in_text(text: str) -> str:
        if escape:
            text = text.replace("$", "$$")
        if account and account in text:
            text = _NUMBER.sub(lambda found: ACCOUNT if found[0] == account else found[0], text)
        if region and region in text:
            text = _whole(region).sub(lambda found: REGION, text)
        return text

    return replaced(value) if account or region or escape else value


@lru_cache(maxsize=256)
def _whole(region: str) -> re.Pattern[str]:
    """The Region's name, but not in a longer one and not in that of a zone: `us-east-1a`."""
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(region)}(?![A-Za-z0-9])")


def _place(result: Result) -> tuple[str, str]:
    return result.target.account, result.target.region


def _size(group: Group[Any]) -> tuple[Any, ...]:
    """Sort key: large groups first."""
    return -len(group.results), _place(group.first), group.index


def _to_text(step: str, value: Any) -> str:
    return json.dumps([step, value], sort_keys=True, default=str)


def _key(text: str) -> bytes:
    """A short hash, which keeps the memory for a thousand accounts small."""
    return blake2b(text.encode(), digest_size=16).digest()
