"""Keep the accounts of the organization members of Macie's administrator: a part of the step `macie`, in that account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ...aws import Aws
from ...model import PENDING, Changes, Difference, Wait, create, update
from .state import ENABLED, SERVICE, if_administrator

MEMBERS: Final = "Macie members"
_ENABLED: Final = "Enabled"  # a relationship with the administrator, as is:
_PAUSED: Final = "Paused"


def ensure_members(aws: Aws, seen: Wait) -> Changes:
    """Add the active accounts that are no members, or not any more, and resume those that are paused. Nobody is removed.

    AWS takes one account in a request, and enables Macie in one that is added. *seen* waits for a new administrator.
    """
    accounts = aws.read("organizations").list_accounts()
    reading, write = aws.read(SERVICE).list_members(onlyAssociated="false"), aws.write(SERVICE)
    listed = if_administrator(lambda: reading.get("members"))
    if listed is None:  # AWS does not show the accounts before this one administers a service for them
        call = write.create_member(account={"accountId": PENDING, "email": PENDING})
        yield replace(create(MEMBERS, {"members": "every active account"}, call), contains=(MEMBERS,))
        return
    members: dict[str, Any] = {each["accountId"]: each["relationshipStatus"] for each in listed}
    for each in accounts.get("Accounts"):
        account, have = each["Id"], members.get(each["Id"])
        active = (each.get("State") or each["Status"]) == "ACTIVE"
        if account == aws.account or have == _ENABLED or not active:
            continue
        if have == _PAUSED:
            call = write.update_member_session(id=account, status="ENABLED")
        else:
            call = write.create_member(account={"accountId": account, "email": each["Email"]})
        difference = Difference(f"member {account}", have, _ENABLED)
        yield update(MEMBERS, (difference,), call.waiting(ENABLED, seen))
