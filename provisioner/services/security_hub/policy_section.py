"""Configuration policies of Security Hub in the YAML file: what the administrator sets for accounts from one Region."""

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from ...baseline import NO_SETTING, InvalidValue, Section
from ...compare.stricter import fewer, more, on
from ...steps.settings import Guarded, Settings

ROOT: Final = "root"

StandardName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]*/v/[0-9]+(\.[0-9]+)*$",
        json_schema_extra={"want": "a standard, such as 'aws-foundational-security-best-practices/v/1.0.0'"},
    ),
]
ControlId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9]+\.[0-9]+$", json_schema_extra={"want": "the id of a control, such as 'IAM.6'"}
    ),
]
PolicyName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9.!*/-]+$",
        max_length=128,
        json_schema_extra={"want": "a name of letters, digits and - . ! * /"},
    ),
]
PolicyTarget = Annotated[
    str,
    Field(
        pattern=r"^(root|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|[0-9]{12})$",
        json_schema_extra={"want": "'root', the id of an organizational unit, or an account id in quotes"},
    ),
]


def _all_or_more(have: Any, want: Any) -> bool:
    """A policy without this list has the other one, and so all controls but those."""
    return have is None or more(have, want)


def _guarded(stricter: Any) -> Guarded:
    return Guarded(stricter, "loosen-configuration-policy", "accounts with the policy are checked for less")


class ParameterValue(Section):
    """The value of a control's parameter, under its type."""

    integer: int | None = Field(None, description="A number without a fraction.")
    integer_list: list[int] | None = Field(None, description="Such numbers.")
    double: float | None = Field(None, description="A number with a fraction.")
    string: str | None = Field(None, description="A text.")
    string_list: list[str] | None = Field(None, description="Texts.")
    boolean: bool | None = Field(None, description="True or false.")
    enum: str | None = Field(None, description="One of the texts that AWS takes.")
    enum_list: list[str] | None = Field(None, description="Some of the texts that AWS takes.")

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise InvalidValue((), "want one value under its type, such as `integer: 30`")
        return self


class ConfigurationPolicy(Settings):
    """A configuration policy, which takes effect in the home Region and in those that send their findings there.

    Accounts and units to which others have associated it keep it. What is left out keeps what AWS has; in a new policy
    there is then no standard, and no control is off.
    """

    description: str | None = Field(None, min_length=1, pattern=r"\S", description="Not touched if left out.")
    service_enabled: Annotated[bool, _guarded(on)] = Field(
        True, description="Accounts have Security Hub; with false it is off in them."
    )
    enabled_standard_identifiers: Annotated[list[StandardName] | None, _guarded(more)] = Field(
        None, description="The standards of the accounts, by name and version; all others are off."
    )
    disabled_security_control_identifiers: Annotated[list[ControlId] | None, _guarded(fewer)] = Field(
        None, description="The controls that are off. All others are on, future ones too."
    )
    enabled_security_control_identifiers: Annotated[list[ControlId] | None, _guarded(_all_or_more)] = Field(
        None, min_length=1, description="The controls that are on. All others are off, future ones too."
    )
    security_control_custom_parameters: Annotated[dict[ControlId, dict[str, ParameterValue]], NO_SETTING] = (
        Field(default={}, description="Parameters of controls. Others that are there stay.")
    )
    targets: Annotated[list[PolicyTarget], NO_SETTING] = Field(
        default=[],
        description="What has the policy: account ids, ids of organizational units, or `root`. Units and the root hand it"
        " down to what is below and has no configuration of its own.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        off, named = "disabled_security_control_identifiers", "enabled_security_control_identifiers"
        if getattr(self, off) is not None and getattr(self, named) is not None:
            raise InvalidValue(named, f"goes without `{off}`: drop one of the two")
        lists = (off, named, "enabled_standard_identifiers", "security_control_custom_parameters")
        if not self.service_enabled and (given := [each for each in lists if getattr(self, each)]):
            raise InvalidValue(given[0], "goes without `service_enabled: false`: drop one of the two")
        return self
