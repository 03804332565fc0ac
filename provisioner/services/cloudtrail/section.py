"""The YAML section `cloudtrail`: what the trail is and what it records. Fields are CloudTrail's own."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from ...baseline import Baseline, Contradiction, Section, Text, Wrong
from ...baseline.problem import Path
from ...compare.spelling import CONTROL_TOWER
from ...compare.stricter import Stricter, on, present
from ...steps.references import missing
from ...steps.registry import section
from ...steps.settings import Guarded, Settings, to_api
from ...steps.tags import Tags
from .selectors import Selectors, management_sides

_IPV4: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


class DataResource(Section):
    """Objects, functions or tables whose use is recorded."""

    type: Literal["AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"] = Field(
        description="The kind of resource. For all other kinds use `advanced_event_selectors`."
    )
    values: list[Text] = Field(
        min_length=1,
        description="ARNs. `arn:${partition}:s3` is every object, `arn:${partition}:s3:::bucket/` every object of one bucket.",
    )


class EventSelector(Section):
    """A basic event selector: a trail records what any of its selectors lets through."""

    read_write_type: Literal["All", "ReadOnly", "WriteOnly"] = Field(
        "All", description="Record reads, writes or both. CIS: All."
    )
    include_management_events: bool = Field(
        True, description="Record what is done to resources. The first copy in a Region is free."
    )
    exclude_management_event_sources: list[Text] = Field(
        default=[],
        description="Leave out the management events of `kms.amazonaws.com` or `rdsdata.amazonaws.com`.",
    )
    data_resources: list[DataResource] = Field(
        default=[],
        description="Record what is done with the content of these, which is billed.",
    )

    @model_validator(mode="after")
    def _records_something(self) -> Self:
        if not self.include_management_events and not self.data_resources:
            raise Wrong((), "records nothing: add `data_resources`, or drop it")
        if self.exclude_management_event_sources and not self.include_management_events:
            text = "has nothing to leave out without `include_management_events`: drop it"
            raise Wrong("exclude_management_event_sources", text)
        return self


class FieldSelector(Section):
    """A condition on one field of an event."""

    field: Text = Field(description="Such as `eventCategory`, `readOnly`, `eventName`, `resources.type`.")
    equals: list[Text] | None = Field(None, min_length=1, description="It is one of these.")
    starts_with: list[Text] | None = Field(None, min_length=1, description="It begins with one of these.")
    ends_with: list[Text] | None = Field(None, min_length=1, description="It ends with one of these.")
    not_equals: list[Text] | None = Field(None, min_length=1, description="It is none of these.")
    not_starts_with: list[Text] | None = Field(
        None, min_length=1, description="It begins with none of these."
    )
    not_ends_with: list[Text] | None = Field(None, min_length=1, description="It ends with none of these.")

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if not self.conditions():
            raise Wrong((), "want a condition, such as `equals: [Management]`")
        return self

    def conditions(self) -> dict[str, list[str]]:
        """The values for each operator that the file has."""
        return self.model_dump(exclude_none=True, exclude={"field"})


class AdvancedEventSelector(Section):
    """An advanced event selector lets an event through that meets all its conditions."""

    name: str | None = Field(None, max_length=1000, description="A title for people.")
    field_selectors: list[FieldSelector] = Field(min_length=1, description="The conditions. All must be met.")

    @model_validator(mode="after")
    def _has_a_category(self) -> Self:
        if all(each.field != "eventCategory" for each in self.field_selectors):
            raise Wrong("field_selectors", "want one for `eventCategory`, such as `equals: [Management]`")
        return self


class InsightSelector(Section):
    """Something unusual that CloudTrail looks for. Billed for each event that it analyses."""

    insight_type: Literal["ApiCallRateInsight", "ApiErrorRateInsight"] = Field(
        description="An unusual rate of calls, or of calls that fail."
    )
    event_categories: list[Literal["Management", "Data"]] | None = Field(
        None, min_length=1, description="Of which events. AWS takes management events where this is left out."
    )


def _weaker(stricter: Stricter, loses: str) -> Guarded:
    return Guarded(stricter, "weaken-trail", loses)


@section("cloudtrail")
class Trail(Settings):
    """The trail that records who did what. What is left out of it is left as it is in AWS."""

    once = True

    name: str = Field(
        min_length=3,
        max_length=128,
        pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$",
        description="The trail. One of this name in `home_region` is adopted.",
        json_schema_extra={"want": "3 to 128 letters, digits and, singly between them, '.', '_' or '-'"},
    )
    s3_bucket_name: Text = Field(
        description="Where log files go: a key of `log_buckets`, or its bucket's name."
    )
    s3_key_prefix: str = Field(
        "",
        max_length=200,
        pattern=r"^([^/].*[^/]|[^/])?$",
        description="What the names of log files begin with. Nothing where this is left out.",
        json_schema_extra={"want": "up to 200 characters, without a '/' at the ends"},
    )
    is_organization_trail: Annotated[
        bool, _weaker(on, "the other accounts of the organization are no longer recorded")
    ] = Field(False, description="Record every account of the organization. For its management account.")
    is_multi_region_trail: Annotated[bool, _weaker(on, "the other Regions are no longer recorded")] = Field(
        True, description="Record every Region. CIS: true."
    )
    include_global_service_events: Annotated[
        bool, _weaker(on, "IAM, STS and CloudFront are no longer recorded")
    ] = Field(True, description="Record IAM, STS and CloudFront.")
    enable_log_file_validation: Annotated[
        bool, _weaker(on, "that a log file was changed can no longer be proved")
    ] = Field(
        True, description="Deliver digests each hour, which prove that no log file was changed. CIS: true."
    )
    kms_key_id: Annotated[
        Text | None, _weaker(present, "log files are no longer encrypted with a key of your own")
    ] = Field(
        None,
        description="Encrypt log files with this key: an ARN, an id or an alias, in the bucket's Region.",
    )
    sns_topic_name: str | None = Field(
        None, min_length=1, max_length=256, description="Announce each log file there: a topic's name or ARN."
    )
    cloud_watch_logs_log_group_arn: str | None = Field(
        None,
        pattern=r"^arn:[^:]+:logs:[^:]+:[0-9]{12}:log-group:[^:]+:\*$",
        description="Send events to this log group as well, for alarms. CIS 1.5 asks for it.",
        json_schema_extra={"want": "the ARN of a log group, with ':*' at its end"},
    )
    cloud_watch_logs_role_arn: str | None = Field(
        None,
        pattern=r"^arn:[^:]+:iam::[0-9]{12}:role/.+$",
        description="The role with which CloudTrail writes to the log group.",
        json_schema_extra={"want": "the ARN of a role"},
    )
    event_selectors: list[EventSelector] | None = Field(
        None, min_length=1, max_length=5, description="What is recorded, in short."
    )
    advanced_event_selectors: list[AdvancedEventSelector] | None = Field(
        None, min_length=1, description="What is recorded, in detail. In place of `event_selectors`."
    )
    insight_selectors: list[InsightSelector] | None = Field(
        None, description="What is watched for unusual activity. Billed by the events that are analysed."
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    def selectors(self) -> Selectors | None:
        """What the file wants recorded, as PutEventSelectors takes it; None where the file does not say."""
        if self.advanced_event_selectors is not None:
            return {"AdvancedEventSelectors": [to_api(each) for each in self.advanced_event_selectors]}
        if self.event_selectors is not None:
            return {"EventSelectors": [to_api(each) for each in self.event_selectors]}
        return None

    def insights(self) -> list[dict[str, Any]] | None:
        """What the file wants watched, as PutInsightSelectors takes it; None where the file does not say."""
        return None if self.insight_selectors is None else [to_api(each) for each in self.insight_selectors]

    @model_validator(mode="after")
    def _what_aws_refuses(self) -> Self:
        if wrongs := [*self._wrong_settings(), *self._wrong_selectors(), *self._wrong_insights()]:
            raise Wrong.several(wrongs)
        return self

    def _wrong_settings(self) -> Iterator[tuple[Path, str]]:
        if _IPV4.fullmatch(self.name):
            yield ("name",), "want a name, got an IP address"
        if self.name.lower().startswith(CONTROL_TOWER):
            yield ("name",), "AWS Control Tower owns the trails of that name: choose another"
        if "AWSLogs" in self.s3_key_prefix.split("/"):
            yield (
                ("s3_key_prefix",),
                "may not contain 'AWSLogs/', which CloudTrail adds itself: leave that out",
            )
        if self.is_multi_region_trail and not self.include_global_service_events:
            text = "a trail of all Regions always records global services: drop this line"
            yield ("include_global_service_events",), text
        group, role = "cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn"
        if (self.cloud_watch_logs_log_group_arn is None) != (self.cloud_watch_logs_role_arn is None):
            there, missing = (group, role) if self.cloud_watch_logs_role_arn is None else (role, group)
            yield (there,), f"goes with `{missing}`: set both, or drop both"

    def _wrong_selectors(self) -> Iterator[tuple[Path, str]]:
        if self.event_selectors is not None and self.advanced_event_selectors is not None:
            text = "a trail takes this or `event_selectors`, not both: keep one"
            yield ("advanced_event_selectors",), text
        resources = sum(len(r.values) for s in self.event_selectors or () for r in s.data_resources)
        if resources > 250:
            yield ("event_selectors",), f"want 250 data resources at most, in all selectors, got {resources}"
        fields = [field for each in self.advanced_event_selectors or () for field in each.field_selectors]
        values = sum(len(found) for field in fields for found in field.conditions().values())
        if values > 500:
            yield ("advanced_event_selectors",), f"want 500 values at most, in all selectors, got {values}"

    def _wrong_insights(self) -> Iterator[tuple[Path, str]]:
        selectors = self.selectors()
        if selectors is None:
            return
        sides = management_sides(selectors)
        for index, insight in enumerate(self.insight_selectors or ()):
            if "Management" not in (insight.event_categories or ["Management"]):
                continue
            if insight.insight_type == "ApiCallRateInsight" and "write" not in sides:
                yield ("insight_selectors", index), "needs event selectors that record management writes"
            elif not sides:
                yield ("insight_selectors", index), "needs event selectors that record management events"

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """The bucket is not in `log_buckets`, or something that must be in the trail's Region is not."""
        yield from missing(baseline, "bucket", self.s3_bucket_name, ("cloudtrail", "s3_bucket_name"))
        home = baseline.general.home_region
        for field in ("kms_key_id", "cloud_watch_logs_log_group_arn"):
            parts = str(getattr(self, field) or "").split(":")
            if parts[0] == "arn" and parts[3:4] != [home]:
                yield Contradiction(("cloudtrail", field), f"want one in `home_region`, which is {home}")
