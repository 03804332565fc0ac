"""References from one section to a resource that another section creates, by its key there or its name in AWS.

`s3_bucket_name: logs` is the bucket that a section has under the key `logs`. The section that creates resources
registers them with `@provides`; a section that refers to them needs only their kind. For a kind to which AWS gives
names, such as a KMS key, it also registers with `@locates` how the one in AWS is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from ..baseline import Baseline, Contradiction, Section
from ..baseline.partitions import region_of
from ..baseline.problem import Path, did_you_mean

if TYPE_CHECKING:
    from ..aws import Aws


@dataclass(frozen=True)
class Refers:
    """On a field: it has the key or the name of a resource of *kind*.

    A value that matches the pattern *elsewhere* may also name one that the file does not make, such as an ARN.
    """

    kind: str
    elsewhere: str = "(?!)"


# Of a KMS key that the file does not make: an ARN, an alias or an id.
NAMED_BY_AWS: Final = r"arn:.+|alias/.+|(mrk-)?[0-9a-fA-F]{8}[0-9a-fA-F-]{5,}"

Resources = Callable[[Baseline], Mapping[str, Any]]
# Starts to look for a resource by its ARN and its Region, and returns a function that waits for the ARN that AWS gave it:
# PENDING until there is one.
Locator = Callable[["Aws", str, str], Callable[[], str]]


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
_locators: dict[str, Locator] = {}


def provides(kind: str, section: str, *, archive: bool = False) -> Callable[[Resources], Resources]:
    """Register a function that returns a baseline's resources of *kind*, by key. Each has a `name`."""

    def register(resources: Resources) -> Resources:
        _providers[kind] = _Provider(section, archive, resources)
        return resources

    return register


def locates(kind: str) -> Callable[[Locator], Locator]:
    """Register how a resource of *kind* is found in AWS."""

    def register(locator: Locator) -> Locator:
        _locators[kind] = locator
        return locator

    return register


def provider(kind: str) -> str:
    """The section, and the step, that creates resources of *kind*."""
    return _providers[kind].section


def owner(kind: str, account: str, archive: str) -> str:
    """The account in which resources of *kind* are created: this *account*, or the log *archive*."""
    return archive if _providers[kind].archive else account


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
    account = owner(kind, aws.account, aws.archive)
    filled = baseline.at(account_id=account, region=baseline.general.home_region, partition=aws.partition)
    found = find(filled, kind, reference) or find(baseline, kind, reference)
    if found is None:
        raise KeyError(f"`{reference}` is not in `{_providers[kind].section}`")
    return find(filled, kind, found.key).resource  # type: ignore[union-attr] # keys have no placeholders


def locate(aws: Aws, kind: str, by_name: str, region: str) -> Callable[[], str]:
    """Start to look for a resource by its ARN and its Region; see `Locator`."""
    return _locators[kind](aws, by_name, region)


def resource_key(kind: str, name: str) -> str:
    """What Call.using takes for a resource of *kind* that another section creates under *name*."""
    return f"{_providers[kind].section}/{kind} {name}"


def check_references(baseline: Baseline, section: Section, path: Path) -> Iterator[Contradiction]:
    """Report each field of *section*, which is at *path*, that refers to no resource of the file."""
    for below, mark, reference in _references(section):
        kind = mark.kind
        if re.fullmatch(mark.elsewhere, reference) or find(baseline, kind, reference) is not None:
            continue
        resources = _providers[kind].resources(baseline)
        known = [*resources, *(each.name for each in resources.values())]
        there = f"there are {', '.join(resources)}" if resources else "it has none"
        hint = did_you_mean(reference, known) or f"{there}: add it there, or name another"
        yield Contradiction((*path, *below), f"`{provider(kind)}` has no {kind} `{reference}`; {hint}")


def check_key_region(baseline: Baseline, key: str | None, path: Path) -> Iterator[Contradiction]:
    """Report a key whose ARN is of another Region than the home Region, where the buckets are."""
    region, home = region_of(key), baseline.general.home_region
    if region not in {"", home}:
        yield Contradiction(path, f"the key is in {region}; it has to be where the bucket is, in {home}")


def providers_used(baseline: Baseline, section: type[Section], kinds: Collection[str]) -> tuple[str, ...]:
    """The steps that make what a section of the file refers to, of these kinds."""
    if not kinds:
        return ()  # most steps refer to nothing, and this is asked for each of them in each account
    used = {mark.kind for _, mark, text in _references(baseline[section]) if find(baseline, mark.kind, text)}
    return tuple(provider(kind) for kind in kinds if kind in used)


def _references(value: Any) -> Iterator[tuple[Path, Refers, str]]:
    """Each reference in a section, or in a mapping of sections: its path, its mark, and its text."""
    marks = _marked(type(value)) if isinstance(value, Section) else {}
    for name, each in value if isinstance(value, Section) else value.items():
        mark = marks.get(name)
        if mark and each is not None:
            yield (name,), mark, each
        elif isinstance(each, Section | dict):
            yield from (((name, *path), below, text) for path, below, text in _references(each))


@cache
def _marked(section: type[Section]) -> dict[str, Refers]:
    """The fields of a section that refer to resources, each with its mark."""
    return {
        name: mark
        for name, each in section.model_fields.items()
        for mark in each.metadata
        if isinstance(mark, Refers)
    }
