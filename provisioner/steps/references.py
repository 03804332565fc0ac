"""References from one section to a resource that another section creates, by its key there or its name in AWS.

`s3_bucket_name: logs` is the bucket that a section has under the key `logs`. The section that creates resources
registers them with `@provides`; a section that refers to them needs only their kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ..baseline import Baseline, Contradiction, Section
from ..baseline.problem import Path, did_you_mean

if TYPE_CHECKING:
    from ..aws import Aws


@dataclass(frozen=True)
class Refers:
    """On a field: it has the key or the name of a resource of *kind*."""

    kind: str


Resources = Callable[[Baseline], Mapping[str, Any]]


@dataclass(frozen=True)
class _Provider:
    """The section that creates a kind of resource. With *archive*, it does so in the log archive account."""

    section: str
    archive: bool
    resources: Resources


@dataclass(frozen=True)
class Found:
    """The resource that a reference points to: its key in its section, and its part of the section."""

    key: str
    resource: Any


_providers: dict[str, _Provider] = {}


def provides(kind: str, section: str, *, archive: bool = False) -> Callable[[Resources], Resources]:
    """Register a function that returns a baseline's resources of *kind*, by key. Each has a `name`."""

    def register(resources: Resources) -> Resources:
        _providers[kind] = _Provider(section, archive, resources)
        return resources

    return register


def keys(baseline: Baseline, kind: str) -> list[str]:
    """The keys of all resources of *kind* in the file."""
    return [*_providers[kind].resources(baseline)]


def find(baseline: Baseline, kind: str, reference: str) -> Found | None:
    """Find a resource by key, or else by name; None if the file has no such resource."""
    resources = _providers[kind].resources(baseline)
    if reference in resources:
        return Found(reference, resources[reference])
    return next((Found(key, each) for key, each in resources.items() if each.name == reference), None)


def resolve(aws: Aws, baseline: Baseline, kind: str, reference: str) -> Any:
    """The resource that *reference* points to, with the placeholders of the account and Region where it is created.

    Raises KeyError if there is none; `missing` reports that when the file is read.
    """
    account = aws.archive if _providers[kind].archive else aws.account
    filled = baseline.at(account_id=account, region=baseline.general.home_region, partition=aws.partition)
    found = find(filled, kind, reference) or find(baseline, kind, reference)
    if found is None:
        raise KeyError(f"`{reference}` is not in `{_providers[kind].section}`")
    return find(filled, kind, found.key).resource  # type: ignore[union-attr] # keys have no placeholders


def resource_key(kind: str, name: str) -> str:
    """What Call.using takes for a resource of *kind* that another section creates under *name*."""
    return f"{_providers[kind].section}/{kind} {name}"


def check_references(baseline: Baseline, section: Section, path: Path) -> Iterator[Contradiction]:
    """Report each field of *section*, which is at *path*, that refers to no resource of the file."""
    for below, kind, reference in _references(section):
        if find(baseline, kind, reference) is not None:
            continue
        provider = _providers[kind]
        resources = provider.resources(baseline)
        known = [*resources, *(each.name for each in resources.values())]
        there = f"there are {', '.join(resources)}" if resources else "it has none"
        hint = did_you_mean(reference, known) or f"{there}: add it there, or name another"
        yield Contradiction((*path, *below), f"`{provider.section}` has no {kind} `{reference}`; {hint}")


def _references(section: Section) -> Iterator[tuple[Path, str, str]]:
    """Each reference in a section: its path, the kind of resource, and its text."""
    for name, kind in _marked(type(section)):
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from (((name, *path), below, text) for path, below, text in _references(value))
        elif kind and value is not None:
            yield (name,), kind, value


@cache
def _marked(section: type[Section]) -> list[tuple[str, str]]:
    """The fields of a section, each with the kind of resource that it refers to, or an empty text."""
    return [
        (name, next((mark.kind for mark in each.metadata if isinstance(mark, Refers)), ""))
        for name, each in section.model_fields.items()
    ]
