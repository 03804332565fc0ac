"""Rules and conformance packs that AWS Config makes in all accounts of the organization: `config.organization_…`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from ...baseline import NO_SETTING, InvalidValue, NotInFullProfile
from ...baseline.problem import Path
from ...baseline.section import AccountId
from ...steps.tags import Tags
from .conformance_pack_section import OWN_BUCKET, TemplateBody
from .pack_template import TEMPLATE_TAG
from .regional_section import Regional
from .rule_section import (
    FUNCTION,
    ChangeType,
    Frequency,
    ParameterValue,
    ResourceTypes,
    managed_problems,
    size_problems,
)

OrganizationRuleName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$"),
    Field(json_schema_extra={"want": "up to 64 letters, digits, _ and -"}),
]
OrganizationPackName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$"),
    Field(json_schema_extra={"want": "up to 128 letters, digits and -, a letter first"}),
]


class _ForAccounts(Regional):
    """What is made in all accounts of the organization, but for some."""

    excluded_accounts: Annotated[
        list[AccountId] | None, AfterValidator(lambda ids: ids and sorted(set(ids)))
    ] = Field(
        None,
        max_length=1000,
        description="Accounts without it, such as those that have no recorder. If left out, AWS's are kept.",
    )


class OrganizationRule(_ForAccounts):
    """A managed rule, or one of your own, in each account. Rules of other names in AWS are left alone."""

    source_identifier: Annotated[str | None, NO_SETTING] = Field(
        None, max_length=256, description="AWS's name of a managed rule, such as ENCRYPTED_VOLUMES."
    )
    policy_text: Annotated[str | None, NO_SETTING] = Field(
        None,
        min_length=1,
        max_length=10000,
        description="A policy of your own in AWS CloudFormation Guard, in place of a managed rule.",
    )
    lambda_function_arn: Annotated[
        str | None, NO_SETTING, NotInFullProfile("a function that the user makes")
    ] = Field(
        None,
        pattern=FUNCTION.pattern,
        description="A Lambda function that decides, in place of a managed rule. It lets config.amazonaws.com invoke it for"
        " each account.",
        json_schema_extra={"want": "the ARN of a Lambda function"},
    )
    trigger_types: list[ChangeType | Literal["ScheduledNotification"]] | None = Field(
        None,
        min_length=1,
        description="When a rule of your own is evaluated. A new one is evaluated at each change if this is left out. A"
        " function can also have a schedule.",
    )
    description: str | None = Field(
        None, max_length=256, description="What it is for. If left out, AWS's is kept."
    )
    input_parameters: dict[str, ParameterValue] | None = Field(
        None, description="The rule's parameters. If left out, AWS's are kept."
    )
    maximum_execution_frequency: Frequency | None = Field(
        None,
        description="How often a periodic rule is evaluated. If AWS evaluates more often, that is stricter and stays,"
        " unless `exact`.",
    )
    resource_types_scope: ResourceTypes | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Resources of these types only. If left out, AWS's is kept.",
    )
    tag_key_scope: Annotated[str | None, NotInFullProfile("an alternative of `resource_types_scope`")] = (
        Field(
            None,
            min_length=1,
            max_length=128,
            description="Resources with this tag only. If left out, AWS's is kept.",
        )
    )
    tag_value_scope: Annotated[str | None, NotInFullProfile("goes with `tag_key_scope`")] = Field(
        None, min_length=1, max_length=256, description="The value of that tag. If left out, AWS's is kept."
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problems := list(self._problems()):
            raise InvalidValue.several(problems)
        return self

    def _problems(self) -> Iterator[tuple[Path, str]]:
        sources = (self.source_identifier, self.policy_text, self.lambda_function_arn)
        if sum(each is not None for each in sources) != 1:
            text = "want one of `source_identifier`, `policy_text` and `lambda_function_arn`"
            yield ("source_identifier",), text
        if self.source_identifier is not None:
            yield from managed_problems(
                self.source_identifier, self.input_parameters, self.maximum_execution_frequency
            )
        if self.trigger_types and self.source_identifier is not None:
            yield ("trigger_types",), "is for a rule of your own: AWS knows when to evaluate its own"
        if self.policy_text is not None and "ScheduledNotification" in (self.trigger_types or ()):
            yield ("trigger_types",), "a policy is evaluated at changes only"
        yield from size_problems(self.input_parameters)


class OrganizationConformancePack(_ForAccounts):
    """A pack of rules by a template, in each account. Packs of other names in AWS are left alone."""

    template_body: TemplateBody = None
    template_s3_uri: Annotated[
        str | None, NO_SETTING, NotInFullProfile("an alternative of `template_body`")
    ] = Field(
        None,
        max_length=1024,
        pattern=r"^s3://.+",
        description="Where a template is that is longer than AWS takes otherwise: s3://BUCKET/KEY, in the same Region. What"
        " is there is not compared; another address is put.",
        json_schema_extra={"want": "s3://BUCKET/KEY"},
    )
    delivery_s3_bucket: Annotated[str | None, OWN_BUCKET] = Field(
        None,
        pattern=r"^awsconfigconforms[a-z0-9.-]{0,46}$",
        description="A bucket that exists, in which AWS Config stores the pack's template. If left out, AWS's is kept.",
        json_schema_extra={"want": "the name of a bucket that begins with awsconfigconforms"},
    )
    delivery_s3_key_prefix: Annotated[str | None, OWN_BUCKET] = Field(
        None, min_length=1, max_length=1024, description="The prefix there. If left out, AWS's is kept."
    )
    input_parameters: dict[str, ParameterValue] | None = Field(
        None, max_length=60, description="The pack's parameters. If left out, AWS's are kept."
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.template_body is None) is (self.template_s3_uri is None):
            raise InvalidValue("template_body", "want one of `template_body` and `template_s3_uri`")
        if TEMPLATE_TAG in self.tags:
            raise InvalidValue(("tags", TEMPLATE_TAG), "is the tag of the template's checksum: drop it")
        return self
