"""What a step asks AWS to be allowed: declared beside the step, read by `provision permissions`. No step of its own.

Action names, resource types, conditions and dependent actions are those of AWS's Service Authorization Reference
(docs.aws.amazon.com/service-authorization); for S3, of "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..baseline import Baseline
from ..compare.policy import arn
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


Noting = Callable[[Baseline, Collection[str]], Iterator[str]]
NOTING: Final[list[Noting]] = []


def permission_notes(noting: Noting) -> Noting:
    """Register a function that says what to know beside a policy, given the baseline and the actions in the policy."""
    NOTING.append(noting)
    return noting


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


def regional(
    target: Target, baseline: Baseline, service: str, resource: str
) -> tuple[tuple[str, ...], Condition | None]:
    """The resource in the target's Region. With several, one ARN for all and a condition: an ARN each gets too long."""
    one = len(baseline.general.named_regions) == 1
    name = arn(target.partition, service, target.region if one else "*", target.account, resource)
    return (name,), None if one else within(target)


def linked_role(target: Target, principal: str, name: str) -> str:
    """The ARN of a service's own role."""
    return arn(target.partition, "iam", "", target.account, f"role/aws-service-role/{principal}/{name}")


def with_or_without_path(role: str) -> tuple[str, str]:
    """The role's ARN, and the one by which IAM decides while there is no such role: without the path."""
    head, _, name = role.rpartition("/")
    return role, f"{head.split(':role', 1)[0]}:role/{name}"
