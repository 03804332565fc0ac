"""IAM: the account's password policy. One per account, for every IAM user in it (CIS 1.7, 1.8 in version 5.0)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from ..aws import Aws
from ..baseline import Baseline, Contradiction, Section
from ..model import Change, Changes, Difference, Finding, Findings, Kind, Note, Scope, Seen
from ..stricter import higher, lower, on, weigh
from . import step, verify

# `allow_users_to_change_password` has no safer side, so any difference in it is drift.
_STRICTER = {
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
_UNSET: dict[str, Any] = {
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


class PasswordPolicy(Section):
    """The rules for the passwords of IAM users. A field that is left out is left as it is in AWS."""

    minimum_password_length: int | None = Field(
        None, ge=6, le=128, description="Characters at least. CIS: 14."
    )
    require_symbols: bool | None = Field(
        None, description="At least one of ! @ # $ % ^ & * ( ) _ + - = [ ] { } | '"
    )
    require_numbers: bool | None = Field(None, description="At least one digit.")
    require_uppercase_characters: bool | None = Field(None, description="At least one of A to Z.")
    require_lowercase_characters: bool | None = Field(None, description="At least one of a to z.")
    allow_users_to_change_password: bool | None = Field(
        None, description="Users may change their own password."
    )
    max_password_age: int | None = Field(
        None,
        ge=1,
        le=1095,
        description="Days until a password expires. Setting it expires older ones at once.",
    )
    password_reuse_prevention: int | None = Field(
        None, ge=1, le=24, description="How many earlier passwords are refused. CIS: 24."
    )
    hard_expiry: bool | None = Field(
        None,
        description="A user whose password has expired is locked out until an administrator sets a new one.",
    )
    exact: bool = Field(False, description="Also undo what is stricter in AWS than here.")

    def to_api(self) -> dict[str, Any]:
        """The fields that the file states, under AWS's names."""
        given = self.model_dump(exclude_none=True, exclude={"exact"})
        return {
            "".join(part.capitalize() for part in name.split("_")): value for name, value in given.items()
        }

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Hard expiry without an age never happens."""
        if self.hard_expiry and self.max_password_age is None:
            yield Contradiction(
                ("password_policy", "hard_expiry"),
                "has no effect without `max_password_age`: set that, or drop it",
            )


def read_password_policy(aws: Aws) -> dict[str, Any] | None:
    """The policy with every field in it, or None where the account has none."""
    have = aws.read("iam").get_account_password_policy().value("PasswordPolicy", "NoSuchEntity")
    if have is None:
        return None
    # moto says 0 where AWS leaves a number out; neither is a limit.
    return {name: have.get(name) or unset for name, unset in _UNSET.items()}


@step("password_policy", PasswordPolicy, Scope.ACCOUNT)
def ensure_password_policy(aws: Aws, baseline: Baseline) -> Changes:
    """Hold the account's password policy at the baseline, all fields in one request."""
    section = baseline[PasswordPolicy]
    have = read_password_policy(aws)
    if have is not None:
        yield Seen("password policy")
    weighed = weigh(have or {}, section.to_api(), _STRICTER if have else {}, exact=section.exact)
    for name, (present, asked) in weighed.kept.items():
        yield Note(Kind.STRICTER, "password policy", f"{name} is {present}; the baseline asks for {asked}")
    if not weighed.differences:
        return
    full = {**(have or _UNSET), **{d.field: d.want for d in weighed.differences}}
    if have is not None and full["MaxPasswordAge"] and not have["MaxPasswordAge"]:
        yield Note(Kind.WARNING, "password policy", "MaxPasswordAge expires every older password at once")
    call = aws.write("iam").update_account_password_policy(**{k: v for k, v in full.items() if v is not None})
    differences = tuple(Difference(d.field, d.have, d.want) for d in weighed.differences)
    yield Change("password policy", differences, call, "update" if have else "create")


@verify("password_policy")
def verify_password_policy(aws: Aws, baseline: Baseline) -> Findings:
    """A password policy is in force."""
    have = read_password_policy(aws)
    text = (
        "none; IAM's default of 8 characters holds"
        if have is None
        else f"{have['MinimumPasswordLength']} characters or more"
    )
    yield Finding("password policy", "in force", have is not None, text)
