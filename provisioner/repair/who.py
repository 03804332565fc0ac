"""Who made a drift: looked up in CloudTrail's event history after the repair, which it neither delays nor stops.

LookupEvents allows two calls a second in an account and Region, shows an event after up to 15 minutes, and keeps it for 90
days. Each question is asked once for all drifts of an account and Region: by the name of the resource, then by the names
of the operations that can be the cause, at last by the service. What is not found is looked up again by the next run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ..aws import describe, identify
from ..aws.cloud import Cloud
from ..fleet.fleet import Fleet
from ..model import Target
from ..steps.event_history import event_history
from .causes import Cause, find_cause
from .event_search import Search, moment, search_for, with_makers
from .events import Event, caller_key, last_part, parse_event
from .records import Drift

SECONDS: Final = 10.0  # for all lookups of a run
MOST: Final = 200  # drifts; the others stay pending
_KEPT: Final = timedelta(days=90)
_SHOWN: Final = timedelta(minutes=20)  # after which CloudTrail shows an event, by its documentation after 15
_GIVEN_UP: Final = timedelta(hours=1)  # after which it will not be found any more
_PAGE: Final = 50
_PAGES, _MANY_PAGES = 2, 8  # of one question, and of one for more than _NAMES drifts
_CALLS: Final = 16  # in one account and Region
_NAMES: Final = 6  # of more resources, all events of their service are looked up instead

Question = tuple[str, str]  # a lookup attribute of LookupEvents and its value
Place = tuple[str, str]  # account and Region


def attribute(
    where: Fleet | Cloud,
    drifts: Sequence[Drift],
    since: Mapping[str, str],
    now: datetime,
    *,
    beside: Sequence[Drift] = (),
    tell: Callable[[str], None] = lambda text: None,
    seconds: float = SECONDS,
) -> list[Drift]:
    """The same drifts with *who* or *who_pending*, for those that have a call and no *who* yet.

    *beside* are others that the same runs found, which are not looked up. *since* is when each address (as text) was last found in sync; without it, 90 days are searched. Returns after at
    most *seconds*. Never raises: what could not be looked up stays pending, and *tell* is called with why.
    """
    cloud = where.cloud if isinstance(where, Fleet) else where
    drifts = _of_known_makers(drifts, beside)
    unknown = [each for each in drifts if each.who is None and each.call is not None]
    # The lookups end by themselves a little before they are no longer waited for.
    deadline, latest = cloud.clock.now() + seconds - 1, time.monotonic() + seconds
    started = _submit(cloud, _searches_by_place, where, unknown[:MOST], beside, since, now)
    wait([started], timeout=seconds)
    if not started.done() or started.exception():
        tell(_why("who changed it is not known yet", started))
        return [_pending(each, now) for each in drifts]
    places, callers = started.result()
    running = {
        place: _submit(cloud, _look_up, cloud, place, searches, callers, now, deadline)
        for place, searches in places.items()
    }
    wait(running.values(), timeout=max(latest - time.monotonic(), 0.0))
    found: dict[int, Drift] = {}
    for (account, region), future in running.items():
        if not future.done() or future.exception():
            future.cancel()
            tell(_why(f"who changed it in account {account}, {region}, is not known yet", future))
        else:
            found |= {id(drift): answered for drift, answered in future.result()}
    return [found.get(id(each)) or _pending(each, now) for each in drifts]


def _of_known_makers(drifts: Sequence[Drift], beside: Sequence[Drift]) -> list[Drift]:
    """The drifts, those of a resource that the run made with the actor who took it away, if that is known already."""
    makers = {
        (each.run, each.address): each.who
        for each in (*drifts, *beside)
        if each.action == "create" and each.who is not None
    }
    return [
        replace(each, who=makers.get((each.run, each.address))) if each.who is None else each
        for each in drifts
    ]


def _submit(cloud: Cloud, function: Callable[..., Any], *args: Any) -> Future[Any]:
    try:
        return cloud.readers.submit(function, *args)
    except RuntimeError as closed:  # the run is over
        future: Future[Any] = Future()
        future.set_exception(closed)
        return future


def _why(what: str, future: Future[Any]) -> str:
    error = future.exception() if future.done() and not future.cancelled() else None
    if error is None:
        return f"{what}: CloudTrail's LookupEvents did not answer in time"
    failure = describe("looking up events", error)
    return f"{what}: {failure.message}" + (f"; {failure.hint}" if failure.hint else "")


def _pending(drift: Drift, now: datetime) -> Drift:
    """The drift, pending unless it has an answer, cannot have one, or is too old to get one."""
    if drift.who is not None or drift.call is None:
        return drift
    return replace(drift, who_pending=_age(drift, now) < _GIVEN_UP)


def _age(drift: Drift, now: datetime) -> timedelta:
    return now - moment(drift.time)


def _searches_by_place(
    where: Fleet | Cloud,
    drifts: Iterable[Drift],
    beside: Iterable[Drift],
    since: Mapping[str, str],
    now: datetime,
) -> tuple[dict[Place, list[Search]], frozenset[str]]:
    """The searches by account and Region, and our own callers."""
    cloud = where.cloud if isinstance(where, Fleet) else where
    drifts = list(drifts)
    every = [_search(cloud, each, since, now) for each in (*drifts, *beside)]
    asked = {id(each) for each in drifts}
    places: dict[Place, list[Search]] = {}
    callers: set[str] = set()
    for each in with_makers(filter(None, every)):
        if id(each.drift) in asked:
            account = each.drift.address.account
            places.setdefault((account, each.region), []).append(each)
            if cloud.keyring.role is not None:
                callers.add(caller_key(cloud.keyring.role.arn(account)))
    if places:
        region = next(iter(places))[1]
        identity = where.identity if isinstance(where, Fleet) else identify(cloud, region)
        callers.add(caller_key(identity.arn))
    return places, frozenset(callers)


def _search(cloud: Cloud, drift: Drift, since: Mapping[str, str], now: datetime) -> Search | None:
    """What to look for; None if the request of the drift is not known."""
    if drift.call is None:
        return None
    model = cloud.client(drift.call.service, drift.call.region).meta.service_model
    if drift.call.operation not in model.operation_names:
        return None
    region = cloud.event_region(drift.call.service, drift.call.region)
    known = since.get(str(drift.address))
    start = max(moment(known) if known else now - _KEPT, now - _KEPT)
    return search_for(drift, drift.call, model, region, start)


@dataclass
class _History:
    """The events of one account and Region, as far as they were asked for."""

    cloud: Cloud
    place: Place
    now: datetime
    deadline: float
    callers: frozenset[str]
    events: dict[str, Event] = field(default_factory=dict)  # by id
    asked: set[tuple[Question, datetime]] = field(default_factory=set)  # with the start
    calls: int = 0
    incomplete: set[int] = field(default_factory=set)  # searches, by `id`, of which not all events were read

    def cause_of(self, search: Search) -> Cause | None:
        """The cause of a drift in the events that were read, how well it explains it, and how many other actors."""
        final = _age(search.drift, self.now) >= _SHOWN
        return find_cause(search, self.events.values(), self.callers, final=final)

    def is_open(self, search: Search) -> bool:
        """Whether no event explains the drift yet."""
        cause = self.cause_of(search)
        return cause is None or cause[1] < 2

    @property
    def is_over(self) -> bool:
        """Whether no more calls are to be made."""
        late = self.cloud.clock.now() >= self.deadline or self.cloud.stop.is_set()
        return late or self.calls >= _CALLS

    def ask(self, question: Question, searches: Sequence[Search]) -> None:
        """Read the newest events of a question, unless each of the *searches* has its cause already."""
        start = min(each.start for each in searches)
        if (question, start) in self.asked or not any(map(self.is_open, searches)):
            return
        if self.is_over:
            self.incomplete.update(map(id, searches))
            return
        self.asked.add((question, start))
        pages = min(_PAGES if len(searches) <= _NAMES else _MANY_PAGES, _CALLS - self.calls)
        (key, value), (account, region), source = question, self.place, event_history()
        params = {
            "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
            "StartTime": start,
            "EndTime": self.now,
            "PaginationConfig": {"MaxItems": _PAGE * pages, "PageSize": _PAGE},
        }
        answer = self.cloud.read(Target(account, region), source.service, region, source.method, params)
        found = answer.get("Events", [])
        self.calls += min(len(found) // _PAGE + 1, pages)
        if len(found) >= _PAGE * pages:
            self.incomplete.update(map(id, searches))
        self.events |= {each.id: each for each in map(parse_event, found) if each is not None}


def _look_up(
    cloud: Cloud,
    place: Place,
    searches: Sequence[Search],
    callers: frozenset[str],
    now: datetime,
    deadline: float,
) -> list[tuple[Drift, Drift]]:
    """Look up all drifts of one account and Region; each drift, and the same with what was found."""
    history = _History(cloud, place, now, deadline, callers)
    for asked_by in (_by_name, _by_event, _by_source):
        questions: dict[Question, list[Search]] = {}
        for each in filter(history.is_open, searches):
            for question in asked_by(each, searches):
                questions.setdefault(question, []).append(each)
        for question, of in questions.items():
            history.ask(question, of)
    return [(each.drift, _answered(each, history, now)) for each in searches]


def _by_name(search: Search, every: Sequence[Search]) -> Iterator[Question]:
    """By the resource's names; where there are many resources of the service, by the service."""
    of_service = {name for each in every if each.sources == search.sources for name in each.names}
    if len(of_service) > _NAMES:
        yield from _by_source(search, every)
    else:
        # Of a resource that a request names by its ARN, CloudTrail has the name, the ARN, or both.
        names = {*map(last_part, search.names), *search.names}
        yield from (("ResourceName", name) for name in sorted(names, key=len))


def _by_event(search: Search, _: Sequence[Search]) -> Iterator[Question]:
    yield from (("EventName", name) for name in search.events)


def _by_source(search: Search, _: Sequence[Search]) -> Iterator[Question]:
    yield "EventSource", f"{search.sources[0]}.amazonaws.com"


def _answered(search: Search, history: _History, now: datetime) -> Drift:
    """The drift with its cause. One that only may be the cause counts once later events would be shown, and all were read."""
    cause, drift = history.cause_of(search), search.drift
    final = _age(drift, now) >= _SHOWN and id(search) not in history.incomplete
    if cause is not None and (cause[1] == 2 or final):
        event, _, others = cause
        return replace(drift, who=event.actor(others), who_pending=False)
    return _pending(drift, now)
