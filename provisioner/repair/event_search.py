"""What to look for in CloudTrail's events for the cause of a drift. All follows from the request that repairs the drift.

An event is one of its causes if it went to the same service, names the same resource, and its operation is of the same
family: what is left of both names without the verb and the words of the resource (`StopLogging` and `StartLogging`,
`PutBucketLifecycle` and `PutBucketLifecycleConfiguration`). Creating or deleting the resource is a cause of everything, but
a resource that was there when the drift was found has not been deleted: somebody has made it again, and changed it since.
Where a run makes a resource, who took it away is the one for all that the run then sets on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..model import PENDING
from ..report.json_objects import CallJson
from .events import Event, last_part, named_in, parts, plain
from .operation_names import Operation, related, share_words, split, words
from .records import Drift

_NAME: Final = 256  # characters of a name; a longer text is a document
_SWITCHED: Final = (
    "enabled",
    "enable",
    "state",
    "status",
)  # what fields end with that something turns on and off
_EVENTS: Final = 5  # names to look up for one drift


@dataclass(frozen=True)
class Search:
    """What to look for: writes to *sources* from *start* to *end* that name one of *names*, if there are any.

    *others* are more names that the request requires, such as that of a role's policy. *events* are the names of the
    operations that can be the cause, the likely ones first.
    """

    drift: Drift
    region: str  # in whose event history they are
    sources: tuple[str, ...]
    names: frozenset[str]
    others: Mapping[str, str]
    operation: Operation
    resource: frozenset[str]  # the words of the resource
    replaces: bool  # the request sets more than the fields that differ
    start: datetime
    end: datetime
    events: tuple[str, ...]
    is_made: bool = False  # the run makes the resource, or what it belongs to
    made_by: Search | None = (
        None  # that of the change of the same address which makes the resource, if it is another one
    )

    def read(self, event_name: str) -> Operation:
        """Split the name of an operation."""
        return split(event_name, self.resource)

    def is_whole(self, operation: Operation) -> bool:
        """Whether it creates or deletes the resource.

        One without a name must be one that the repair creates: IAM's DeletePolicy is no password policy's.
        """
        return (bool(self.names) or self.operation.whole) and operation.whole

    def is_switch(self, operation: Operation) -> bool:
        """Whether it turns on or off what differs: `DisableRule` is a cause of a rule's `State`.

        One that has words of its own turns on or off what they say: `DisableEbsEncryptionByDefault` nothing else.
        """
        fields = [each.field for each in self.drift.differences if _squash(each.field).endswith(_SWITCHED)]
        known = self.operation.words.union(*map(words, fields))
        return operation.switches and bool(fields) and operation.words <= known

    def _is_family(self, name: str, operation: Operation) -> bool:
        """Whether it sets or takes away the same thing.

        Of a remediation of a config rule, both PutRemediationConfigurations and PutConfigRule have no other words.
        """
        own = self.drift.call.operation if self.drift.call else ""
        same = operation.same_family(self.operation) or operation.takes_away(self.operation)
        return same and (
            bool(operation.words) or share_words(name, own) or not split(name, frozenset()).words
        )

    def may_be(self, event: Event) -> bool:
        """Whether the event is a write of the same family to the same resource."""
        operation = self.read(event.name)
        return (
            event.source in self.sources
            and (
                self.is_whole(operation)
                or self._is_family(event.name, operation)
                or self.is_switch(operation)
            )
            and (not self.names or not {last_part(each) for each in self.names}.isdisjoint(event.names))
        )

    def explains(self, event: Event) -> int:
        """2 if the event, by its parameters, leads to what AWS has; 1 if it may; 0 if it does not."""
        operation = self.read(event.name)
        if self.is_whole(operation):
            return 2 if self._may_be_gone(operation) else 1
        if self.is_switch(operation):
            return 2
        named = {key: each for key, each in parts(event.params) if isinstance(each, str)}
        if any(named.get(key.lower(), value) != value for key, value in self.others.items()):
            return 0
        if operation.removes:
            return self._explains_removal(event)
        if self.operation.removes and not self.names.isdisjoint(event.made):
            return 2  # it made what the repair takes away
        return self._explains_values(event, operation)

    def _may_be_gone(self, operation: Operation) -> bool:
        """Whether what it deletes was missing when the drift was found. One that creates leaves it there, as it made it.

        A part that a request of its own sets, such as an alias, is missing if all that the request sets differs.
        """
        if operation.verb == "create" or self.is_made or self.drift.action == "create":
            return True
        is_part = self.operation.words == operation.words and self.operation.verb != "update"
        return is_part and (self.operation.verb == "create" or self._sets_all())

    def _sets_all(self) -> bool:
        """Whether everything differs that the request sets."""
        fields = {name for each in self.drift.differences for name in _spelled(each.field)}
        names = {last_part(each).lower() for each in self.names}
        settings = parts(plain(self.drift.call.params)) if self.drift.call else ()
        return all(
            _squash(key) in fields or last_part(each).lower() in names
            for key, each in settings
            if isinstance(each, str)
        )

    def _explains_removal(self, event: Event) -> int:
        names = {last_part(each) for each in self.names}
        removed = {each for each in event.strings if names.isdisjoint(named_in(each))}
        call = self.drift.call
        params = call.params if call else {}
        # The tags of a request are a list, or a structure with the keys as names.
        ours = {
            *_strings(params),
            *(key for each in params.values() if isinstance(each, Mapping) for key in each),
        }
        return 2 if not self.names or not removed or removed & ours else 0

    def _explains_values(self, event: Event, operation: Operation) -> int:
        differences = self.drift.differences
        if any(_holds(event.params, each.field, each.have) for each in differences):
            return 2
        if differences and all(_holds(event.params, each.field, each.want) for each in differences):
            return 0
        if self.replaces or operation.replaces:
            return 2
        named = {_squash(key) for key, _ in parts(event.params)}
        if any(each.have is None and not named.isdisjoint(_spelled(each.field)) for each in differences):
            return 2  # what AWS does not show is what it was set to, such as `no-preference`
        return 0 if all(named.isdisjoint(_spelled(each.field)) for each in differences) else 1


def search_for(drift: Drift, call: CallJson, model: Any, region: str, since: datetime) -> Search:
    """What to look for. *model* is botocore's of the service, *region* that of the events, *since* when all was in sync."""
    sources = dict.fromkeys(
        name for name in (model.endpoint_prefix, model.signing_name, call.service) if "." not in name
    )
    label = drift.address.resource.split()
    # What AWS has yet to name has the name in the plan.
    required = {key: label[-1] if each == PENDING else each for key, each in _required(model, call).items()}
    fields = {name for each in drift.differences for name in _spelled(each.field)}
    settings = [each.want for each in drift.differences]  # a parameter that differs is a setting, and no name
    required = {key: x for key, x in required.items() if _squash(key) not in fields and x not in settings}
    known = {*label, *map(last_part, label)}
    given = {x for x in _strings(call.params) if x not in settings or x == label[-1]}
    # The exact name first: a role may be called `remediation`, too.
    named = given.intersection(label) or {each for each in given if last_part(each) in known}
    names = named or set(filter(None, required.values()))
    resource = frozenset(
        part for word in label if word not in {last_part(each) for each in names} for part in words(word)
    )
    rest = {key for key, each in call.params.items() if not isinstance(each, str) or each not in names}
    own = split(call.operation, resource)
    return Search(
        drift,
        region,
        tuple(sources),
        frozenset(names),
        {key: each for key, each in required.items() if each not in names},
        own,
        resource,
        any(_squash(key) not in fields for key in rest),
        since.replace(microsecond=0),
        moment(drift.time) + timedelta(seconds=1),
        tuple(related(model.operation_names, call.operation, resource, whole=bool(names) or own.whole))[
            :_EVENTS
        ],
    )


def with_makers(searches: Iterable[Search]) -> list[Search]:
    """The searches of the drifts of some runs, each with the one that makes its resource: *is_made* and *made_by*."""
    searches = list(searches)
    makers: dict[tuple[str, str], Search] = {}
    made: set[tuple[str, str, str, str]] = set()
    for each in searches:
        if each.drift.action == "create":
            makers.setdefault((each.drift.run, str(each.drift.address)), each)
            made |= set(_named(each))
    found = []
    for each in searches:
        maker = makers.get((each.drift.run, str(each.drift.address)))
        found.append(
            replace(
                each,
                is_made=maker is not None or not made.isdisjoint(_named(each)),
                made_by=maker if each.drift.action != "create" else None,
            )
        )
    return found


def _named(search: Search) -> Iterator[tuple[str, str, str, str]]:
    """What the request names: run, account, service and name."""
    drift = search.drift
    for name in search.names:
        yield drift.run, drift.address.account, search.sources[0], last_part(name)


def moment(text: str) -> datetime:
    """The time in a record. Raises ValueError for a text that is none."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _required(model: Any, call: CallJson) -> dict[str, str]:
    """The names among the parameters that the operation requires."""
    shape = model.operation_model(call.operation).input_shape
    found = {key: call.params.get(key) for key in (shape.required_members if shape else ())}
    return {key: each for key, each in found.items() if isinstance(each, str) and _is_name(each)}


def _strings(params: Any) -> Iterator[str]:
    """The names among the values of a request, at any depth."""
    if isinstance(params, str):
        if _is_name(params):
            yield params
    elif isinstance(params, Mapping):
        for each in params.values():
            yield from _strings(each)
    elif isinstance(params, list | tuple):
        for each in params:
            yield from _strings(each)


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _NAME and text[0] not in "{["


def _squash(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _spelled(field: str) -> set[str]:
    """A field's name, and that without the part of the resource that stands before it: `status` of `discovery.status`."""
    return {_squash(field), _squash(field.rpartition(".")[2])}


def _holds(params: Any, field: str, value: Any) -> bool:
    """Whether the parameters have the field with that value; a value that is a document may be anywhere in them."""
    expected, names = plain(value), _spelled(field)
    if isinstance(expected, dict | list) and expected:
        return any(each == expected for _, each in parts(params))
    return any(_squash(key) in names and _same(each, expected) for key, each in parts(params))


def _same(given: Any, have: Any) -> bool:
    """Whether both are one value; AWS takes an id or a name, and shows the ARN."""
    is_arn = isinstance(have, str) and have.startswith("arn:") and isinstance(given, str) and given != ""
    return bool(last_part(given) == last_part(have) if is_arn else given == have)
