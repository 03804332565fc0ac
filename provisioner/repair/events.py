"""CloudTrail's events as `who.py` compares them: who made the call, when, and what it names.

The fields are those of the CloudTrail User Guide, "CloudTrail record contents" and "userIdentity element".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from .records import Actor

# Of our own calls: `aws/clients.py` makes it.
_OWN_AGENT: Final = re.compile(r"provision/\S+ md/run#([\w.-]+)", re.ASCII)
_VERSION: Final = re.compile(r"v?\d[\d_]*v?\d*$")  # `UpdateFunctionCode20150331v2`
_ASSUMED: Final = re.compile(r"arn:[\w-]+:sts::(\d{12}):assumed-role/([^/]+)/.*")
_ROLE: Final = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/(?:.*/)?([^/]+)")
_ADDED: Final = re.compile(r"-[a-z0-9]{8}$")
_POLICY: Final = re.compile(r"(policy|document)$")
_GIVEN: Final = re.compile(r"(id|arn)$")
_TRANSPORT: Final = re.compile(
    r"(host|x-.*|xmlns.*)", re.IGNORECASE
)  # parts of the HTTP request that S3 adds


@dataclass(frozen=True)
class Event:
    """One successful write. *time* is the newest first's order; *record* is the whole event."""

    id: str
    name: str  # of the operation, without the version of the API that some services add
    source: str  # `iam`
    time: datetime
    record: Mapping[str, Any]
    resources: frozenset[str]  # the names that LookupEvents gives

    @cached_property
    def params(self) -> Any:
        """The request's parameters in the form of `plain`."""
        return plain(self.record.get("requestParameters"))

    @cached_property
    def strings(self) -> frozenset[str]:
        """Every value of the parameters, as text."""
        return frozenset(each for each in values(self.params) if each)

    @cached_property
    def made(self) -> frozenset[str]:
        """The ids and ARNs in AWS's answer, which name what the call has made."""
        answer = plain(self.record.get("responseElements"))
        return frozenset(x for key, x in parts(answer) if isinstance(x, str) and x and _GIVEN.search(key))

    @cached_property
    def names(self) -> frozenset[str]:
        """All that the event names: `main` for a trail's name and for its ARN. Not what a policy says, of other resources, too."""
        arns = {str(each.get("ARN", "")) for each in _mappings(self.record.get("resources"))}
        params = self.params if isinstance(self.params, dict) else {}
        given = values(
            [each for key, each in params.items() if isinstance(each, str) or not _POLICY.search(key)]
        )
        found = {*given, *self.resources, *arns, *self.made} - {""}
        return frozenset(part for each in found for part in named_in(each))

    @property
    def run(self) -> str:
        """The id of the run of `provision` in the user agent, or an empty text."""
        found = _OWN_AGENT.search(str(self.record.get("userAgent", "")))
        return found[1] if found else ""

    def is_by(self, callers: frozenset[str]) -> bool:
        """Whether one of *callers*, in the form of `caller_key`, made it."""
        return caller_key(str(_identity(self.record).get("arn", ""))) in callers

    def actor(self, others: int) -> Actor:
        """Who made the call. *others* is how many more there are who may have caused the same."""
        identity = _identity(self.record)
        context = identity.get("sessionContext")
        issuer = context.get("sessionIssuer") if isinstance(context, Mapping) else None
        return Actor(
            name=_name(identity),
            time=f"{self.time:%Y-%m-%dT%H:%M:%SZ}",
            event=self.name,
            event_id=self.id,
            source_address=str(self.record.get("sourceIPAddress") or ""),
            user_agent=str(self.record.get("userAgent") or ""),
            role=str(issuer.get("arn") or "") if isinstance(issuer, Mapping) else "",
            others=others,
        )


def parse_event(found: Mapping[str, Any]) -> Event | None:
    """The event in an entry of LookupEvents; None for a read, a call that AWS refused, and what cannot be read."""
    try:
        record = json.loads(found["CloudTrailEvent"])
        if record.get("errorCode") or record.get("readOnly") or str(found.get("ReadOnly")) == "true":
            return None
        return Event(
            str(found.get("EventId") or record.get("eventID", "")),
            _VERSION.sub("", str(record["eventName"])),
            str(record["eventSource"]).partition(".")[0],
            found["EventTime"].astimezone(UTC),
            record,
            frozenset(str(each.get("ResourceName", "")) for each in _mappings(found.get("Resources"))),
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def caller_key(arn: str) -> str:
    """The same text for a role and for each of its sessions; for others the ARN."""
    found = _ASSUMED.fullmatch(arn) or _ROLE.fullmatch(arn)
    return f"{found[1]}/{found[2]}" if found else arn


def last_part(name: str) -> str:
    """The name in an ARN or a path: the text after the last `/` or `:`."""
    return re.split("[/:]", name.rstrip("/:*"))[-1]


def named_in(name: str) -> set[str]:
    """The names in a name: the last part, and of the ARN of a part of something, such as a subscription, also its whole.

    AWS adds eight characters to some names in their ARNs, such as those of an organization's rules.
    """
    if name.startswith("arn:"):
        named = {*re.split("[/:]", name.rstrip("/:*").split(":", 5)[-1])}
        return named | {_ADDED.sub("", each) for each in named}
    return {last_part(name)}


def plain(value: Any) -> Any:
    """A value so that it can be compared with another spelling of it.

    Names in lower case, scalars as text, JSON documents read, a list of one entry as that entry (XML has no lists).
    """
    if isinstance(value, Mapping):
        return {
            str(key).lower(): plain(each) for key, each in value.items() if not _TRANSPORT.fullmatch(str(key))
        }
    if isinstance(value, list | tuple | set | frozenset):
        entries = [plain(each) for each in value]
        return entries[0] if len(entries) == 1 else entries
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return plain(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def values(value: Any) -> Iterator[str]:
    """Every text in what `plain` returned, at any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from values(each)
    else:
        yield str(value)


def parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Every part of what `plain` returned, each with its name, which is empty for an entry of a list."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key, each
            yield from parts(each)
    elif isinstance(value, list):
        for each in value:
            yield "", each
            yield from parts(each)


def _identity(record: Mapping[str, Any]) -> Mapping[str, Any]:
    found = record.get("userIdentity")
    return found if isinstance(found, Mapping) else {}


def _name(identity: Mapping[str, Any]) -> str:
    """The ARN; of a service its name, of an IAM Identity Center user the user's, of another account's caller that account."""
    if arn := identity.get("arn"):
        return str(arn)
    if identity.get("type") == "AWSAccount" and identity.get("accountId"):
        return f"account {identity['accountId']}"
    behalf = identity.get("onBehalfOf")
    user = behalf.get("userId") if isinstance(behalf, Mapping) else ""
    found = identity.get("invokedBy") or identity.get("userName") or user or identity.get("principalId")
    return str(found or identity.get("type") or "unknown")


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in value or () if isinstance(each, Mapping))
