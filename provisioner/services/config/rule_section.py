"""One rule in the YAML section `config.rules`: a managed rule of AWS's, under a name of one's own."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from ...baseline import NO_SETTING, Section, Wrong
from ...compare.spelling import spelled
from ...steps.tags import Tags

FREQUENCIES: Final = ("One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours")
Frequency = Literal["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"]
_MOST_PARAMETERS: Final = 1024  # characters of JSON


def more_often(have: str | None, want: str | None) -> bool:
    """Whether *have* comes round more often than *want*; False where either is not said."""
    order = {name: place for place, name in enumerate(FREQUENCIES)}
    return have in order and want in order and order[have] < order[want]


def owner_of(name: str) -> str:
    """The service whose rules have names like this, or `""`."""
    if name.startswith("securityhub-"):
        return "Security Hub"
    if name.startswith("AWSControlTower_"):
        return "Control Tower"
    return "a conformance pack" if "-conformance-pack-" in name else ""


def _free(name: str) -> str:
    if not name.strip():
        raise Wrong((), "want a name that is not blank")
    if owner := owner_of(name):
        raise Wrong((), f"names like this belong to {owner}: take another")
    return name


def _as_text(value: Any) -> Any:
    return spelled(value) if isinstance(value, bool | int | float) else value


RuleName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_free)]
ParameterValue = Annotated[
    str,
    BeforeValidator(_as_text),
    WithJsonSchema(
        {"type": ["string", "integer", "number", "boolean"], "want": "text, a number, true or false"}
    ),
]
"""AWS takes text only: 14 becomes `"14"`, and true becomes `"true"`."""


class Scope(Section):
    """The resources whose changes trigger the rule. Every recorded one, where left out."""

    compliance_resource_types: list[Annotated[str, Field(min_length=1, max_length=256)]] | None = Field(
        None, min_length=1, max_length=100, description="Resources of these types."
    )
    tag_key: str | None = Field(None, min_length=1, max_length=128, description="Resources with this tag.")
    tag_value: str | None = Field(
        None, min_length=1, max_length=256, description="The value of that tag. Any, where left out."
    )
    compliance_resource_id: str | None = Field(
        None, min_length=1, max_length=768, description="One resource, by its id; its type goes with it."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.tag_value and not self.tag_key:
            raise Wrong("tag_value", "needs `tag_key`")
        if self.tag_key and self.compliance_resource_types:
            raise Wrong("tag_key", "goes without `compliance_resource_types`: AWS takes tags or types")
        if self.compliance_resource_id and len(self.compliance_resource_types or ()) != 1:
            raise Wrong("compliance_resource_id", "needs its one type in `compliance_resource_types`")
        return self

    def to_api(self) -> dict[str, Any]:
        """The scope under AWS's names, the types sorted."""
        given = {
            "ComplianceResourceTypes": sorted(self.compliance_resource_types or ()),
            "TagKey": self.tag_key,
            "TagValue": self.tag_value,
            "ComplianceResourceId": self.compliance_resource_id,
        }
        return {name: value for name, value in given.items() if value}


class Rule(Section):
    """A managed rule. What AWS has beside it, of other names, stays."""

    source_identifier: str = Field(
        pattern=r"^[A-Z0-9_]{1,256}$",
        description="AWS's name of the rule, such as ENCRYPTED_VOLUMES.",
        json_schema_extra={"want": "the identifier of a managed rule, such as 'ENCRYPTED_VOLUMES'"},
    )
    description: str | None = Field(
        None, max_length=256, description="What it is for. Not touched, where left out."
    )
    input_parameters: dict[str, ParameterValue] = Field(
        default={}, description="The rule's parameters. AWS's own values hold for those left out."
    )
    maximum_execution_frequency: Frequency | None = Field(
        None,
        description="How often a periodic rule is evaluated; others take none. More often in AWS is stricter:"
        " it stays unless `exact`.",
    )
    scope: Scope | None = Field(None, description="What it looks at. Periodic rules take none.")
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default
    home_region_only: Annotated[bool, NO_SETTING] = Field(
        False, description="Not in the other Regions: for rules about IAM, which would say the same in each."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        size = len(parameters_text(self.input_parameters))
        if size > _MOST_PARAMETERS:
            raise Wrong("input_parameters", f"AWS takes {_MOST_PARAMETERS} characters of JSON, got {size}")
        return self


def parameters_text(parameters: Mapping[str, str]) -> str:
    """The JSON text that PutConfigRule takes."""
    return json.dumps(parameters, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
