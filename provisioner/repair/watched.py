"""Which API calls can break what a file describes, and the EventBridge patterns that match their events.

All of it follows from what the service folders declare: the writes that the steps themselves need (`@permits`), the
actions that undo a section (`harmful_actions`), and every other write to the same kind of resource, which AWS's own model
lists. Nothing here names a service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from json import dumps
from typing import Any, Final

from ..aws.cloudtrail_names import event_names, event_source
from ..baseline import Baseline
from ..model import Scope, Step, Target
from ..steps.permission import ANY_REGION, APPLY, Permission, permissions_of
from ..steps.registry import all_harmful_actions, all_steps

DETAIL_TYPE: Final = "AWS API Call via CloudTrail"
MAX_PATTERN: Final = 2048  # characters of an event pattern, a quota of EventBridge

Event = tuple[str, str]  # eventSource and eventName


@dataclass(frozen=True)
class WatchedStep:
    """A step that a call can break. *resources*: the names of what it ensures; empty if they cannot be known."""

    name: str
    resources: frozenset[str] = field(default_factory=frozenset)


def watched_events(baseline: Baseline, account: str, partition: str) -> dict[Event, frozenset[WatchedStep]]:
    """Return the steps that each event concerns, for the file in *account*.

    A call that a step declares concerns that step, and one that only undoes the section concerns all steps of the section.
    Which `overrides` apply to an account, AWS knows: the steps of all of them are watched.
    """
    steps = [
        step
        for step in all_steps().values()
        # A step that runs once reads the file without overrides.
        if step.section in baseline or (step.section in baseline.overridden and step.scope is not Scope.ONCE)
    ]
    services = {client for step in all_steps().values() for client in step.clients}
    found: dict[Event, set[WatchedStep]] = {}

    def add(action: str, watched: Iterable[WatchedStep], *, unless_known: bool = False) -> None:
        source = event_source(action)
        names = [(source, name) for name in event_names(action, services)]
        for event in [each for each in names if not (unless_known and each in found)]:
            found.setdefault(event, set()).update(watched)

    resources = {}
    for step in steps:
        writes = [x for x in _permissions(step, baseline, account, partition) if x.purposes == APPLY]
        resources[step.name] = _names_by_source(writes, known=not baseline.general.overrides)
        for action in sorted({each.action for each in writes}):
            add(action, [WatchedStep(step.name, resources[step.name][event_source(action)])])
    for section, actions in all_harmful_actions().items():
        names = [step.name for step in steps if step.section is section]
        for action in actions if names else ():
            source = event_source(action)
            several = [WatchedStep(each, resources[each].get(source, frozenset())) for each in names]
            add(action, several, unless_known=True)
    return {event: frozenset(found[event]) for event in sorted(found)}


def _permissions(step: Step, baseline: Baseline, account: str, partition: str) -> Iterator[Permission]:
    """Yield what the step needs at home and, if it runs in every Region, in the others."""
    general = baseline.general
    archive = (general.accounts.log_archive if general.accounts else None) or account
    home = Target(account, general.home_region, partition, central=account, archive=archive)
    others = [each for each in general.named_regions or [ANY_REGION] if each != home.region]
    for region in [home.region, *(others if step.regional else ())]:
        target = replace(home, region=region, home=region == home.region)
        for overrides in _alone(step, baseline):
            filled = baseline.with_overrides(
                overrides, account_id=account, region=region, partition=partition
            )
            yield from permissions_of(step, target, filled)


def _alone(step: Step, baseline: Baseline) -> Iterator[tuple[int, ...]]:
    """Yield each item of `overrides` that the step may follow, by index, and none of them."""
    yield ()
    if step.scope is not Scope.ONCE:
        yield from ((index,) for index in range(len(baseline.general.overrides)))


def _names_by_source(writes: Iterable[Permission], *, known: bool) -> dict[str, frozenset[str]]:
    """The last part of the resources' ARNs, by event source; none where one of them stands for any resource.

    *known*: the names are the same in every account.
    """
    found: dict[str, set[str]] = {}
    for each in writes:
        names = found.setdefault(event_source(each.action), set())
        names.update(resource.rpartition(":")[2].rpartition("/")[2] for resource in each.resources)
    return {
        source: frozenset() if not known or any("*" in name for name in names) else frozenset(names)
        for source, names in found.items()
    }


def event_patterns(events: Iterable[Event]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield EventBridge patterns that match these events, each with a name; several for a service if one gets too long.

    Nobody but AWS can put an event whose `source` starts with `aws.`. A call that AWS refused has an `errorCode`.
    """
    by_source: dict[str, list[str]] = {}
    for source, name in sorted(events):
        by_source.setdefault(source, []).append(name)
    for source, names in by_source.items():
        parts = list(_split(source, names))
        service = "".join(word.capitalize() for word in source.partition(".")[0].split("-"))
        for number, part in enumerate(parts, 1):
            yield service if number == 1 else f"{service}{number}", _pattern(source, part)


def _split(source: str, names: list[str]) -> Iterator[list[str]]:
    """Yield the names in lists whose patterns are short enough."""
    if len(dumps(_pattern(source, names))) <= MAX_PATTERN:
        yield names
    else:
        half = len(names) // 2
        yield from chain(_split(source, names[:half]), _split(source, names[half:]))


def _pattern(source: str, names: list[str]) -> dict[str, Any]:
    detail = {"eventSource": [source], "eventName": names, "errorCode": [{"exists": False}]}
    return {"source": [{"prefix": "aws."}], "detail-type": [DETAIL_TYPE], "detail": detail}
