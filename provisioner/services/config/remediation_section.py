"""The mapping `remediation` of a rule: the document that repairs what the rule finds, and resources that it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from ...baseline import NO_SETTING, InvalidValue, NotInFullProfile, Section
from ...baseline.section import AsWritten

ROLE_PARAMETER = "AutomationAssumeRole"


def _check_time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValue((), f"want a day or time such as 2027-01-31T00:00:00Z, got '{text}'") from None
    return text


_Time = Annotated[
    str,
    AsWritten,
    AfterValidator(_check_time),
    WithJsonSchema({"type": "string", "want": "a day or time such as 2027-01-31T00:00:00Z"}),
]
_Value = Annotated[str, AsWritten, Field(min_length=1, max_length=256)]


class ParameterSource(Section):
    """Where the document gets a parameter from: one of the two."""

    static_value: list[_Value] | None = Field(
        None, min_length=1, max_length=25, description="The value itself: a list, for one value too."
    )
    resource_value: Literal["RESOURCE_ID"] | None = Field(
        None, description="The id of the resource that the rule found."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.static_value is None) is (self.resource_value is None):
            raise InvalidValue((), "want one of `static_value` and `resource_value`")
        return self


class SsmControls(Section):
    """How Systems Manager goes through the resources."""

    concurrent_execution_rate_percentage: int | None = Field(
        None, ge=1, le=100, description="The most resources at a time, in percent of all."
    )
    error_percentage: int | None = Field(
        None, ge=1, le=100, description="Errors after which no more are started, in percent."
    )


class ExecutionControls(Section):
    """How the document is executed."""

    ssm_controls: SsmControls = Field(description="By Systems Manager, which is all that AWS has.")


class RemediationException(Section):
    """A resource that AWS does not remediate. It is made once the rule finds it NON_COMPLIANT, as AWS takes none before."""

    resource_type: str = Field(min_length=1, max_length=256, description="Its type, such as AWS::S3::Bucket.")
    resource_id: str = Field(min_length=1, max_length=1024, description="Its id, as AWS Config shows it.")
    message: str | None = Field(
        None, min_length=1, max_length=1024, description="Why. If left out, AWS's is kept."
    )
    expiration_time: Annotated[_Time | None, NotInFullProfile("a day that passes")] = Field(
        None, description="When AWS forgets it, in UTC if no zone is given. If left out, AWS's is kept."
    )

    @property
    def expires(self) -> datetime | None:
        """The time at which AWS forgets it, with its zone."""
        found = datetime.fromisoformat(self.expiration_time) if self.expiration_time else None
        return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


class Remediation(Section):
    """What AWS Config does about the resources that the rule finds. If left out, AWS's is kept."""

    target_id: Annotated[str, NO_SETTING] = Field(
        min_length=1,
        max_length=256,
        description="The Systems Manager document, such as AWS-EnableS3BucketEncryption.",
    )
    target_version: str | None = Field(
        None, min_length=1, max_length=64, description="The document's version. If left out, AWS's is kept."
    )
    parameters: dict[str, ParameterSource] | None = Field(
        None,
        max_length=25,
        description="The document's parameters; those that are not among them have its defaults. If left out, AWS's are"
        " kept.",
    )
    resource_type: str | None = Field(
        None,
        min_length=1,
        max_length=256,
        description="The type of the resources. If left out, AWS's is kept.",
    )
    automatic: bool | None = Field(
        None,
        description=f"Remediate without being asked; needs the parameter {ROLE_PARAMETER}. If left out, AWS's is kept.",
    )
    execution_controls: ExecutionControls | None = Field(
        None, description="How many resources at a time. If left out, AWS's are kept."
    )
    maximum_automatic_attempts: int | None = Field(
        None,
        ge=1,
        le=25,
        description="Attempts after which AWS makes the resource an exception. If left out, AWS's is kept; 5 if never set.",
    )
    retry_attempt_seconds: int | None = Field(
        None,
        ge=1,
        le=2678000,
        description="The seconds in which these attempts count. If left out, AWS's is kept; 60 if never set.",
    )
    exceptions: list[RemediationException] = Field(
        default=[], description="Resources that are not remediated. Other exceptions are left alone."
    )

    @property
    def roles(self) -> list[str]:
        """The ARN of the role with which the document is executed; empty if the file gives none."""
        source = (self.parameters or {}).get(ROLE_PARAMETER)
        return list(source.static_value or ()) if source else []

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.automatic and ROLE_PARAMETER not in (self.parameters or {}):
            text = f"AWS remediates by itself only with a role: give `parameters` {ROLE_PARAMETER}"
            raise InvalidValue("automatic", text)
        keys = [(each.resource_type, each.resource_id) for each in self.exceptions]
        repeated = [i for i, key in enumerate(keys) if key in keys[:i]]
        if repeated:
            raise InvalidValue.several(
                (("exceptions", i), "is listed twice: keep one of them") for i in repeated
            )
        return self
