"""One conformance pack in the YAML mapping `config.conformance_packs`, under a name of the user's choice."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from ...baseline import NO_SETTING, InvalidValue, NotInFullProfile, Section
from ...steps.tags import Tags
from .pack_template import TEMPLATE_TAG, TemplateError, rule_names
from .regional_section import Regional
from .rule_section import ParameterValue

OWN_BUCKET: Final = NotInFullProfile("a bucket that the user makes")
_MOST_PARAMETERS = {"template_body": 60, "source_identifier": 330}

PackName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,255}$"),
    Field(json_schema_extra={"want": "up to 256 letters, digits and -, a letter first"}),
]


def _check_template(text: str) -> str:
    try:
        rule_names(text)
    except TemplateError as error:
        raise InvalidValue((), str(error)) from None
    return text


TemplateBody = Annotated[
    str | None,
    NO_SETTING,
    Field(
        min_length=1,
        max_length=51200,
        description="The template, in YAML or JSON: write `|` and indent it. AWS does not show it again: a tag of the pack"
        " has its checksum, and for a pack of one account the names of its rules are compared.",
    ),
    AfterValidator(_check_template),
]


class PackScope(Section):
    """The resources that a managed pack evaluates."""

    tag_key: str = Field(min_length=1, max_length=128, description="Resources with this tag.")
    tag_value: str | None = Field(
        None, max_length=256, description="The value of that tag. Any, if left out."
    )


class ConformancePack(Regional):
    """A pack of rules, by a template or of AWS's own. Packs of other names in AWS are left alone."""

    template_body: TemplateBody = None
    source_identifier: Annotated[
        str | None, NO_SETTING, NotInFullProfile("an alternative of `template_body`")
    ] = Field(
        None,
        min_length=1,
        max_length=256,
        description="AWS's name of a managed pack, in place of a template.",
    )
    delivery_s3_bucket: Annotated[str | None, OWN_BUCKET] = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="A bucket that exists, in which AWS Config stores the pack's template. If left out, AWS's is kept.",
        json_schema_extra={"want": "the name of a bucket"},
    )
    delivery_s3_key_prefix: Annotated[str | None, OWN_BUCKET] = Field(
        None, min_length=1, max_length=1024, description="The prefix there. If left out, AWS's is kept."
    )
    input_parameters: dict[str, ParameterValue] | None = Field(
        None,
        description="The pack's parameters; those that are not among them have the template's defaults. If left out,"
        " AWS's are kept.",
    )
    scope: Annotated[PackScope | None, NotInFullProfile("goes with `source_identifier`")] = Field(
        None, description="Of a managed pack. If left out, AWS's is kept."
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.template_body is None) is (self.source_identifier is None):
            raise InvalidValue("template_body", "want one of `template_body` and `source_identifier`")
        if self.scope and self.template_body is not None:
            raise InvalidValue("scope", "is for managed packs: give each rule of the template a scope")
        kind = "source_identifier" if self.template_body is None else "template_body"
        if len(self.input_parameters or ()) > _MOST_PARAMETERS[kind]:
            text = f"AWS takes {_MOST_PARAMETERS[kind]} parameters with `{kind}`"
            raise InvalidValue("input_parameters", text)
        if TEMPLATE_TAG in self.tags:
            raise InvalidValue(("tags", TEMPLATE_TAG), "is the tag of the template's checksum: drop it")
        return self
