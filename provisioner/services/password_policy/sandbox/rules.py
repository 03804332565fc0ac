"""IAM's password policy: its ranges, and what it does not show."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.rule import before, instead
from ....sandbox.words import Answer, Refused


@before(
    "iam.password_policy_ranges",
    "UpdateAccountPasswordPolicy",
    row="5 Password policy: 0 is a validation error",
)
def password_policy_ranges(ask: Ask) -> None:
    """A password policy's numbers have a range: an age or reuse of 0 is a ValidationError."""
    for key, low, high in (
        ("MinimumPasswordLength", 6, 128),
        ("MaxPasswordAge", 1, 1095),
        ("PasswordReusePrevention", 1, 24),
    ):
        value = ask.params.get(key)
        if value is not None and not low <= int(value) <= high:
            name = key[0].lower() + key[1:]
            bound, how = (low, "greater") if int(value) < low else (high, "less")
            text = (
                f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
                f"Member must have value {how} than or equal to {bound}"
            )
            raise Refused("ValidationError", text)


@instead(
    "iam.password_policy_unset", "GetAccountPasswordPolicy", row="13.4 password policy: unset keys absent"
)
def password_policy_unset(ask: Ask) -> Answer | dict[str, Any]:
    """What a password policy does not set is absent when read."""
    held = ask.store().account_password_policy
    if held is None:
        return ask.moto()
    shown = {
        "MinimumPasswordLength": held.minimum_password_length,
        "RequireSymbols": held.require_symbols,
        "RequireNumbers": held.require_numbers,
        "RequireUppercaseCharacters": held.require_uppercase_characters,
        "RequireLowercaseCharacters": held.require_lowercase_characters,
        "AllowUsersToChangePassword": held.allow_users_to_change_password,
        "ExpirePasswords": held.expire_passwords,
        "MaxPasswordAge": held.max_password_age,
        "PasswordReusePrevention": held.password_reuse_prevention,
        "HardExpiry": held.hard_expiry if held.max_password_age else None,
    }
    numbers = ("MaxPasswordAge", "PasswordReusePrevention")
    return {
        "PasswordPolicy": {k: v for k, v in shown.items() if v is not None and not (k in numbers and v == 0)}
    }
