"""The section `cloudtrail` of the YAML file. Fields are those of CloudTrail's API, in snake_case."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from ...baseline import Baseline, Contradiction, ForOrganization, InvalidValue, NotInFullProfile, Text
from ...baseline.problem import Path
from ...compare.spelling import CONTROL_TOWER, snake_case
from ...compare.stricter import Stricter, on, present
from ...steps.references import NAMED_BY_AWS, Refers, check_references, provides
from ...steps.registry import section
from ...steps.settings import Guarded, Settings, to_api
from ...steps.tags import Tags
from .selector_checks import insight_problems, selector_problems
from .selector_section import AdvancedEventSelector, EventSelector, InsightSelector
from .selectors import Selectors


def _guarded(stricter: Stricter, loses: str) -> Guarded:
    return Guarded(stricter, "weaken-trail", loses)


@section("cloudtrail")
class Trail(Settings):
    """The trail that records the API calls in the account. What is left out stays as it is in AWS; a new trail has the default."""

    once = True

    name: str = Field(
        min_length=3,
        max_length=128,
        pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$",
        description="The trail's name. An existing trail of this name is adopted, in whichever Region its home is.",
        json_schema_extra={"want": "3 to 128 letters, digits and, singly between them, '.', '_' or '-'"},
    )
    s3_bucket_name: Annotated[Text, Refers("bucket")] = Field(
        description="The bucket of the log files: a key of `log_buckets`, or the name of a bucket there."
    )
    s3_key_prefix: str = Field(
        "",
        max_length=200,
        pattern=r"^([^/].*[^/]|[^/])?$",
        description="The prefix of the log files' names; an empty text is none.",
        json_schema_extra={"want": "up to 200 characters, without a '/' at the ends"},
    )
    is_organization_trail: Annotated[
        bool,
        _guarded(on, "the other accounts of the organization are no longer recorded"),
        ForOrganization((True,), otherwise=False),
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
        str | None,
        Refers("key", NAMED_BY_AWS),
        _guarded(present, "log files are no longer encrypted with a key of your own"),
    ] = Field(
        None,
        pattern=r"^(arn:[^:]+:kms:[^:]+:[0-9]{12}:(key|alias)/.+|alias/[A-Za-z0-9/_-]+|[A-Za-z0-9_-]+)$",
        description="Encrypt log files with this key of the file, by its name there, or with another in the bucket's Region:"
        " an ARN, an id or an alias.",
        json_schema_extra={"want": "a key of your own: its name in the file, an ARN, an id or `alias/NAME`"},
    )
    sns_topic_name: Annotated[str | None, NotInFullProfile("a topic that the user makes")] = Field(
        None,
        max_length=256,
        pattern=r"^(arn:[^:]+:sns:[^:]+:[0-9]{12}:)?[A-Za-z0-9_-]+$",
        description="The SNS topic that is notified of each log file: its name or ARN.",
        json_schema_extra={"want": "the name or ARN of a topic that is no FIFO topic"},
    )
    cloud_watch_logs_log_group_arn: Annotated[
        str | None, NotInFullProfile("an alternative of the log group of the alarms")
    ] = Field(
        None,
        pattern=r"^arn:[^:]+:logs:[^:]+:[0-9]{12}:log-group:[^:]+:\*$",
        description="Also send events to this log group, for alarms. CIS 1.5 asks for it.",
        json_schema_extra={"want": "the ARN of a log group, with ':*' at its end"},
    )
    cloud_watch_logs_role_arn: Annotated[
        str | None, NotInFullProfile("goes with `cloud_watch_logs_log_group_arn`")
    ] = Field(
        None,
        pattern=r"^arn:[^:]+:iam::[0-9]{12}:role/.+$",
        description="The role with which CloudTrail writes to the log group.",
        json_schema_extra={"want": "the ARN of a role"},
    )
    event_selectors: Annotated[
        list[EventSelector] | None, NotInFullProfile("an alternative of `advanced_event_selectors`")
    ] = Field(None, min_length=1, max_length=5, description="Which events are recorded, by basic selectors.")
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
        if "alias/aws/" in (
            self.kms_key_id or ""
        ):  # its policy, which nobody can change, lets no CloudTrail in
            yield ("kms_key_id",), "want a key of your own, as CloudTrail may not use AWS's: name another"
        if self.is_multi_region_trail and not self.include_global_service_events:
            text = "a trail of all Regions always records global services: drop this line"
            yield ("include_global_service_events",), text
        group, role = "cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn"
        for field, other in ((group, role), (role, group)):
            if getattr(self, field) is not None and getattr(self, other) is None:
                yield (field,), f"goes with `{other}`: set both, or drop both"

    def _selector_problems(self) -> Iterator[tuple[Path, str]]:
        stated = {
            "EventSelectors": self.event_selectors,
            "AdvancedEventSelectors": self.advanced_event_selectors,
        }
        selectors = {name: to_api(each) for name, each in stated.items() if each is not None}
        yield from _in_the_file(selector_problems(selectors, spell=snake_case))

    def _insight_problems(self) -> Iterator[tuple[Path, str]]:
        problems = insight_problems(self.insights() or (), self.selectors(), spell=snake_case)
        yield from ((("insight_selectors", *path), text) for path, text in _in_the_file(problems))

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """The bucket is not in `log_buckets`, or something that must be in the trail's Region is not."""
        yield from check_references(baseline, self, ("cloudtrail",))
        home = baseline.general.home_region
        for field in ("kms_key_id", "sns_topic_name", "cloud_watch_logs_log_group_arn"):
            parts = str(getattr(self, field) or "").split(":")
            if parts[0] == "arn" and parts[3] != home:
                text = f"want one in `home_region`, which is {home}, got one in {parts[3]}"
                yield Contradiction(("cloudtrail", field), text)
        group, role = self.cloud_watch_logs_log_group_arn, self.cloud_watch_logs_role_arn
        if group and role and group.split(":")[4] != role.split(":")[4]:
            text = f"the log group is of account {group.split(':')[4]}: name a role of the same account"
            yield Contradiction(("cloudtrail", "cloud_watch_logs_role_arn"), text)


@provides("trail", "cloudtrail")
def _trails(baseline: Baseline) -> Mapping[str, Trail]:
    return {baseline[Trail].name: baseline[Trail]} if Trail in baseline else {}


def _in_the_file(problems: Iterator[tuple[Path, str]]) -> Iterator[tuple[Path, str]]:
    """The problems by the names of the file."""
    for path, text in problems:
        yield tuple(snake_case(part) if isinstance(part, str) else part for part in path), text
