"""The YAML section `password_policy`: the rules for the passwords of IAM users. Fields are IAM's, in snake_case."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from ...baseline import Baseline, Contradiction, Section
from ...baseline.section import aws_name
from ...steps.registry import section


@section("password_policy")
class PasswordPolicy(Section):
    """The rules for the passwords of IAM users.

    A field that is left out keeps what the account's policy has. An account without a policy gets a new one,
    and AWS's default for the field: 8 characters, and nothing else asked.
    """

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
    exact: bool = Field(
        False,
        description="Also undo what is stricter in AWS than here; `apply` does so with `--allow` only.",
    )

    def to_api(self) -> dict[str, Any]:
        """The fields that the file states, under AWS's names."""
        given = self.model_dump(exclude_none=True, exclude={"exact"})
        return {aws_name(name): value for name, value in given.items()}

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Hard expiry without an age never happens."""
        if self.hard_expiry and self.max_password_age is None:
            yield Contradiction(
                ("password_policy", "hard_expiry"),
                "has no effect without `max_password_age`: set that, or drop it",
            )
