"""The keys of the section `cloudtrail` that select events. Fields are those of CloudTrail's API, in snake_case.

What they may hold is in `selector_grammar`, and checked by `selector_checks`.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from ...baseline import NotInFullProfile, Section, Text

# API AdvancedFieldSelector; a key of S3 alone may have 1024 characters.
Value = Annotated[str, Field(min_length=1, max_length=2048)]
_OTHER: Final = NotInFullProfile("another condition of the same kind")


class DataResource(Section):
    """Resources whose data events are recorded."""

    type: Literal["AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"] = Field(
        description="The kind of resource. For all other kinds use `advanced_event_selectors`."
    )
    values: list[Value] = Field(
        min_length=1,
        description="ARNs. `arn:${partition}:s3` is every object, `arn:${partition}:s3:::bucket/` every object of one bucket.",
    )


class EventSelector(Section):
    """A basic event selector. A trail records the events that any of its selectors selects."""

    read_write_type: Literal["All", "ReadOnly", "WriteOnly"] = Field(
        "All", description="Record reads, writes or both. CIS: All."
    )
    include_management_events: bool = Field(
        True, description="Record management events. AWS bills every copy but the first in a Region."
    )
    exclude_management_event_sources: list[Text] = Field(
        default=[],
        description="Exclude management events of `kms.amazonaws.com` or `rdsdata.amazonaws.com`.",
    )
    data_resources: list[DataResource] = Field(
        default=[],
        description="Record data events of these resources, which are billed.",
    )


class FieldSelector(Section):
    """A condition on one field of an event."""

    field: str = Field(
        min_length=1,
        max_length=1000,
        description="Such as `eventCategory`, `readOnly`, `eventName`, `resources.type`.",
    )
    equals: list[Value] | None = Field(None, min_length=1, description="The field is one of these.")
    starts_with: Annotated[list[Value] | None, _OTHER] = Field(
        None, min_length=1, description="The field starts with one of these."
    )
    ends_with: Annotated[list[Value] | None, _OTHER] = Field(
        None, min_length=1, description="The field ends with one of these."
    )
    not_equals: Annotated[list[Value] | None, _OTHER] = Field(
        None, min_length=1, description="The field is none of these."
    )
    not_starts_with: list[Value] | None = Field(
        None, min_length=1, description="The field starts with none of these."
    )
    not_ends_with: Annotated[list[Value] | None, _OTHER] = Field(
        None, min_length=1, description="The field ends with none of these."
    )


class AdvancedEventSelector(Section):
    """An advanced event selector. It selects the events that meet all its conditions."""

    name: str | None = Field(None, max_length=1000, description="A name for readers; AWS does not use it.")
    field_selectors: list[FieldSelector] = Field(min_length=1, description="The conditions. All must be met.")


class InsightSelector(Section):
    """A kind of unusual activity that CloudTrail looks for. Billed for each event that it analyses."""

    insight_type: Literal["ApiCallRateInsight", "ApiErrorRateInsight"] = Field(
        description="An unusual rate of calls, or of calls that fail."
    )
    event_categories: list[Literal["Management", "Data"]] | None = Field(
        None, min_length=1, description="Which events are analysed. Management events if left out."
    )
