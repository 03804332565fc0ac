"""What a step asks AWS to be allowed: declared beside the step, read by `provision permissions`. No step of its own.

Action names, resource types, conditions and dependent actions are those of AWS's Service Authorization Reference
(docs.aws.amazon.com/service-authorization); for S3, of "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..baseline.file import Baseline
from ..model import Target

DIFF: Final = frozenset({"diff", "verify", "apply"})  # each of them begins with what `diff` reads
VERIFY: Final = frozenset({"verify"})
APPLY: Final = frozenset({"apply"})
EVERYTHING: Final = ("*",)
# Stands for the account until somebody names it: it must look like one, for it goes into names.
ANY_ACCOUNT: Final = "000000000000"
# Stands for each Region of which only AWS knows the name, in a file for `all`: it must look like one, too.
ANY_REGION: Final = "any-region-0"


class Condition(NamedTuple):
    """The permission holds only for requests whose *key* is one of *values*."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Permission:
    """One IAM action on some resources. Those of one *title* are read together; *purposes* are the commands that need it."""

    title: str
    action: str
    resources: tuple[str, ...]
    condition: Condition | None
    purposes: frozenset[str]


Declaration = Callable[[Target, Baseline], Iterator[Permission]]
DECLARED: Final[dict[str, Declaration]] = {}  # by the name of the step
DELIVERING: Final[list[Declaration]] = []  # what those who deliver logs ask of who makes the buckets


def permits(name: str) -> Callable[[Declaration], Declaration]:
    """Make a function say what step *name* calls in one target, with the baseline filled for it."""

    def register(declaration: Declaration) -> Declaration:
        DECLARED[name] = declaration
        return declaration

    return register


def permits_delivery(declaration: Declaration) -> Declaration:
    """Make a function say what a deliverer (see `@delivers`) calls in the account that has the log buckets."""
    DELIVERING.append(declaration)
    return declaration


def allow(
    title: str,
    service: str,
    names: Collection[str],
    *,
    on: Collection[str] = EVERYTHING,
    condition: Condition | None = None,
    purposes: frozenset[str] = DIFF,
) -> Iterator[Permission]:
    """A permission for each of the *names*, which stand in one text with spaces or in a collection.

    `*` is for what AWS knows no resources for; the comment beside it says so.
    """
    for name in names.split() if isinstance(names, str) else names:
        yield Permission(title, f"{service}:{name}", tuple(on), condition, purposes)


def equals(key: str, *values: str) -> Condition:
    """The request's *key* is one of these."""
    return Condition("StringEquals", key, values)


def within(target: Target) -> Condition | None:
    """The request is made in the target's Region: what narrows a `*` of a service that every Region has.

    None where the Region may be any: no condition can list what nobody knows yet.
    """
    return None if target.region == ANY_REGION else equals("aws:RequestedRegion", target.region)
