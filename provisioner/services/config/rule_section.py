"""One rule in the YAML mapping `config.rules`: a managed rule of AWS, under a name of the user's choice."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from ...baseline import NO_SETTING, Control, InvalidValue, Region, Section
from ...baseline.problem import quoted
from ...baseline.section import AsWritten
from ...steps.tags import Tags
from .managed_rules import intended

Frequency = Literal["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"]
_FREQUENCIES: Final[tuple[str, ...]] = get_args(Frequency)
_MOST_PARAMETERS: Final = 1024  # characters of JSON
_IDENTIFIER: Final = re.compile(r"^[A-Z0-9_]{1,256}$")
_MANAGED_RULE: Final = "the identifier of a managed rule, such as 'ENCRYPTED_VOLUMES'"


def more_often(have: str | None, want: str | None) -> bool:
    """Tell whether *have* is more frequent than *want*; False if either is None or unknown."""
    if have not in _FREQUENCIES or want not in _FREQUENCIES:
        return False
    return _FREQUENCIES.index(have) < _FREQUENCIES.index(want)


def owner_of(name: str) -> str:
    """The AWS service that gives its rules names like this, or `""`."""
    if name.startswith("securityhub-"):
        return "Security Hub"
    if name.startswith("AWSControlTower_"):
        return "Control Tower"
    return "a conformance pack" if "-conformance-pack-" in name else ""


def _check_name(name: str) -> str:
    if not name.strip():
        raise InvalidValue((), "want a name that is not blank")
    if owner := owner_of(name):
        raise InvalidValue((), f"names like this belong to {owner}: take another")
    return name


def _check_identifier(identifier: str) -> str:
    meant = intended(identifier)
    if not meant and _IDENTIFIER.fullmatch(identifier):
        return identifier
    hint = f"; did you mean {quoted(meant)}?" if meant else ""
    raise InvalidValue((), f"want {_MANAGED_RULE}, got {quoted(identifier)}{hint}")


def _check_value(value: str) -> str:
    # AWS answers "Blank spaces are not acceptable for input parameter".
    if not value.strip():
        raise InvalidValue((), "AWS takes no empty value: leave the parameter out, or say what it is")
    return value


_ResourceTypes = Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], AfterValidator(sorted)]
RuleName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_check_name)]
# AWS takes text only: 14 becomes `"14"`, 1.30 `"1.30"`, and true `"true"`.
ParameterValue = Annotated[
    str,
    AsWritten,
    AfterValidator(_check_value),
    WithJsonSchema(
        {"type": ["string", "integer", "number", "boolean"], "want": "text, a number, true or false"}
    ),
]


class Scope(Section):
    """The resources whose changes trigger the rule. Every recorded one, if left out."""

    compliance_resource_types: _ResourceTypes | None = Field(
        None, min_length=1, max_length=100, description="Resources of these types."
    )
    tag_key: str | None = Field(None, min_length=1, max_length=128, description="Resources with this tag.")
    tag_value: str | None = Field(
        None, min_length=1, max_length=256, description="The value of that tag. Any, if left out."
    )
    compliance_resource_id: str | None = Field(
        None,
        min_length=1,
        max_length=768,
        description="One resource, by its id; `compliance_resource_types` has its type.",
    )

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        if self.tag_value and not self.tag_key:
            raise InvalidValue("tag_value", "needs `tag_key`")
        if self.tag_key and self.compliance_resource_types:
            raise InvalidValue("tag_key", "goes without `compliance_resource_types`: AWS takes tags or types")
        if self.compliance_resource_id and len(self.compliance_resource_types or ()) != 1:
            raise InvalidValue("compliance_resource_id", "needs its one type in `compliance_resource_types`")
        return self


class Rule(Control):
    """A managed rule. Rules of other names in AWS are left alone."""

    source_identifier: Annotated[str, AfterValidator(_check_identifier)] = Field(
        description="AWS's name of the rule, such as ENCRYPTED_VOLUMES.",
        json_schema_extra={"want": _MANAGED_RULE, "pattern": _IDENTIFIER.pattern},
    )
    description: str | None = Field(
        None, max_length=256, description="What it is for. If left out, AWS's is kept."
    )
    input_parameters: dict[str, ParameterValue] | None = Field(
        None,
        description="The rule's parameters. Those that are not among them have AWS's own values. If left out, AWS's are kept.",
    )
    maximum_execution_frequency: Frequency | None = Field(
        None,
        description="How often a periodic rule is evaluated; others take none. If AWS evaluates more often,"
        " that is stricter and stays, unless `exact`.",
    )
    scope: Scope | None = Field(
        None,
        description="The resources that the rule evaluates; `{}` is all. Periodic rules take none. If left out, AWS's is kept.",
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default
    home_region_only: Annotated[bool, NO_SETTING] = Field(
        False,
        description="Only in `home_region`: for rules about IAM, which have the same result in each Region.",
    )
    regions: Annotated[list[Region] | None, NO_SETTING] = Field(
        None,
        min_length=1,
        description="Only in these of the file's Regions: for rules that AWS does not have in all, such as those of"
        " CloudFront, in us-east-1.",
    )

    @model_validator(mode="after")
    def _check_regions(self) -> Self:
        if self.home_region_only and self.regions is not None:
            raise InvalidValue("regions", "goes without `home_region_only`: drop one of the two")
        repeated = [i for i, each in enumerate(self.regions or ()) if each in (self.regions or ())[:i]]
        if repeated:
            raise InvalidValue.several(
                (("regions", i), "is listed twice: keep one of them") for i in repeated
            )
        return self

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        size = len(parameters_text(self.input_parameters or {}))
        if size > _MOST_PARAMETERS:
            raise InvalidValue(
                "input_parameters", f"AWS takes {_MOST_PARAMETERS} characters of JSON, got {size}"
            )
        return self


def parameters_text(parameters: Mapping[str, str]) -> str:
    """The parameters as the JSON text that PutConfigRule takes."""
    return json.dumps(parameters, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
