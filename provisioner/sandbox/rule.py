"""The registry of strict rules: functions around moto's operations that correct it to AWS's behaviour.

A rule has a stable name `service.what` and one or more parts. A part runs between the request, in process or over HTTP,
and moto, so both obey the same rules.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cache
from types import ModuleType
from typing import Any, Literal, TypeVar

from .model import SandboxError

Part = TypeVar("Part", bound=Callable[..., Any])
Place = Literal["before", "instead", "after"]
Key = tuple[str, str, Place]


@dataclass(frozen=True, order=True)
class Rule:
    """One divergence of moto: its name, a sentence with AWS's behaviour, and its row in aws.md."""

    name: str
    sentence: str
    row: str


@dataclass
class RuleSet:
    """The parts of the rules that are switched on, by service, operation and place."""

    parts: dict[Key, list[Callable[..., Any]]] = field(default_factory=lambda: defaultdict(list))

    def find(self, service: str, operation: str, place: Place) -> list[Callable[..., Any]]:
        """The parts for one operation, in the order of their definition.

        Service `*` with operation `*` finds those for every request, with `written` those for every write that
        succeeded, and with `refused` those for every other.
        """
        keys = [(service, operation, place)]
        if service != "*":
            keys.insert(0, (service, "*", place))
            keys += [("*", "*", place)] if place == "after" else []
        return [part for key in keys for part in self.parts.get(key, ())]


_rules: dict[str, Rule] = {}
_parts: list[tuple[str, Key, Callable[..., Any]]] = []


def before(name: str, *operations: str, row: str = "") -> Callable[[Part], Part]:
    """Register a part that runs before moto and may raise `Refused` or change the request."""
    return _part("before", name, operations, row)


def instead(name: str, *operations: str, row: str = "") -> Callable[[Part], Part]:
    """Register a part that replaces moto: it returns the result as a dict, or a `Response` of moto's."""
    return _part("instead", name, operations, row)


def after(name: str, *operations: str, row: str = "") -> Callable[[Part], Part]:
    """Register a part that runs after a success and may change the result (JSON protocols only)."""
    return _part("after", name, operations, row)


def _part(place: Place, name: str, operations: tuple[str, ...], row: str) -> Callable[[Part], Part]:
    """Register a function under the rule *name*; another service's operation is `service:Operation`.

    `*:*` is every request, `*:written` every successful write, and `*:refused` every other. The first docstring line
    of a rule is its sentence.
    """

    def register(part: Part) -> Part:
        known = _rules.get(name) or Rule(name, (part.__doc__ or "").split("\n")[0], row)
        _rules[name] = replace(known, row=known.row or row)
        for operation in operations:
            service, _, plain = operation.rpartition(":")
            _parts.append((name, (service or name.split(".", maxsplit=1)[0], plain, place), part))
        return part

    return register


@cache
def import_rules() -> None:
    """Import the rules of the core and of each service folder."""
    from .. import services
    from . import rules

    import_all(rules)
    for folder in pkgutil.iter_modules(services.__path__):
        service = importlib.import_module(f"{services.__name__}.{folder.name}")
        if any(each.name == "sandbox" for each in pkgutil.iter_modules(service.__path__)):
            import_all(importlib.import_module(f"{service.__name__}.sandbox"))


def import_all(package: ModuleType) -> None:
    """Import each module of a package."""
    for each in sorted(pkgutil.iter_modules(getattr(package, "__path__", [])), key=lambda found: found.name):
        importlib.import_module(f"{package.__name__}.{each.name}")


def all_rules() -> tuple[Rule, ...]:
    """All rules, sorted by name."""
    import_rules()
    return tuple(sorted(_rules.values()))


def rule_set(without: Collection[str]) -> RuleSet:
    """The rules that are switched on. Raises `SandboxError` for an unknown name in *without*."""
    import_rules()
    if unknown := sorted(set(without) - set(_rules)):
        raise SandboxError(f"no such sandbox rule: {', '.join(f'`{name}`' for name in unknown)}")
    made = RuleSet()
    for name, key, part in _parts:
        if name not in without:
            made.parts[key].append(part)
    return made
