"""One rule in the YAML mapping `config.rules`: under a name of the user's choice."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from ...baseline import NO_SETTING, InvalidValue, NotInFullProfile, Section
from ...baseline.problem import Path, quoted
from ...baseline.section import AsWritten
from ...compare.stricter import ranked
from ...steps.tags import Tags
from .managed_rules import (
    intended,
    intended_parameter,
    is_evaluated_at_changes_only,
    missing_parameters,
)
from .regional_section import Regional
from .remediation_section import Remediation
from .resource_types import KnownType

Frequency = Literal["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"]
MessageType = Literal[
    "ConfigurationItemChangeNotification",
    "OversizedConfigurationItemChangeNotification",
    "ConfigurationSnapshotDeliveryCompleted",
    "ScheduledNotification",
]
ChangeType = Literal["ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification"]
_OF_CHANGES: Final = get_args(ChangeType)
more_often: Final = ranked(*reversed(get_args(Frequency)))
_MOST_PARAMETERS: Final = 1024  # characters of JSON
_IDENTIFIER: Final = re.compile(r"^[A-Z0-9_]{1,256}$")
FUNCTION: Final = re.compile(r"^arn:[a-z0-9-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_:$-]{1,200}$")
_MANAGED_RULE: Final = "the identifier of a managed rule, such as 'ENCRYPTED_VOLUMES'"


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


def managed_problems(
    identifier: str, parameters: Mapping[str, str] | None, frequency: str | None
) -> Iterator[tuple[Path, str]]:
    """Why AWS refuses a managed rule: what is no identifier or a misspelt one, and what the known rule does not take."""
    meant = intended(identifier)
    if meant or not _IDENTIFIER.fullmatch(identifier):
        hint = f"; did you mean {quoted(meant)}?" if meant else ""
        yield ("source_identifier",), f"want {_MANAGED_RULE}, got {quoted(identifier)}{hint}"
        return
    misspelt = {name: meant for name in parameters or {} if (meant := intended_parameter(identifier, name))}
    for name, meant in misspelt.items():
        text = f"{identifier} has no parameter {quoted(name)}: did you mean {quoted(meant)}?"
        yield ("input_parameters", name), text
    if parameters is not None:  # else those of a rule that exists are kept
        for name in missing_parameters(identifier, {*parameters, *misspelt.values()}):
            yield ("input_parameters",), f"{identifier} requires the parameter {quoted(name)}: add it"
    if frequency and is_evaluated_at_changes_only(identifier):
        text = f"AWS evaluates {identifier} at changes only, and takes no frequency of it: drop this line"
        yield ("maximum_execution_frequency",), text


def size_problems(parameters: Mapping[str, str] | None) -> Iterator[tuple[Path, str]]:
    """More parameters than AWS takes."""
    size = len(parameters_text(parameters or {}))
    if size > _MOST_PARAMETERS:
        yield ("input_parameters",), f"AWS takes {_MOST_PARAMETERS} characters of JSON, got {size}"


def _check_value(value: str) -> str:
    # AWS answers "Blank spaces are not acceptable for input parameter".
    if not value.strip():
        raise InvalidValue((), "AWS takes no empty value: leave the parameter out, or say what it is")
    return value


ResourceTypes = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=256), KnownType]], AfterValidator(sorted)
]
RuleName = Annotated[
    str,
    Field(min_length=1, max_length=128, json_schema_extra={"want": "names of 1 to 128 characters"}),
    AfterValidator(_check_name),
]
# AWS takes text only: 14 becomes `"14"`, 1.30 `"1.30"`, and true `"true"`.
ParameterValue = Annotated[
    str,
    AsWritten,
    AfterValidator(_check_value),
    WithJsonSchema(
        {"type": ["string", "integer", "number", "boolean"], "want": "text, a number, true or false"}
    ),
]


class SourceDetail(Section):
    """One occasion on which a rule of your own is evaluated."""

    message_type: MessageType = Field(description="What happened, or ScheduledNotification for a schedule.")
    maximum_execution_frequency: Annotated[
        Frequency | None, NotInFullProfile("for a Lambda function that the user makes")
    ] = Field(None, description="How often, for a ScheduledNotification.")

    @model_validator(mode="after")
    def _check_frequency(self) -> Self:
        scheduled = self.message_type == "ScheduledNotification"
        if scheduled is not bool(self.maximum_execution_frequency):
            text = "`maximum_execution_frequency` goes with `message_type: ScheduledNotification`, and only with it"
            raise InvalidValue("maximum_execution_frequency", text)
        return self


class Scope(Section):
    """The resources whose changes trigger the rule. Every recorded one, if left out."""

    compliance_resource_types: ResourceTypes | None = Field(
        None, min_length=1, max_length=100, description="Resources of these types."
    )
    tag_key: Annotated[str | None, NotInFullProfile("an alternative of `compliance_resource_types`")] = Field(
        None, min_length=1, max_length=128, description="Resources with this tag."
    )
    tag_value: Annotated[str | None, NotInFullProfile("goes with `tag_key`")] = Field(
        None, min_length=1, max_length=256, description="The value of that tag. Any, if left out."
    )
    compliance_resource_id: Annotated[str | None, NotInFullProfile("a resource that the user makes")] = Field(
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


class Rule(Regional):
    """A managed rule, or one of your own. Rules of other names in AWS are left alone."""

    owner: Annotated[Literal["AWS", "CUSTOM_POLICY", "CUSTOM_LAMBDA"], NO_SETTING] = Field(
        "AWS", description="A managed rule of AWS, a policy in Guard (`policy_text`), or a Lambda function."
    )
    source_identifier: Annotated[str | None, NO_SETTING] = Field(
        None,
        max_length=256,
        description="AWS's name of the rule, such as ENCRYPTED_VOLUMES; or the ARN of the Lambda function, which lets"
        " config.amazonaws.com invoke it.",
        json_schema_extra={"want": _MANAGED_RULE, "pattern": f"{_IDENTIFIER.pattern}|{FUNCTION.pattern}"},
    )
    policy_text: Annotated[str | None, NO_SETTING] = Field(
        None,
        min_length=1,
        max_length=10000,
        description="The policy of CUSTOM_POLICY, in AWS CloudFormation Guard.",
    )
    enable_debug_log_delivery: bool | None = Field(
        None, description="Log what the policy evaluates, to CloudWatch Logs. If left out, AWS's is kept."
    )
    source_details: list[SourceDetail] | None = Field(
        None,
        min_length=1,
        max_length=25,
        description="When a rule of your own is evaluated. A new rule is evaluated at each change if this is left out.",
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
    remediation: Remediation | None = Field(
        None, description="What repairs the resources that the rule finds. If left out, AWS's is kept."
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    @model_validator(mode="after")
    def _check(self) -> Self:
        size = size_problems(self.input_parameters)
        if problems := [*self._source_problems(), *self._occasion_problems(), *size]:
            raise InvalidValue.several(problems)
        return self

    def _source_problems(self) -> Iterator[tuple[Path, str]]:
        identifier = self.source_identifier
        if self.owner == "AWS" and identifier is None:
            yield ("source_identifier",), f"`source_identifier` is missing: want {_MANAGED_RULE}"
        elif self.owner == "AWS":
            yield from managed_problems(
                identifier or "", self.input_parameters, self.maximum_execution_frequency
            )
        elif self.owner == "CUSTOM_LAMBDA" and not FUNCTION.fullmatch(identifier or ""):
            yield ("source_identifier",), "want the ARN of a Lambda function"
        elif self.owner == "CUSTOM_POLICY" and identifier is not None:
            yield ("source_identifier",), "goes without `owner: CUSTOM_POLICY`: drop it"
        if (self.owner == "CUSTOM_POLICY") is not bool(self.policy_text and self.policy_text.strip()):
            yield ("policy_text",), "`policy_text` goes with `owner: CUSTOM_POLICY`, and only with it"
        if self.enable_debug_log_delivery is not None and self.owner != "CUSTOM_POLICY":
            yield ("enable_debug_log_delivery",), "is for `owner: CUSTOM_POLICY`"

    def _occasion_problems(self) -> Iterator[tuple[Path, str]]:
        own = self.owner != "AWS"
        if self.source_details and not own:
            yield ("source_details",), "is for rules of your own: AWS knows when to evaluate its own"
        if self.maximum_execution_frequency and own:
            text = "is for managed rules: give it with the ScheduledNotification in `source_details`"
            yield ("maximum_execution_frequency",), text
        for index, each in enumerate(self.source_details or ()):
            if self.owner == "CUSTOM_POLICY" and each.message_type not in _OF_CHANGES:
                path = ("source_details", index, "message_type")
                yield path, f"a policy is evaluated at changes: {' or '.join(_OF_CHANGES)}"


def parameters_text(parameters: Mapping[str, str]) -> str:
    """The parameters as the JSON text that PutConfigRule takes."""
    return json.dumps(parameters, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
