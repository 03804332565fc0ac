"""Registry of what the service folders declare: sections of the YAML file, steps with their proofs, hints, and rates.

Every folder under `services/` is used. Its `section.py` is imported when a file is read, its other modules except the
sandbox when the steps are needed, since importing these takes as long as all the rest of the program.
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
    from ..model import Changes, Findings, Firing, Scope, Step

    Ensure = Callable[[Aws, Baseline], Changes]
    Verify = Callable[[Aws, Baseline], Findings]
    Fire = Callable[[Aws, Baseline], Firing]

Kind = TypeVar("Kind", bound="type[Section]")

SERVICES: Final = "provisioner.services"
_FOLDER: Final = Path(__file__).parent.parent / "services"

_steps: dict[str, Step] = {}
_disables: dict[str, Ensure] = {}  # by step
_refers_to: dict[str, tuple[str, ...]] = {}  # by step
_sections: dict[str, type[Section]] = {}
_harmful_actions: dict[type[Section], tuple[str, ...]] = {}
_consents: set[str] = set()


def section(key: str) -> Callable[[Kind], Kind]:
    """Register a class as the section *key* of the file."""

    def register(kind: Kind) -> Kind:
        _sections[key] = kind
        return kind

    return register


def step(  # noqa: PLR0913 - each says one thing of the step
    name: str,
    section: type[Section],
    scope: Scope,
    needs: tuple[str, ...] = (),
    *,
    archive: bool = False,
    each_region: bool = False,
    after_accounts: bool = False,
    clients: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    refers_to: tuple[str, ...] = (),
    field: str = "",
) -> Callable[[Ensure], Ensure]:
    """Register an ensure function as the step *name*, for every file that has the section, and in it this *field*, if any.

    *needs* are the steps that run before it. With *archive* it runs in the log archive account. With *each_region* a
    step of Scope.ONCE runs in every Region of its account, with *after_accounts* it makes its changes after the other
    accounts of the organization have theirs. *clients* are the AWS services, by botocore's name, whose
    clients are built while a command waits for its first response. *after* are steps that run before it too, of which
    it needs a part only: their failure does not block it, see Call.using. *refers_to* are kinds of resources that another
    section makes: in a file whose section refers to one, the step of that section runs before this one.
    """
    from ..model import Step
    from .references import providers_used

    _refers_to[name] = refers_to

    def register(ensure: Ensure) -> Ensure:
        _steps[name] = Step(
            name,
            scope,
            needs,
            section,
            ensure,
            archive=archive,
            each_region=each_region,
            after_accounts=after_accounts,
            clients=clients,
            after=after,
            asked=lambda baseline: not field or bool(getattr(baseline[section], field)),
            needs_in=lambda baseline: providers_used(baseline, section, refers_to),
        )
        return ensure

    return register


def verify(name: str) -> Callable[[Verify], Verify]:
    """Register a function that verifies that what step *name* ensures also works."""

    def register(verify: Verify) -> Verify:
        _steps[name] = replace(_steps[name], verify=verify)
        return verify

    return register


def disables(name: str) -> Callable[[Ensure], Ensure]:
    """Register a function that turns off what step *name* ensures, for a section with `state: disabled`.

    The other steps of the section then do nothing.
    """

    def register(disable: Ensure) -> Ensure:
        _disables[name] = disable
        return disable

    return register


def fires(name: str, *writes: tuple[str, str]) -> Callable[[Fire], Fire]:
    """Register a function that sets off once what step *name* ensures, for `verify --fire`.

    *writes* are the only operations that it may call, each as botocore's name of the service and AWS's of the operation.
    """
    from ..aws.fire_writes import FIRE_WRITES

    FIRE_WRITES.update(writes)

    def register(fire: Fire) -> Fire:
        _steps[name] = replace(_steps[name], fire=fire)
        return fire

    return register


def hints(service: str, texts: Mapping[str, str]) -> None:
    """Register the hint shown with each error code of an AWS service, by botocore's name."""
    from ..aws.hints import HINTS

    HINTS.update({(service, code): text for code, text in texts.items()})


def rates(service: str, *, read: float = 0.0, lookup: float = 0.0, write: float = 0.0) -> None:
    """Register AWS's documented rate limits of a service, in calls per second, account and Region; 0 is unknown."""
    from ..aws import rate_limit

    for kind, each in (("read", read), ("lookup", lookup), ("write", write)):
        if each:
            rate_limit.DOCUMENTED[service, kind] = rate_limit.Rate(each, each)


def consents(*names: str) -> None:
    """Register names for `--allow` of changes that a folder makes; those of `Guarded` fields register themselves."""
    _consents.update(names)


def harmful_actions(section: type[Section], *names: str) -> None:
    """Register the IAM actions with which somebody could undo what a section asks for."""
    _harmful_actions[section] = names


def all_harmful_actions() -> Mapping[type[Section], tuple[str, ...]]:
    """All such actions by section."""
    all_steps()
    return _harmful_actions


def all_consents() -> list[str]:
    """All names for `--allow`, sorted."""
    all_steps()
    return sorted(_consents)


@cache
def all_sections() -> Mapping[str, type[Section]]:
    """All sections by key, sorted."""
    for folder in service_folders():
        import_module(f"{SERVICES}.{folder}.section")
    return dict(sorted(_sections.items()))


@cache
def all_steps() -> Mapping[str, Step]:
    """All steps by name, each after those that it needs: the order in which a plan is shown and applied."""
    for folder in service_folders():
        for module in sorted(each.name for each in iter_modules([str(_FOLDER / folder)])):
            if module != "sandbox":
                import_module(f"{SERVICES}.{folder}.{module}")
    return {name: replace(_steps[name], disable=_disables.get(name)) for name in _ordered()}


def service_folders() -> list[str]:
    """The names of the service folders, which are also the keys of their sections."""
    return sorted(each.name for each in iter_modules([str(_FOLDER)]) if each.ispkg)


def _ordered() -> Iterator[str]:
    """Step names, each after those that it needs, else sorted. Only the first occurrence of a name counts."""
    from .references import provider

    def visit(name: str) -> Iterator[str]:
        step = _steps[name]
        for need in (*step.needs, *step.after, *map(provider, _refers_to[name])):
            yield from visit(need)
        yield name

    for name in sorted(_steps):
        yield from visit(name)
