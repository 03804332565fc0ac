"""What each service folder registers: its section of the YAML file, its steps and their proofs, hints and rates.

A folder under `services/` is found by being there. `section.py` is imported when a file is read; the rest of the folder,
but for its sandbox, when steps are asked for: how a step talks to AWS takes as long to import as all else together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from ..aws import Aws
    from ..baseline import Baseline, Section
    from ..model import Changes, Findings, Scope, Step

    Ensure = Callable[[Aws, Baseline], Changes]
    Verify = Callable[[Aws, Baseline], Findings]

Kind = TypeVar("Kind", bound="type[Section]")

SERVICES: Final = "provisioner.services"
_FOLDER: Final = Path(__file__).parent.parent / "services"

_steps: dict[str, Step] = {}
_sections: dict[str, type[Section]] = {}


def section(key: str) -> Callable[[Kind], Kind]:
    """Register the class as the section that stands under *key* in the file."""

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
    each_region: bool = False,
    clients: tuple[str, ...] = (),
) -> Callable[[Ensure], Ensure]:
    """Register an ensure function as the step *name* of every file that has that section.

    *needs* are the steps before it. *archive*: it runs in the log archive account. *each_region*: one of
    Scope.ONCE runs in every Region of its account. *clients* are the AWS services, as
    botocore names them, whose clients are built while a command waits for its first answer.
    """
    from ..model import Step

    def register(ensure: Ensure) -> Ensure:
        _steps[name] = Step(
            name,
            scope,
            needs,
            section,
            ensure,
            archive=archive,
            each_region=each_region,
            clients=clients,
        )
        return ensure

    return register


def verify(name: str) -> Callable[[Verify], Verify]:
    """Register a function as the proof that what step *name* ensures also works."""

    def register(proof: Verify) -> Verify:
        _steps[name] = replace(_steps[name], verify=proof)
        return proof

    return register


def hints(service: str, texts: Mapping[str, str]) -> None:
    """Register what to do about error codes of an AWS service, as botocore names it."""
    from ..aws import errors

    errors.HINTS.update({(service, code): text for code, text in texts.items()})


def rates(service: str, *, read: float = 0.0, lookup: float = 0.0, write: float = 0.0) -> None:
    """Register AWS's documented rates of a service, in calls a second for each account and Region; 0 is unknown."""
    from ..aws import rate_limit

    for kind, each in (("read", read), ("lookup", lookup), ("write", write)):
        if each:
            rate_limit.DOCUMENTED[service, kind] = rate_limit.Rate(each, each)


@cache
def all_sections() -> Mapping[str, type[Section]]:
    """Every section by its key, in the order of the keys."""
    for folder in service_folders():
        import_module(f"{SERVICES}.{folder}.section")
    return dict(sorted(_sections.items()))


@cache
def all_steps() -> Mapping[str, Step]:
    """Every step by its name, each after those that it needs: the order in which a plan is shown and applied."""
    for folder in service_folders():
        for module in sorted(each.name for each in iter_modules([str(_FOLDER / folder)])):
            if module != "sandbox":
                import_module(f"{SERVICES}.{folder}.{module}")
    return {name: _steps[name] for name in _ordered()}


def service_folders() -> list[str]:
    """The names of the service folders, which are the keys of their sections."""
    return sorted(each.name for each in iter_modules([str(_FOLDER)]) if each.ispkg)


def _ordered() -> Iterator[str]:
    """Each step after those that it needs, else by name. A name may come more than once; the first time counts."""

    def visit(name: str) -> Iterator[str]:
        for need in _steps[name].needs:
            yield from visit(need)
        yield name

    for name in sorted(_steps):
        yield from visit(name)
