"""The section `cloudtrail` of the YAML file. Fields are those of CloudTrail's API, in snake_case."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from ...baseline import Baseline, Contradiction, InvalidValue, Text
from ...baseline.problem import Path
from ...compare.spelling import CONTROL_TOWER
from ...compare.stricter import Stricter, on, present
from ...steps.references import Refers, check_references
from ...steps.registry import section
from ...steps.settings import Guarded, Settings, to_api
from ...steps.tags import Tags
from .selector_section import AdvancedEventSelector, EventSelector, InsightSelector
from .selectors import Selectors, management_access


def _guarded(stricter: Stricter, loses: str) -> Guarded:
    return Guarded(stricter, "weaken-trail", loses)


@section("cloudtrail")
class Trail(Settings):
    """The trail that records the API calls in the account. A setting without a default stays as it is in AWS if left out."""

    once = True

    name: str = Field(
        min_length=3,
        max_length=128,
        pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$",
        description="The trail's name. An existing trail of this name in `home_region` is adopted.",
        json_schema_extra={"want": "3 to 128 letters, digits and, singly between them, '.', '_' or '-'"},
    )
    s3_bucket_name: Annotated[Text, Refers("bucket")] = Field(
        description="The bucket of the log files: a key of `log_buckets`, or the name of a bucket there."
    )
    s3_key_prefix: str = Field(
        "",
        max_length=200,
        pattern=r"^([^/].*[^/]|[^/])?$",
        description="The prefix of the log files' names. None if left out.",
        json_schema_extra={"want": "up to 200 characters, without a '/' at the ends"},
    )
    is_organization_trail: Annotated[
        bool, _guarded(on, "the other accounts of the organization are no longer recorded")
    ] = Field(
        False,
        description="Record every account of the organization. For the management account or a delegated administrator.",
    )
    is_multi_region_trail: Annotated[bool, _guarded(on, "the other Regions are no longer recorded")] = Field(
        True, description="Record every Region. CIS: true."
    )
    include_global_service_events: Annotated[
        bool, _guarded(on, "IAM, STS and CloudFront are no longer recorded")
    ] = Field(True, description="Record IAM, STS and CloudFront.")
    enable_log_file_validation: Annotated[
        bool, _guarded(on, "that a log file was changed can no longer be proved")
    ] = Field(
        True, description="Deliver digests each hour, which prove that no log file was changed. CIS: true."
    )
    kms_key_id: Annotated[
        Text | None, _guarded(present, "log files are no longer encrypted with a key of your own")
    ] = Field(
        None,
        description="Encrypt log files with this key: an ARN, an id or an alias, in the bucket's Region.",
    )
    sns_topic_name: str | None = Field(
        None,
        min_length=1,
        max_length=256,
        description="The SNS topic that is notified of each log file: its name or ARN.",
    )
    cloud_watch_logs_log_group_arn: str | None = Field(
        None,
        pattern=r"^arn:[^:]+:logs:[^:]+:[0-9]{12}:log-group:[^:]+:\*$",
        description="Also send events to this log group, for alarms. CIS 1.5 asks for it.",
        json_schema_extra={"want": "the ARN of a log group, with ':*' at its end"},
    )
    cloud_watch_logs_role_arn: str | None = Field(
        None,
        pattern=r"^arn:[^:]+:iam::[0-9]{12}:role/.+$",
        description="The role with which CloudTrail writes to the log group.",
        json_schema_extra={"want": "the ARN of a role"},
    )
    event_selectors: list[EventSelector] | None = Field(
        None, min_length=1, max_length=5, description="Which events are recorded, by basic selectors."
    )
    advanced_event_selectors: list[AdvancedEventSelector] | None = Field(
        None,
        min_length=1,
        description="Which events are recorded, by advanced selectors, instead of `event_selectors`.",
    )
    insight_selectors: list[InsightSelector] | None = Field(
        None,
        description="Which unusual activity CloudTrail looks for. Billed by the events that are analysed.",
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    @property
    def title(self) -> str:
        """The trail's name in a plan."""
        return f"trail {self.name}"

    def selectors(self) -> Selectors | None:
        """The event selectors as PutEventSelectors takes them; None where the file has none."""
        if self.advanced_event_selectors is not None:
            return {"AdvancedEventSelectors": to_api(self.advanced_event_selectors)}
        if self.event_selectors is not None:
            return {"EventSelectors": to_api(self.event_selectors)}
        return None

    def insights(self) -> list[dict[str, Any]] | None:
        """The insight selectors as PutInsightSelectors takes them; None where the file has none."""
        return None if self.insight_selectors is None else [to_api(each) for each in self.insight_selectors]

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [*self._setting_problems(), *self._selector_problems(), *self._insight_problems()]
        if problems:
            raise InvalidValue.several(problems)
        return self

    def _setting_problems(self) -> Iterator[tuple[Path, str]]:
        if re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", self.name):
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
        for field, other in ((group, role), (role, group)):
            if getattr(self, field) is not None and getattr(self, other) is None:
                yield (field,), f"goes with `{other}`: set both, or drop both"

    def _selector_problems(self) -> Iterator[tuple[Path, str]]:
        if self.event_selectors is not None and self.advanced_event_selectors is not None:
            text = "a trail takes this or `event_selectors`, not both: keep one"
            yield ("advanced_event_selectors",), text
        resources = sum(len(r.values) for s in self.event_selectors or () for r in s.data_resources)
        if resources > 250:
            yield ("event_selectors",), f"want 250 data resources at most, in all selectors, got {resources}"
        fields = [field for each in self.advanced_event_selectors or () for field in each.field_selectors]
        values = sum(len(each) for field in fields for each in field.conditions().values())
        if values > 500:
            yield ("advanced_event_selectors",), f"want 500 values at most, in all selectors, got {values}"

    def _insight_problems(self) -> Iterator[tuple[Path, str]]:
        selectors = self.selectors()
        if selectors is None:
            return
        access = management_access(selectors)
        for index, insight in enumerate(self.insight_selectors or ()):
            if "Management" not in (insight.event_categories or ["Management"]):
                continue
            if insight.insight_type == "ApiCallRateInsight" and "write" not in access:
                yield ("insight_selectors", index), "needs event selectors that record management writes"
            elif not access:
                yield ("insight_selectors", index), "needs event selectors that record management events"

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """The bucket is not in `log_buckets`, or something that must be in the trail's Region is not."""
        yield from check_references(baseline, self, ("cloudtrail",))
        home = baseline.general.home_region
        for field in ("kms_key_id", "cloud_watch_logs_log_group_arn"):
            parts = str(getattr(self, field) or "").split(":")
            if parts[0] == "arn" and parts[3:4] != [home]:
                yield Contradiction(("cloudtrail", field), f"want one in `home_region`, which is {home}")
