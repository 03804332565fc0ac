"""The YAML section `password_policy`: the rules for the passwords of IAM users. Fields are IAM's, in snake_case."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from ...baseline import Baseline, Contradiction
from ...compare.stricter import Stricter, higher, lower, on
from ...steps.registry import section
from ...steps.settings import Guarded, Settings


def _weaker(stricter: Stricter, loses: str) -> Guarded:
    return Guarded(stricter, "weaken-password-policy", loses)


@section("password_policy")
class PasswordPolicy(Settings):
    """The rules for the passwords of IAM users.

    For a field that is left out, the value of the account's policy is kept. If the account has no policy, a new
    one is created with AWS's defaults for these fields: 8 characters, and no other requirement.
    """

    minimum_password_length: Annotated[int | None, _weaker(higher, "shorter passwords are accepted")] = Field(
        None, ge=6, le=128, description="The least number of characters. CIS: 14."
    )
    require_symbols: Annotated[bool | None, _weaker(on, "passwords without symbols are accepted")] = Field(
        None, description="At least one of ! @ # $ % ^ & * ( ) _ + - = [ ] { } | '"
    )
    require_numbers: Annotated[bool | None, _weaker(on, "passwords without digits are accepted")] = Field(
        None, description="At least one digit."
    )
    require_uppercase_characters: Annotated[
        bool | None, _weaker(on, "passwords without upper-case letters are accepted")
    ] = Field(None, description="At least one of A to Z.")
    require_lowercase_characters: Annotated[
        bool | None, _weaker(on, "passwords without lower-case letters are accepted")
    ] = Field(None, description="At least one of a to z.")
    # Neither value of this one is stricter: any difference is drift.
    allow_users_to_change_password: bool | None = Field(
        None, description="Users may change their own password."
    )
    max_password_age: Annotated[int | None, _weaker(lower, "passwords expire later")] = Field(
        None,
        ge=1,
        le=1095,
        description="Days until a password expires. Passwords that are older expire at once.",
    )
    password_reuse_prevention: Annotated[
        int | None, _weaker(higher, "earlier passwords can be used again sooner")
    ] = Field(None, ge=1, le=24, description="How many earlier passwords are refused. CIS: 24.")
    hard_expiry: Annotated[bool | None, _weaker(on, "users whose password has expired can set a new one")] = (
        Field(
            None,
            description="A user whose password has expired is locked out until an administrator sets a new one.",
        )
    )

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Hard expiry has no effect if passwords never expire."""
        if self.hard_expiry and self.max_password_age is None:
            yield Contradiction(
                ("password_policy", "hard_expiry"),
                "has no effect without `max_password_age`: set that, or drop it",
            )
