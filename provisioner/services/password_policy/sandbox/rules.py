"""IAM's password policy: ranges, and fields that are absent."""

from __future__ import annotations

from typing import Any

from botocore import xform_name

from ....sandbox.ask import Request
from ....sandbox.model import Refused, Response
from ....sandbox.rule import before, instead

_KEYS = (
    *("MinimumPasswordLength", "RequireSymbols", "RequireNumbers", "RequireUppercaseCharacters"),
    *("RequireLowercaseCharacters", "AllowUsersToChangePassword", "ExpirePasswords"),
)


@before("iam.password_policy_ranges", "UpdateAccountPasswordPolicy", row="5 Password policy")
def password_policy_ranges(request: Request) -> None:
    """Numbers of a password policy have a range: an age or reuse of 0 is a ValidationError."""
    for key, low, high in (
        ("MinimumPasswordLength", 6, 128),
        ("MaxPasswordAge", 1, 1095),
        ("PasswordReusePrevention", 1, 24),
    ):
        value = request.params.get(key)
        if value is not None and not low <= int(value) <= high:
            name = key[0].lower() + key[1:]
            bound, how = (low, "greater") if int(value) < low else (high, "less")
            start = f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint:"
            raise Refused("ValidationError", f"{start} Member must have value {how} than or equal to {bound}")


@instead("iam.password_policy_unset", "GetAccountPasswordPolicy", row="13.4 password policy")
def password_policy_unset(request: Request) -> Response | dict[str, Any]:
    """Fields that a password policy does not set are absent when it is read."""
    held = request.store().account_password_policy
    if held is None:
        return request.moto()
    shown = {key: getattr(held, xform_name(key)) for key in _KEYS}
    shown |= {"MaxPasswordAge": held.max_password_age or None}
    shown |= {"PasswordReusePrevention": held.password_reuse_prevention or None}
    shown |= {"HardExpiry": held.hard_expiry if held.max_password_age else None}
    return {"PasswordPolicy": {key: value for key, value in shown.items() if value is not None}}
