"""The event of CloudTrail that caused a drift, among those that were found. What can be one is in `event_search.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .event_search import Search, moment
from .events import Event
from .operation_names import share_words

# The event, how well it explains the drift, and how many other actors there are.
Cause = tuple[Event, int, int]


def find_cause(
    search: Search, events: Collection[Event], callers: frozenset[str], *, final: bool
) -> Cause | None:
    """The event that caused the drift, how well it explains it, and how many other actors there are.

    *callers* are ours. *final*: no more events will be shown. Of what is set on a resource that the run made, the cause is
    that of its making; one of its own, if there is none in the end.
    """
    if search.made_by is not None:
        taken_away = _newest(search.made_by, events, callers)
        if taken_away is not None or not final:
            return taken_away
    return _newest(search, events, callers)


def _newest(search: Search, events: Iterable[Event], callers: frozenset[str]) -> Cause | None:
    """The newest event that explains the drift, how well it does, and how many other actors there are.

    What was changed before somebody deleted or made the resource is gone with that, but its actors are counted.

    An event with a run's id and one of our *callers* is our own. It is no cause, but a mark: what our run repaired was
    changed before that, and what another run of ours had repaired was changed after that.
    """
    matching = sorted(
        (each for each in events if search.may_be(each) and each.time >= search.start),
        key=lambda each: each.time,
        reverse=True,
    )
    matching = _without_others(search, matching)
    own = [each for each in matching if each.run and each.is_by(callers)]
    end = min((each.time for each in own if each.run == search.drift.run), default=search.end)
    found: list[tuple[int, Event]] = []
    before: list[Event] = []
    is_older = False
    for each in matching:
        if each.time > end or (each in own and each.run == search.drift.run):
            continue
        if each in own and each.time <= moment(search.drift.time):
            break
        if each in own:
            continue
        level = search.explains(each)
        if level and not is_older:
            found.append((level, each))
        elif level:
            before.append(each)
        is_older |= search.is_whole(search.read(each.name))
    if not found:
        return None
    level = max(each for each, _ in found)
    cause = next(event for each, event in found if each == level)
    actors = {event.actor(0).name for event in (*(event for _, event in found), *before)}
    return cause, level, len(actors) - 1


def _without_others(search: Search, events: list[Event]) -> list[Event]:
    """The events without those that create or delete what the resource belongs to, if some do that to the resource itself.

    A rule's remediation is gone with `DeleteRemediationConfiguration`, whoever has deleted the rule, too.
    """
    own = search.drift.call.operation if search.drift.call else ""
    whole = [each for each in events if search.is_whole(search.read(each.name))]
    others = [each for each in whole if not share_words(each.name, own)]
    return [each for each in events if each not in others] if len(others) < len(whole) else events
