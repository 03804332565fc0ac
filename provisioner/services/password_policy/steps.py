"""IAM: the account's password policy. One per account, for every IAM user in it (CIS 1.7, 1.8 in version 5.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...compare.stricter import higher, lower, on, weigh
from ...model import Call, Change, Changes, Difference, Exists, Finding, Findings, Kind, Note, Scope
from ...steps.registry import step, verify
from .section import PasswordPolicy

_TITLE: Final = "password policy"
# `allow_users_to_change_password` has no safer side, so any difference in it is drift.
_STRICTER: Final = {
    "MinimumPasswordLength": higher,
    "RequireSymbols": on,
    "RequireNumbers": on,
    "RequireUppercaseCharacters": on,
    "RequireLowercaseCharacters": on,
    "MaxPasswordAge": lower,
    "PasswordReusePrevention": higher,
    "HardExpiry": on,
}
# What AWS takes for a field that a request leaves out: UpdateAccountPasswordPolicy knows no partial update.
_UNSET: Final[dict[str, Any]] = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
    "MaxPasswordAge": None,
    "PasswordReusePrevention": None,
    "HardExpiry": False,
}
# What holds in an account that has no policy, of what a policy can say.
_IN_FORCE: Final[dict[str, Any]] = {"MinimumPasswordLength": 8}


def read_password_policy(aws: Aws) -> dict[str, Any] | None:
    """The policy with every field in it, or None where the account has none."""
    have = aws.read("iam").get_account_password_policy().value("PasswordPolicy", "NoSuchEntity")
    if have is None:
        return None
    # moto says 0 where AWS leaves a number out; neither is a limit.
    return {name: have.get(name) or unset for name, unset in _UNSET.items()}


@step("password_policy", PasswordPolicy, Scope.ACCOUNT, clients=("iam",))
def ensure_password_policy(aws: Aws, baseline: Baseline) -> Changes:
    """Hold the account's password policy at the baseline, all fields in one request.

    With `exact`, what is stricter is undone in a second request, which the repair does not wait for.
    """
    section = baseline[PasswordPolicy]
    want, have = section.to_api(), read_password_policy(aws)
    if have is not None:
        yield Exists(_TITLE)
    weighed = weigh(have or _IN_FORCE, want, _STRICTER)
    repairs = weighed.differences
    if have is None:  # IAM's default of 8 characters is no policy
        repairs = tuple(Difference(name, None, want[name]) for name in want if name not in weighed.kept)
    full = {**(have or _UNSET | _IN_FORCE), **{each.field: each.want for each in repairs}}
    if repairs:
        yield from _warnings(have, want, full)
        yield Change(_TITLE, repairs, _put(aws, full), "update" if have else "create")
    if section.exact and weighed.kept:
        looser = ", ".join(f"{each.field} {each.want} instead of {each.have}" for each in weighed.loosening)
        call = _put(aws, {**full, **{each.field: each.want for each in weighed.loosening}})
        yield Change(
            _TITLE,
            weighed.loosening,
            call,
            consent="weaken-password-policy",
            loses=f"weaker passwords are taken: {looser}",
        )
        return
    for name, (present, asked) in weighed.kept.items():
        yield Note(Kind.STRICTER, _TITLE, f"{name} is {present}; the baseline asks for {asked}")


def _warnings(have: Mapping[str, Any] | None, want: Mapping[str, Any], full: Mapping[str, Any]) -> Changes:
    """What the repair does besides: it may expire passwords, and a first policy replaces IAM's default."""
    if have is None:
        words = {None: "none", False: "off"}
        if taken := [f"{name} {words.get(value, value)}" for name, value in full.items() if name not in want]:
            text = f"the account has no policy, so what the file leaves out gets AWS's defaults: {', '.join(taken)}"
            asks = "; without a policy IAM asks for three of the four kinds of characters"
            yield Note(Kind.WARNING, _TITLE, text + asks)
    elif full["MaxPasswordAge"] and not have["MaxPasswordAge"]:
        yield Note(Kind.WARNING, _TITLE, "MaxPasswordAge expires every older password at once")


def _put(aws: Aws, full: Mapping[str, Any]) -> Call:
    """The whole policy in one request; a limit that is None is off by being left out."""
    return aws.write("iam").update_account_password_policy(
        **{name: value for name, value in full.items() if value is not None}
    )


@verify("password_policy")
def verify_password_policy(aws: Aws, baseline: Baseline) -> Findings:
    """A password policy is in force."""
    have = read_password_policy(aws)
    text = (
        "none; IAM's default of 8 characters holds"
        if have is None
        else f"{have['MinimumPasswordLength']} characters or more"
    )
    yield Finding(_TITLE, "in force", have is not None, text)
