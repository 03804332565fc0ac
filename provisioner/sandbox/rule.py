"""The registry of strict rules: what AWS does and moto does not, as functions around moto's operations.

A rule has a stable name `service.what`, and one or more parts. A part runs in the server, between the
door (in process or HTTP) and moto, so both doors obey the same rules.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any, Literal, TypeVar

from .words import SandboxError

Part = TypeVar("Part", bound=Callable[..., Any])
Place = Literal["before", "instead", "after"]
Key = tuple[str, str, Place]


@dataclass(frozen=True, order=True)
class Rule:
    """One divergence from moto: its name, one sentence that is true with it, and its row in aws.md."""

    name: str
    sentence: str
    row: str


@dataclass
class Book:
    """The parts that are in force, by service, operation and place."""

    parts: dict[Key, list[Callable[..., Any]]] = field(default_factory=lambda: defaultdict(list))

    def gate(self) -> list[Callable[..., Any]]:
        """The parts that every request passes first, whatever its service."""
        return self.parts.get(("*", "*", "before"), [])

    def written(self) -> list[Callable[..., Any]]:
        """The parts that run after each write that succeeded, whatever its service."""
        return self.parts.get(("*", "written", "after"), [])

    def find(self, service: str, operation: str, place: Place) -> list[Callable[..., Any]]:
        """The parts for one operation, in the order of their definition."""
        keys = [(service, "*", place), (service, operation, place)]
        keys += [("*", "*", place)] if place == "after" else []
        return [part for key in keys for part in self.parts.get(key, ())]


_rules: dict[str, Rule] = {}
_parts: list[tuple[str, Key, Callable[..., Any]]] = []


def before(name: str, *operations: str, row: str = "") -> Callable[[Part], Part]:
    """The part runs first and may raise `Refused`, or change the request."""
    return _part("before", name, operations, row)


def instead(name: str, *operations: str, row: str = "") -> Callable[[Part], Part]:
    """The part answers in place of moto: it returns the result as a dict, or an `Answer` of moto's."""
    return _part("instead", name, operations, row)


def after(name: str, *operations: str, row: str = "") -> Callable[[Part], Part]:
    """The part runs after a success and may change the result (of services that speak JSON)."""
    return _part("after", name, operations, row)


def _part(place: Place, name: str, operations: tuple[str, ...], row: str) -> Callable[[Part], Part]:
    """Enter a function under the rule *name*; another service's operation is `service:Operation`.

    `*:*` is every request, and `*:written` every write that succeeded.
    """

    def enter(part: Part) -> Part:
        if name not in _rules or (row and not _rules[name].row):
            sentence = _rules[name].sentence if name in _rules else (part.__doc__ or "").split("\n")[0]
            _rules[name] = Rule(name, sentence, row or (_rules[name].row if name in _rules else ""))
        for operation in operations:
            service, _, plain = operation.rpartition(":")
            _parts.append((name, (service or name.split(".", maxsplit=1)[0], plain, place), part))
        return part

    return enter


@cache
def read_rooms() -> None:
    """Import the rules of the core, and those of each service folder."""
    from .. import services
    from . import rules

    import_all(rules)
    for folder in pkgutil.iter_modules(services.__path__):
        service = importlib.import_module(f"{services.__name__}.{folder.name}")
        if any(each.name == "sandbox" for each in pkgutil.iter_modules(service.__path__)):
            import_all(importlib.import_module(f"{service.__name__}.sandbox"))


def import_all(package: ModuleType) -> None:
    """Import the module, and where it is a package each module in it, by name."""
    for each in sorted(pkgutil.iter_modules(getattr(package, "__path__", [])), key=lambda found: found.name):
        importlib.import_module(f"{package.__name__}.{each.name}")


def every() -> tuple[Rule, ...]:
    """All rules, by name."""
    read_rooms()
    return tuple(sorted(_rules.values()))


def book(without: Collection[str]) -> Book:
    """The rules in force; raises `SandboxError` for a name in *without* that is no rule."""
    read_rooms()
    if unknown := sorted(set(without) - set(_rules)):
        raise SandboxError(f"no such sandbox rule: {', '.join(f'`{name}`' for name in unknown)}")
    made = Book()
    for name, key, part in _parts:
        if name not in without:
            made.parts[key].append(part)
    return made
