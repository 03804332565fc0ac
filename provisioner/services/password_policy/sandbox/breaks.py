"""Ways to change the password policy by hand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from botocore import xform_name

from ....sandbox.drift import Administrator, Break, breaks, read_or_none

_RESOURCE = "password policy"
_SWITCHES = {
    "RequireSymbols": "symbols",
    "RequireNumbers": "digits",
    "RequireUppercaseCharacters": "upper-case letters",
    "RequireLowercaseCharacters": "lower-case letters",
}


@breaks("password_policy")
def policy_breaks(admin: Administrator) -> Iterator[Break]:
    """Loosen and tighten each field, and delete the policy."""
    iam = admin.client("iam")
    found = read_or_none(iam.get_account_password_policy, "NoSuchEntity")
    if found is None:
        return
    policy = {key: value for key, value in found["PasswordPolicy"].items() if key != "ExpirePasswords"}

    def put(sentence: str, *, stricter: bool = False, **fields: Any) -> Break:
        full = {key: value for key, value in {**policy, **fields}.items() if value is not None}
        [field] = fields
        do = partial(iam.update_account_password_policy, **full)
        return Break(_RESOURCE, field, sentence, do, xform_name(field), stricter)

    length = policy["MinimumPasswordLength"]
    yield put(f"lowered the minimum password length from {length} to 6", MinimumPasswordLength=6)
    yield put("raised the minimum password length to 32", MinimumPasswordLength=32, stricter=True)
    for field, characters in _SWITCHES.items():
        if policy.get(field):
            yield put(f"no longer asked for {characters} in passwords", **{field: False})
    change = not policy.get("AllowUsersToChangePassword")
    text = "let users change their password" if change else "kept users from changing their password"
    yield put(text, AllowUsersToChangePassword=change)
    if policy.get("MaxPasswordAge"):
        yield put("let passwords live for ever", MaxPasswordAge=None)
        yield put("let passwords live for three years", MaxPasswordAge=1095)
        yield put("let passwords live for a day", MaxPasswordAge=1, stricter=True)
    if policy.get("PasswordReusePrevention"):
        yield put("let old passwords be used again", PasswordReusePrevention=None)
        yield put("let the last password but one be used again", PasswordReusePrevention=1)
    if policy.get("MaxPasswordAge") and not policy.get("HardExpiry"):
        yield put("locked users out whose password has expired", HardExpiry=True, stricter=True)
    yield Break(_RESOURCE, "", "deleted the password policy", iam.delete_account_password_policy)
