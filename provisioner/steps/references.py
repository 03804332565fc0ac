"""References: how one section names a resource that another section makes, by its key there or by its AWS name.

`s3_bucket_name: logs` means the bucket that a section has under that key. The section that makes such resources registers
them with `@provides`; a section that refers to them knows only their kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..baseline import Baseline, Contradiction
from ..baseline.problem import Path, did_you_mean

if TYPE_CHECKING:
    from ..aws import Aws

Resources = Callable[[Baseline], Mapping[str, Any]]


@dataclass(frozen=True)
class _Provider:
    """*section* makes the resources, in the log archive account where *archive*."""

    section: str
    archive: bool
    resources: Resources


@dataclass(frozen=True)
class Found:
    """The resource that a reference means: its key in the section that makes it, and what the file says of it."""

    key: str
    resource: Any


_providers: dict[str, _Provider] = {}


def provides(kind: str, section: str, *, archive: bool = False) -> Callable[[Resources], Resources]:
    """Register a function that lists what a baseline has of *kind*, by key; each has a `name`."""

    def register(resources: Resources) -> Resources:
        _providers[kind] = _Provider(section, archive, resources)
        return resources

    return register


def find(baseline: Baseline, kind: str, reference: str) -> Found | None:
    """What *reference* means, by key first, then by name; None if the file has no such resource."""
    resources = _providers[kind].resources(baseline)
    if reference in resources:
        return Found(reference, resources[reference])
    return next((Found(key, each) for key, each in resources.items() if each.name == reference), None)


def resolve(aws: Aws, baseline: Baseline, kind: str, reference: str) -> Any:
    """The resource that *reference* means, as it is in the account and Region where it is made.

    Raises KeyError for an unknown one, which `missing` has reported when the file was read.
    """
    account = aws.archive if _providers[kind].archive else aws.account
    there = baseline.at(account_id=account, region=baseline.general.home_region, partition=aws.partition)
    found = find(there, kind, reference) or find(baseline, kind, reference)
    if found is None:
        raise KeyError(f"`{reference}` is not in `{_providers[kind].section}`")
    return find(there, kind, found.key).resource  # type: ignore[union-attr] # the same keys everywhere


def missing(baseline: Baseline, kind: str, reference: str, path: Path) -> Iterator[Contradiction]:
    """A contradiction at *path* where the file has no resource that *reference* means."""
    if find(baseline, kind, reference) is not None:
        return
    provider = _providers[kind]
    resources = provider.resources(baseline)
    known = [*resources, *(each.name for each in resources.values())]
    there = f"there are {', '.join(resources)}" if resources else "it has none"
    hint = did_you_mean(reference, known) or f"{there}: add it there, or name another"
    yield Contradiction(path, f"`{provider.section}` has no {kind} `{reference}`; {hint}")
