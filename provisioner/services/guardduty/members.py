"""Add the accounts that are in the organization already to GuardDuty: a part of the step `guardduty_organization`."""

from __future__ import annotations

from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import PENDING, Changes, Difference, Refused, update
from .state import SERVICE, detector_id

_AT_ONCE: Final = 50  # accounts that CreateMembers takes


def ensure_members(aws: Aws, baseline: Baseline, title: str, *, designated: bool) -> Changes:
    """Make each active account a member of this administrator. Raises Refused for those that GuardDuty did not take."""
    accounts = aws.read("organizations").list_accounts()
    members, detector = list[Any](), detector_id(aws)
    if detector and designated:
        members = aws.read(SERVICE).list_members(DetectorId=detector).get("Members")
    known = {aws.account, *(each["AccountId"] for each in members)}
    missing = [
        each
        for each in accounts.get("Accounts")
        if each["Id"] not in known and (each.get("State") or each["Status"]) == "ACTIVE"
    ]
    refused: list[str] = []
    for start in range(0, len(missing), _AT_ONCE):
        some = missing[start : start + _AT_ONCE]
        details = [{"AccountId": each["Id"], "Email": each["Email"]} for each in some]
        call = aws.write(SERVICE).create_members(DetectorId=detector or PENDING, AccountDetails=details)
        fields = tuple(Difference(f"member {each['Id']}", have=False, want=True) for each in some)
        answer = yield update(title, fields, call)
        left = answer.get("UnprocessedAccounts") if isinstance(answer, dict) else None
        refused += (
            [f"{each['AccountId']} ({each['Result']})" for each in left] if isinstance(left, list) else []
        )
    if refused:
        raise Refused(f"GuardDuty did not add {', '.join(refused)}: run again")
