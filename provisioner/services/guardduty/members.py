"""Keep the accounts of the organization members of GuardDuty's administrator: a part of `guardduty_organization`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from ...aws import Aws, Reading
from ...model import PENDING, Call, Change, Changes, Difference, Part
from .member_features import AT_ONCE, UNPROCESSED, ensure_features_of, features_of_all, look_at_features
from .section import Organization
from .state import ENABLED, PAUSED, SERVICE, detector_id


def restores_members(section: Organization) -> bool:
    """Whether the file asks that members stay: those that are suspended are started, and those removed added again."""
    return bool(section.create_members) or section.auto_enable_organization_members == "ALL"


def concerns_members(section: Organization) -> bool:
    """Whether anything of the section is looked at in each member."""
    return restores_members(section) or bool(features_of_all(section))


def ensure_members(aws: Aws, section: Organization, title: str, *, designated: bool) -> Changes:
    """Add the accounts that are no members, start those that are suspended, and enable the features for ALL in each.

    A member keeps its place when it is suspended. AWS enables in an account that is added what the organization's
    configuration says, so that only those that are members already are looked at.
    """
    accounts = aws.read("organizations").list_accounts() if restores_members(section) else None
    detector, members = detector_id(aws), dict[str, str]()
    if detector and designated:
        listed = aws.read(SERVICE).list_members(DetectorId=detector, OnlyAssociated="false").get("Members")
        members = {each["AccountId"]: each["RelationshipStatus"] for each in listed}
    looks = look_at_features(aws, detector, members, features_of_all(section))
    if accounts is not None:
        yield Part(title, _ensure_associated(aws, section, title, detector, members, accounts))
    for look in looks:
        yield Part(title, ensure_features_of(aws, title, look))


def _ensure_associated(
    aws: Aws,
    section: Organization,
    title: str,
    detector: str | None,
    members: Mapping[str, str],
    accounts: Reading,
) -> Changes:
    """Start the active accounts that are suspended in GuardDuty, and add those that are no members, or not any more."""
    write, start, add = aws.write(SERVICE), dict[str, str | None](), dict[str, str | None]()
    emails = {
        each["Id"]: each["Email"]
        for each in accounts.get("Accounts")
        if (each.get("State") or each["Status"]) == "ACTIVE" and each["Id"] != aws.account
    }
    for account in emails:
        have = members.get(account)
        if have in PAUSED:
            start[account] = have
        elif have != ENABLED and (have or section.create_members):
            add[account] = have

    def create(some: Collection[str]) -> Call:
        details = [{"AccountId": each, "Email": emails[each]} for each in some]
        return write.create_members(DetectorId=detector or PENDING, AccountDetails=details)

    def resume(some: Collection[str]) -> Call:
        return write.start_monitoring_members(DetectorId=detector or PENDING, AccountIds=list(some))

    yield from _in_batches(title, start, resume)
    yield from _in_batches(title, add, create)


def _in_batches(
    title: str, have: Mapping[str, str | None], put: Callable[[Collection[str]], Call]
) -> Changes:
    """A change for each 50 accounts, given with the relationship that each has."""

    def change(some: Collection[str]) -> Change | None:
        if not some:
            return None
        fields = tuple(Difference(f"member {each}", have[each], ENABLED) for each in some)
        return Change(
            title, fields, put(some).failing_on(UNPROCESSED), without=lambda names: left(some, names)
        )

    def left(some: Collection[str], names: Collection[str]) -> Change | None:
        return change([each for each in some if f"member {each}" not in names])

    every = list(have)
    for first in range(0, len(every), AT_ONCE):
        if found := change(every[first : first + AT_ONCE]):
            yield found
