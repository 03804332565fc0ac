"""Who may look at a key."""

from __future__ import annotations

import json
from typing import Any

from ....compare.policy_eval import Act, as_list, decide
from ....sandbox.ask import Request
from ....sandbox.callers import caller
from ....sandbox.model import Refused, Response
from ....sandbox.rule import after, instead
from ....sandbox.rules.kms import find_key, key_refuses
from ....sandbox.rules.organizations import find_organization


@instead("kms.keys_of_others", "DescribeKey", row="16.F other account")
def keys_of_others(request: Request) -> Response | dict[str, Any]:
    """A key of another account is AccessDeniedException unless its policy lets the caller look at it.

    One of the own account is shown even if its policy denies that to others.
    """
    name = str(request.params.get("KeyId", ""))
    parts = name.split(":")
    key = find_key(name, request.account, request.region)
    if len(parts) < 6 or parts[4] == request.account:
        if key is None or not _denied_to_others(request, key):
            return request.moto()
    elif key is None or key_refuses(key, caller(request).arn, ("kms:DescribeKey",), _context(request)):
        text = (
            f"User: {caller(request).arn} is not authorized to perform: kms:DescribeKey on this resource because the "
            "resource does not exist in this Region, no resource-based policies allow access, or a resource-based "
            "policy explicitly denies access"
        )
        raise Refused("AccessDeniedException", text)
    found: dict[str, Any] = key.to_dict()
    return found


@after("kms.multi_region", "CreateKey", "DescribeKey", row="API KeyMetadata.MultiRegion")
def multi_region(request: Request, answer: dict[str, Any]) -> None:
    """What is known of a key says in each case whether it is a multi-Region key."""
    metadata = answer["KeyMetadata"]
    metadata["MultiRegion"] = bool(metadata.get("MultiRegion"))


def _context(request: Request) -> dict[str, str]:
    """What the condition keys of a key policy say of the caller."""
    held = find_organization(request.account, request.partition)
    own = {"aws:principalaccount": request.account, "kms:calleraccount": request.account}
    return {**own, **({"aws:principalorgid": held.org.id} if held is not None else {})}


def _denied_to_others(request: Request, key: Any) -> bool:
    """Whether the key's policy has a Deny, and none for the caller. Moto does not look at whom it is for."""
    document = json.loads(key.policy)
    if all(each.get("Effect") != "Deny" for each in as_list(document["Statement"])):
        return False
    return decide(document, Act("kms:DescribeKey", key.arn, caller(request).arn, {})) != "deny"
