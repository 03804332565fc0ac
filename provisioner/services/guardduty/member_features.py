"""Enable in the members that exist what the file enables in ALL accounts: a part of `guardduty_organization`.

AWS itself does so within a day of a change of the organization's configuration, and not after somebody switches a
feature of one member off. Only the administrator may: AWS refuses the member itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ...aws import Aws, Reading
from ...model import Call, Change, Changes, Difference, Kind, Note, Refused
from ...steps.settings import owned
from .features import feature_request
from .section import EKS_RUNTIME, RUNTIME, Organization
from .state import ENABLED, PAUSED, SERVICE, named, parts_of

AT_ONCE: Final = 50  # accounts that a request about members takes
_CONFIGURATIONS: Final = "MemberDataSourceConfigurations"
UNPROCESSED: Final = "UnprocessedAccounts"  # what AWS lists here, beside HTTP status 200, it did not do

Features = Sequence[Mapping[str, Any]]
Missing = Mapping[str, tuple[str, ...]]  # what is not enabled, by account: `Status`, and names of parts


class Look(NamedTuple):
    """A read of the features of some members, by account with its relationship, and the features that each is to have."""

    detector: str
    members: Mapping[str, str]
    asked: Mapping[str, tuple[str, ...]]
    reading: Reading


def features_of_all(section: Organization) -> dict[str, tuple[str, ...]]:
    """The features that ALL accounts are to have, each with those of its parts that all are to have too."""
    return {
        name: tuple(part for part, value in feature.additional_configuration.items() if value == "ALL")
        for name, feature in section.features.items()
        if feature.auto_enable == "ALL"
    }


def look_at_features(
    aws: Aws, detector: str | None, members: Mapping[str, str], asked: Mapping[str, tuple[str, ...]]
) -> list[Look]:
    """Start to read the features of the members, those included that are suspended."""
    found = [each for each, status in members.items() if status == ENABLED or status in PAUSED]
    if detector is None or not asked:
        return []
    looks = []
    for first in range(0, len(found), AT_ONCE):
        some = found[first : first + AT_ONCE]
        reading = aws.read(SERVICE).get_member_detectors(DetectorId=detector, AccountIds=some)
        looks.append(Look(detector, {each: members[each] for each in some}, asked, reading))
    return looks


def ensure_features_of(aws: Aws, title: str, look: Look) -> Changes:
    """Enable what is not. Raises Refused for members that AWS did not answer about, unless they are suspended."""
    answer = look.reading.all()
    have = {each["AccountId"]: each.get("Features") or () for each in answer.get(_CONFIGURATIONS) or ()}
    for name, parts in look.asked.items():
        groups: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)  # accounts by the same request
        for account, features in have.items():
            missing = _missing(features, name, parts)
            yield from _notes(title, account, features, name, missing)
            if mine := tuple(key for key in missing if not _owner(features, name, key)):
                groups[repr(_request(features, name, mine))][account] = mine
        for group in groups.values():
            if found := _change(aws, title, look, have, name, group):
                yield found
    left = answer.get(UNPROCESSED) or ()
    if unread := [x for x in left if look.members.get(x["AccountId"]) == ENABLED]:
        told = ", ".join(f"{each['AccountId']} ({each['Result']})" for each in unread)
        raise Refused(f"GuardDuty did not show the features of {told}: run again")


def _missing(features: Features, name: str, parts: Sequence[str]) -> list[str]:
    """What of a feature is not enabled in a member: `Status`, and names of parts. Nothing where AWS does not offer it."""
    if named(features, name) is None or (name == EKS_RUNTIME and _is_on(features, RUNTIME)):  # includes it
        return []
    have = _statuses(features, name)
    return [key for key in ("Status", *parts) if have.get(key) != "ENABLED"]


def _notes(
    title: str, account: str, features: Features, name: str, missing: Collection[str]
) -> Iterator[Note]:
    """Say what a policy of the organization keeps disabled in a member, and what is not needed any more."""
    for key in missing:
        if policy := _owner(features, name, key):
            difference = Difference(_field(account, name, key), _statuses(features, name).get(key), "ENABLED")
            yield owned(title, difference, f"the organization's {policy}")
    if name == RUNTIME and "Status" in missing and _is_on(features, EKS_RUNTIME):
        text = f"{EKS_RUNTIME} stays on in account {account} beside {RUNTIME}, which includes it: disable it there"
        yield Note(Kind.WARNING, title, text)


def _change(
    aws: Aws, title: str, look: Look, have: Mapping[str, Features], name: str, missing: Missing
) -> Change | None:
    """The change that enables *missing*; None if there is none, or if AWS does not take it in one request."""
    requests = [_request(have[account], name, keys) for account, keys in missing.items()]
    if not requests or not requests[0] or any(each != requests[0] for each in requests):
        return None
    fields = tuple(
        Difference(_field(account, name, key), _statuses(have[account], name).get(key), "ENABLED")
        for account, keys in missing.items()
        for key in keys
    )
    call: Call = aws.write(SERVICE).update_member_detectors(
        DetectorId=look.detector, AccountIds=list(missing), Features=requests[0]
    )

    def basis(configurations: Any) -> Any:
        every = {each["AccountId"]: each.get("Features") or () for each in configurations or ()}
        return [_statuses(every.get(account, ()), name) for account in missing]

    def without(accepted: Collection[str]) -> Change | None:
        left = {
            x: tuple(k for k in keys if _field(x, name, k) not in accepted) for x, keys in missing.items()
        }
        return _change(aws, title, look, have, name, {x: keys for x, keys in left.items() if keys})

    call = call.failing_on(UNPROCESSED).based_on(look.reading.at(_CONFIGURATIONS, basis))
    return Change(title, fields, call, without=without)


def _request(features: Features, name: str, missing: Collection[str]) -> list[dict[str, Any]]:
    """A feature as UpdateMemberDetectors takes it, with the parts that it has; empty for parts of one that stays off."""
    have = {key: value for key, value in _statuses(features, name).items() if not _owner(features, name, key)}
    fields = {"Status": _statuses(features, name)["Status"], **have, **dict.fromkeys(missing, "ENABLED")}
    if fields["Status"] != "ENABLED":
        return []
    return [feature_request(name, fields)]


def _statuses(features: Features, name: str) -> dict[str, Any]:
    """The status of a feature, and of its parts by name."""
    found = named(features, name) or {}
    return {"Status": found.get("Status"), **parts_of(found, "Status")}


def _owner(features: Features, name: str, key: str) -> Any:
    """The policy of the organization that sets the feature or its part, or None."""
    found = named(features, name) or {}
    return {"Status": found.get("ManagedBy"), **parts_of(found, "ManagedBy")}.get(key)


def _is_on(features: Features, name: str) -> bool:
    return bool(_statuses(features, name)["Status"] == "ENABLED")


def _field(account: str, name: str, key: str) -> str:
    return f"member {account} {name}" + ("" if key == "Status" else f" {key}")
