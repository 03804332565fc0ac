"""Permissions that a step needs in AWS: declared in the service's folder, used by `provision permissions`.

Action names, resource types, conditions and dependent actions are those of AWS's Service Authorization Reference
(docs.aws.amazon.com/service-authorization); for S3, of "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..baseline import Baseline, Regional, Section, Switchable
from ..compare.policy import arn
from ..model import Step, Target

DIFF: Final = frozenset(
    {"diff", "verify", "fire", "apply", "repair"}
)  # each command makes the reads of `diff`
VERIFY: Final = frozenset({"verify", "fire", "repair"})
FIRE: Final = frozenset({"fire"})  # `verify --fire`
APPLY: Final = frozenset({"apply", "repair"})
REPAIR: Final = frozenset({"repair"})
PAUSE: Final = frozenset({"pause"})  # `resume` too
# Placeholder for an unknown account id. It is valid as one, as it becomes a part of names.
ANY_ACCOUNT: Final = "000000000000"
# Placeholder for the unknown Regions of `regions: all`. It is valid as a Region's code.
ANY_REGION: Final = "any-region-0"


class Condition(NamedTuple):
    """An IAM condition: the request's *key* matches one of *values*."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Permission:
    """One IAM action on some resources. *title* becomes the Sid; *purposes* are the commands that need the action."""

    title: str
    action: str
    resources: tuple[str, ...]
    condition: Condition | None
    purposes: frozenset[str]


NoteSource = Callable[[Baseline, Collection[str]], Iterator[str]]
POLICY_NOTES: Final[list[NoteSource]] = []


def permission_notes(source: NoteSource) -> NoteSource:
    """Register a function that yields notes on a policy, from the baseline and the policy's actions."""
    POLICY_NOTES.append(source)
    return source


Declaration = Callable[[Target, Baseline], Iterator[Permission]]
DECLARATIONS: Final[dict[str, Declaration]] = {}  # by the name of the step
DISABLING: Final[dict[str, Declaration]] = {}  # the same, to turn off what the step ensures
DELIVERY_DECLARATIONS: Final[list[Declaration]] = []  # of deliverers, for the account with the log buckets


def permits(name: str, *, disabling: bool = False) -> Callable[[Declaration], Declaration]:
    """Register a function that yields the permissions of step *name* in one target, with that target's baseline.

    With *disabling*, those to turn off what the step ensures.
    """

    def register(declaration: Declaration) -> Declaration:
        (DISABLING if disabling else DECLARATIONS)[name] = declaration
        return declaration

    return register


def permissions_of(step: Step, target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Yield the permissions of a step in one target, with that target's baseline: none if the file does not ask for it."""
    if step.section not in baseline:
        return
    section: Section = baseline[step.section]
    declarations = DECLARATIONS
    here = target.region == ANY_REGION or not step.regional
    if isinstance(section, Regional) and not here and not section.runs_in(target.region):
        return
    if isinstance(section, Switchable) and section.is_off:
        declarations = DISABLING
    if declaration := declarations.get(step.name):
        yield from declaration(target, baseline)


def permits_delivery(declaration: Declaration) -> Declaration:
    """Register the permissions that a deliverer (see `@delivers`) needs in the account with the log buckets."""
    DELIVERY_DECLARATIONS.append(declaration)
    return declaration


def allow(
    title: str,
    service: str,
    names: Collection[str],
    *,
    on: Collection[str] = ("*",),
    condition: Condition | None = None,
    purposes: frozenset[str] = DIFF,
) -> Iterator[Permission]:
    """A permission for each of the action *names*: a collection, or one text with spaces.

    Use the resource `*` only for actions without resource types, with a comment that says so.
    """
    for name in names.split() if isinstance(names, str) else names:
        yield Permission(title, f"{service}:{name}", tuple(on), condition, purposes)


def equals(key: str, *values: str) -> Condition:
    """The condition that the request's *key* equals one of *values*."""
    return Condition("StringEquals", key, values)


def within(target: Target) -> Condition | None:
    """The condition that a request is made in the target's Region, for actions of regional services on `*`.

    None if the Region is unknown (`ANY_REGION`).
    """
    return None if target.region == ANY_REGION else equals("aws:RequestedRegion", target.region)


def regional(
    target: Target, baseline: Baseline, service: str, resource: str
) -> tuple[tuple[str, ...], Condition | None]:
    """The resource in the target's Region. For several Regions, one ARN and a condition, to keep the policy short."""
    one = len(baseline.general.named_regions) == 1
    name = arn(target.partition, service, target.region if one else "*", target.account, resource)
    return (name,), None if one else within(target)


def linked_role(target: Target, principal: str, name: str) -> str:
    """The ARN of a service-linked role."""
    return arn(target.partition, "iam", "", target.account, f"role/aws-service-role/{principal}/{name}")


def with_or_without_path(role: str) -> tuple[str, str]:
    """The ARN of a role or user, and that without its path, which IAM authorizes while it does not exist."""
    head, _, name = role.rpartition("/")
    return role, f"{head.partition('/')[0]}/{name}"
