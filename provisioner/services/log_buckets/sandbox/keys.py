"""KMS keys of other accounts."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.callers import caller
from ....sandbox.model import Refused, Response
from ....sandbox.rule import instead
from ....sandbox.rules.kms import find_key, key_refuses


@instead("kms.keys_of_others", "DescribeKey", row="16.F other account")
def keys_of_others(request: Request) -> Response | dict[str, Any]:
    """A key of another account is AccessDeniedException unless its policy lets the caller look at it."""
    name = str(request.params.get("KeyId", ""))
    parts = name.split(":")
    if len(parts) < 6 or parts[4] == request.account:
        return request.moto()
    key = find_key(name, request.account, request.region)
    if key is None or key_refuses(key, caller(request).arn, ("kms:DescribeKey",), {}):
        text = (
            f"User: {caller(request).arn} is not authorized to perform: kms:DescribeKey on this resource because the "
            "resource does not exist in this Region, no resource-based policies allow access, or a resource-based "
            "policy explicitly denies access"
        )
        raise Refused("AccessDeniedException", text)
    found: dict[str, Any] = key.to_dict()
    return found
