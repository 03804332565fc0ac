"""Each way in which somebody may change the password policy by hand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ....sandbox.drift import Break, Hands, answer, breaks

_WHAT = "password policy"
_SWITCHES = {
    "RequireSymbols": "asked for symbols in passwords",
    "RequireNumbers": "asked for digits in passwords",
    "RequireUppercaseCharacters": "asked for upper-case letters in passwords",
    "RequireLowercaseCharacters": "asked for lower-case letters in passwords",
}
_ASKED = {
    "MinimumPasswordLength": "minimum_password_length",
    "RequireSymbols": "require_symbols",
    "RequireNumbers": "require_numbers",
    "RequireUppercaseCharacters": "require_uppercase_characters",
    "RequireLowercaseCharacters": "require_lowercase_characters",
    "AllowUsersToChangePassword": "allow_users_to_change_password",
    "MaxPasswordAge": "max_password_age",
    "PasswordReusePrevention": "password_reuse_prevention",
    "HardExpiry": "hard_expiry",
}


@breaks("password_policy")
def policy_breaks(hands: Hands) -> Iterator[Break]:
    """Every field loosened and tightened, and the policy gone."""
    iam = hands.client("iam")
    found = answer(iam.get_account_password_policy, "NoSuchEntity")
    if found is None:
        return
    policy = {key: value for key, value in found["PasswordPolicy"].items() if key != "ExpirePasswords"}

    def put(sentence: str, *, stricter: bool = False, **fields: Any) -> Break:
        full = {key: value for key, value in {**policy, **fields}.items() if value is not None}
        [field] = fields
        do = partial(iam.update_account_password_policy, **full)
        return Break(_WHAT, field, sentence, do, _ASKED[field], stricter)

    length = policy["MinimumPasswordLength"]
    yield put(f"lowered the minimum password length from {length} to 6", MinimumPasswordLength=6)
    yield put("raised the minimum password length to 32", MinimumPasswordLength=32, stricter=True)
    for field, what in _SWITCHES.items():
        if policy.get(field):
            yield put(f"no longer {what}", **{field: False})
    change = not policy.get("AllowUsersToChangePassword")
    told = "let users change their password" if change else "kept users from changing their password"
    yield put(told, AllowUsersToChangePassword=change)
    if policy.get("MaxPasswordAge"):
        yield put("let passwords live for ever", MaxPasswordAge=None)
        yield put("let passwords live for three years", MaxPasswordAge=1095)
        yield put("let passwords live for a day", MaxPasswordAge=1, stricter=True)
    if policy.get("PasswordReusePrevention"):
        yield put("let old passwords be used again", PasswordReusePrevention=None)
        yield put("let the last password but one be used again", PasswordReusePrevention=1)
    if policy.get("MaxPasswordAge") and not policy.get("HardExpiry"):
        yield put("locked users out whose password has expired", HardExpiry=True, stricter=True)
    yield Break(_WHAT, "", "deleted the password policy", iam.delete_account_password_policy)
