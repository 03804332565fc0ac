"""One module per part of the baseline. A module here is picked up by being here: its step, its YAML section, its proof.

What is picked up is loaded when it is first asked for. A file is read with SECTIONS alone, for which only the modules
`*_section` are loaded: how a step talks to AWS takes as long to load again as all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ..aws import Aws
    from ..baseline.file import Baseline, Section
    from ..model import Changes, Findings, Scope, Step

    Ensure = Callable[[Aws, Baseline], Changes]
    Verify = Callable[[Aws, Baseline], Findings]

Kind = TypeVar("Kind", bound="type[Section]")

STEPS: dict[str, Step]  # in the order of their dependencies, so that a plan reads as it will be carried out
SECTIONS: dict[str, type[Section]]  # by their key in the YAML file

_steps: dict[str, Step] = {}
_sections: dict[str, type[Section]] = {}


def section(key: str) -> Callable[[Kind], Kind]:
    """Make a class the section that stands under *key* in the file. Its module's name ends in `_section`."""

    def register(kind: Kind) -> Kind:
        _sections[key] = kind
        return kind

    return register


def step(
    name: str,
    section: type[Section],
    scope: Scope,
    needs: tuple[str, ...] = (),
    *,
    archive: bool = False,
) -> Callable[[Ensure], Ensure]:
    """Make an ensure function part of the baseline, under *name*, wherever the file has that section.

    *archive*: it runs in the account that keeps the logs.
    """
    from ..model import Step

    def register(ensure: Ensure) -> Ensure:
        _steps[name] = Step(name, scope, needs, section, ensure, archive=archive)
        return ensure

    return register


def verify(name: str) -> Callable[[Verify], Verify]:
    """Make a function the proof that what step *name* ensures also works."""

    def register(proof: Verify) -> Verify:
        _steps[name] = replace(_steps[name], verify=proof)
        return proof

    return register


def __getattr__(name: str) -> Any:
    if name == "SECTIONS":
        return _all_sections()
    if name == "STEPS":
        return _all_steps()
    raise AttributeError(name)


@cache
def _all_sections() -> dict[str, type[Section]]:
    _load("section")
    return _sections


@cache
def _all_steps() -> dict[str, Step]:
    _load()
    return {name: _steps[name] for name in _ordered()}


def _load(*modules: str) -> None:
    """Import these modules of each service folder, or where none is named all but its sandbox."""
    from .. import services

    for folder in sorted(each.name for each in iter_modules(services.__path__)):
        path = f"{services.__name__}.{folder}"
        for name in modules or _modules(path):
            import_module(f"{path}.{name}")


def _modules(path: str) -> list[str]:
    found = iter_modules(import_module(path).__path__)
    return sorted(each.name for each in found if each.name != "sandbox")


def _ordered() -> Iterator[str]:
    """Each step after those that it needs, else by name. A name may come more than once; the first time counts."""

    def visit(name: str) -> Iterator[str]:
        for need in _steps[name].needs:
            yield from visit(need)
        yield name

    for name in sorted(_steps):
        yield from visit(name)
