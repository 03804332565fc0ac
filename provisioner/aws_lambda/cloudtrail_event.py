"""An API call as CloudTrail tells EventBridge about it, and the steps that it may have broken.

An event only chooses steps of the file that are then compared with AWS, as the timer does with all of them. So the worst that
an event can do, whoever made the call, is to start a comparison, or to leave one to the timer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..model import Refused
from ..repair.watched import DETAIL_TYPE, Event, WatchedStep

_ACCOUNT: Final = re.compile("[0-9]{12}", re.ASCII)
_OWN_AGENT: Final = re.compile(r"(?:^|[\s\[])provision/")
_MAX_TEXTS: Final = 1000  # in the parameters of a call; of one with more, none is looked at


@dataclass(frozen=True)
class ApiCall:
    """A call that wrote. *texts*: all texts in its parameters, in lower case; None if they are not known."""

    event: Event
    account: str
    caller: str  # the ARN
    user_agent: str
    texts: frozenset[str] | None

    def is_own(self, callers: Collection[str]) -> bool:
        """Whether `provision` made the call, as one of the *callers*.

        Everybody chooses a user agent, so that alone proves nothing.
        """
        return self.caller in callers and bool(_OWN_AGENT.search(self.user_agent))


def parse_call(event: Any) -> ApiCall | None:
    """The call in an event of EventBridge; None if it changed nothing. Raises Refused if it is no such event."""
    whole = _object(event, "the event")
    source, kind = _text(whole, "source"), _text(whole, "detail-type")
    if not source.startswith("aws.") or kind != DETAIL_TYPE:
        raise Refused(f"want an event of AWS of type `{DETAIL_TYPE}`, got {kind!r} from {source!r}")
    account = _text(whole, "account")
    if not _ACCOUNT.fullmatch(account):
        raise Refused(f"the event's `account`: want 12 digits, got {account!r}")
    detail = _object(whole.get("detail"), "the event's `detail`")
    name = _text(detail, "eventSource"), _text(detail, "eventName")
    if _changed_nothing(detail):
        return None
    identity = detail.get("userIdentity")
    caller = identity.get("arn") if isinstance(identity, Mapping) else None
    agent = detail.get("userAgent")
    return ApiCall(
        name,
        account,
        caller if isinstance(caller, str) else "",
        agent if isinstance(agent, str) else "",
        _texts(detail),
    )


def _changed_nothing(detail: Mapping[str, Any]) -> bool:
    """Whether the call was refused, or read, or was to data such as an object in a bucket."""
    refused = bool(detail.get("errorCode"))
    return (
        refused
        or detail.get("readOnly") in {True, "true"}
        or detail.get("managementEvent") in {False, "false"}
    )


def find_steps(calls: Iterable[ApiCall], watched: Mapping[Event, Collection[WatchedStep]]) -> frozenset[str]:
    """The steps that these calls may have broken.

    A call that names its resources, and none that the file describes, has broken nothing.
    """
    return frozenset(
        step.name
        for call in calls
        for step in watched.get(call.event, ())
        if call.texts is None
        or not step.resources
        or any(name.lower() in text for name in step.resources for text in call.texts)
    )


def _texts(detail: Mapping[str, Any]) -> frozenset[str] | None:
    """The texts in the parameters of the call, in lower case; None if there are none, or too many."""
    found = set[str]()
    pending: list[Any] = [detail.get("requestParameters"), detail.get("resources")]
    for _ in range(_MAX_TEXTS):
        if not pending:
            return frozenset(found) or None
        value = pending.pop()
        if isinstance(value, Mapping):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str):
            found.add(value.lower())
    return None


def records_of(event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The messages of a batch from SQS: the id and the body of each. Raises Refused if it is no such batch."""
    records = event.get("Records")
    if not isinstance(records, list) or not records:
        raise Refused("the event's `Records`: want messages of SQS")
    for each in records:
        record = _object(each, "the event's `Records`")
        yield _text(record, "messageId"), record.get("body")


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(f"{name}: want an object, got {type(value).__name__}")
    return value


def _text(whole: Mapping[str, Any], key: str) -> str:
    value = whole.get(key)
    if not isinstance(value, str):
        raise Refused(f"the event's `{key}`: want a text, got {type(value).__name__}")
    return value
