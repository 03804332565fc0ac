"""The section `alarms` of the YAML file. Fields are those of the APIs, in snake_case, where AWS has them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ...baseline import (
    NO_SETTING,
    Baseline,
    Contradiction,
    Control,
    InvalidValue,
    NotInFullProfile,
    Regional,
)
from ...baseline.partitions import region_of
from ...baseline.problem import did_you_mean
from ...compare.stricter import on, present
from ...steps.references import NAMED_BY_AWS, Refers, check_references, find, keys
from ...steps.registry import section
from ...steps.settings import Guarded, Settings
from ...steps.tags import Tags
from .catalogue import CATALOGUE, AlarmName, Entry
from .event_rule_section import ROLE_NAME, ROLE_WANT, EventRule
from .subscription_section import Subscription

NEVER = "never"  # of a retention: AWS has none, and keeps everything
_TRAIL = r"^(arn:[^:]+:cloudtrail:[^:]+:[0-9]{12}:trail/)?[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$"
_NAME: dict[str, Any] = {"want": "letters, digits and any of . _ - / #"}
_Days = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip


def _longer(have: Any, want: Any) -> bool:
    longer: bool = have == NEVER or (isinstance(have, int) and isinstance(want, int) and have > want)
    return longer


def _fewer(have: Any, want: Any) -> bool:
    return isinstance(have, int | float) and bool(have < want)


class LogGroup(Settings):
    """The log group to which the trail sends its events. Billed by the gigabyte."""

    lower_camel_case = True

    name: Annotated[str, NO_SETTING] = Field(
        "security/cloudtrail",
        min_length=1,
        max_length=512,
        pattern=r"^[A-Za-z0-9._/#-]+$",
        description="The log group's name. An existing one is adopted.",
        json_schema_extra=_NAME,
    )
    retention_in_days: Annotated[
        _Days | None, Guarded(_longer, "shorten-log-group-retention", "events are kept for less time")
    ] = Field(None, description="If left out, a new log group keeps events for ever.")
    kms_key_id: Annotated[
        str | None,
        Refers("key", NAMED_BY_AWS),
        Guarded(present, "unprotect-log-group", "events are not encrypted with a key of yours"),
    ] = Field(
        None,
        pattern=r"^(arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+|[A-Za-z0-9_-]+)$",
        description="Encrypt events with this key of the file, or with one by ARN that lets CloudWatch Logs use it.",
        json_schema_extra={"want": "the ARN of a KMS key, or a key's name in the file"},
    )
    deletion_protection_enabled: Annotated[
        bool | None, Guarded(on, "unprotect-log-group", "the log group can be deleted in one call")
    ] = Field(None, description="Refuse to delete the log group until the protection is turned off.")
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name.startswith("aws/"):
            raise InvalidValue("name", "names that begin with `aws/` are AWS's own: choose another")
        return self


class Topic(Settings):
    """The SNS topic that alarms notify. An existing one of the name is adopted; statements of others in its policy stay."""

    name: Annotated[str, NO_SETTING] = Field(
        "security-alarms",
        pattern=r"^[A-Za-z0-9_-]{1,256}$",
        description="The topic's name.",
        json_schema_extra={"want": "up to 256 letters, digits, '-' and '_'"},
    )
    kms_master_key_id: Annotated[
        str | None,
        Refers("key", NAMED_BY_AWS),
        Guarded(present, "unencrypt-topic", "messages are not encrypted with a key of yours"),
    ] = Field(
        None,
        min_length=1,
        max_length=2048,
        description="Encrypt messages with this key of the file, or one that lets `cloudwatch.amazonaws.com` use it.",
    )
    subscriptions: list[Subscription] = Field(
        default=[], max_length=50, description="To have; others stay. Without any, nobody hears an alarm."
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.kms_master_key_id or "").endswith("alias/aws/sns"):
            text = "with AWS's own key no alarm can publish, and nothing reports it: name a key of yours"
            raise InvalidValue("kms_master_key_id", text)
        return self


class MetricAlarm(Settings):
    """What is special about one alarm."""

    enabled: Annotated[bool | None, NO_SETTING] = Field(
        None, description="Ask for this alarm, or not, whatever `cis`, `watchers` and `detectors` say."
    )
    threshold: Annotated[
        int, Guarded(_fewer, "raise-alarm-threshold", "an alarm is raised by more events only")
    ] = Field(1, ge=1, le=1_000_000, description="Events in a period that raise the alarm.")
    period: int = Field(300, ge=60, le=86400, multiple_of=60, description="Seconds, a multiple of 60.")
    only_our_trail: Annotated[bool, NO_SETTING] = Field(
        False, description="Of `trail_changes`: only changes of the trail whose events these are."
    )


@section("alarms")
class Alarms(Regional):
    """Alarms on tampering, in `home_region` of the account that has the trail: they see all Regions and accounts of it.

    Each alarm is billed, and so is its metric in months in which something happens.
    """

    once = True

    trail: Annotated[str | None, NO_SETTING, NotInFullProfile("an alternative of a trail in the file")] = (
        Field(
            None,
            pattern=_TRAIL,
            description="An existing trail, by name or ARN, if the file itself has none.",
            json_schema_extra={"want": "the name or the ARN of a trail"},
        )
    )
    log_group: LogGroup = Field(default=LogGroup(), description="Where the trail sends its events.")
    role_name: Annotated[str, NO_SETTING] = Field(
        "cloudtrail-to-log-group",
        pattern=ROLE_NAME,
        description="The role with which CloudTrail writes to the log group. It is created.",
        json_schema_extra=ROLE_WANT,
    )
    topic: Topic = Field(default=Topic(), description="Whom alarms notify.")
    metric_namespace: Annotated[str, NO_SETTING] = Field(
        "SecurityAlarms",
        pattern=r"^[A-Za-z0-9._/#-]{1,255}$",
        description="The namespace of the metrics.",
        json_schema_extra=_NAME,
    )
    name_prefix: Annotated[str, NO_SETTING] = Field(
        "security-",
        pattern=r"^[A-Za-z0-9._-]{0,64}$",
        description="The start of the names of filters and alarms.",
        json_schema_extra={"want": "up to 64 letters, digits, '.', '-' and '_'"},
    )
    cis: Annotated[Literal["all", "tampering", "none"], NO_SETTING] = Field(
        "tampering",
        description="The alarms of CIS 4.1 to 4.15: all, those on CloudTrail and AWS Config, or none.",
    )
    watchers: Annotated[bool, NO_SETTING] = Field(
        True, description="An alarm on who changes alarms, their filters, log groups, topics and rules."
    )
    detectors: Annotated[bool, NO_SETTING] = Field(
        True, description="An alarm on who switches off GuardDuty, Security Hub, Macie and the like."
    )
    metric_alarms: dict[str, MetricAlarm] = Field(
        default={},
        description="What is special about an alarm.",
        json_schema_extra={"propertyNames": {"enum": list(CATALOGUE)}},
    )
    event_rule: EventRule | None = Field(None, description="Not touched if left out.")

    @property
    def forwarded_rule(self) -> EventRule | None:
        """The event rule, if other Regions send their events to it."""
        return self.event_rule if self.event_rule and self.event_rule.all_regions else None

    def chosen_alarms(self) -> dict[AlarmName, tuple[Entry, MetricAlarm]]:
        """The alarms that the file asks for, each with its settings."""
        found = {
            name: (each, self.metric_alarms.get(name) or MetricAlarm()) for name, each in CATALOGUE.items()
        }
        return {name: each for name, each in found.items() if self._asks_for(name, *each)}

    def _asks_for(self, name: AlarmName, entry: Entry, special: MetricAlarm) -> bool:
        if special.enabled is not None:
            return special.enabled
        if entry.cis:
            return self.cis == "all" or (self.cis == "tampering" and entry.tampering)
        return self.watchers if name == "watchers" else self.detectors

    def alarm_name(self, name: str) -> str:
        """The name of an alarm, of its metric and of its first filter in AWS."""
        return f"{self.name_prefix}{name.replace('_', '-')}"

    def controls(self) -> Iterator[tuple[str, Control]]:
        """Those of the log group, the topic, the rule, and each alarm with its filters."""
        yield f"log group {self.log_group.name}", self.log_group
        yield f"topic {self.topic.name}", self.topic
        for name, each in self.metric_alarms.items():
            yield f"alarm {self.alarm_name(name)}", each
            yield f"metric filter {self.alarm_name(name)}", each
            yield f"metric filter {self.alarm_name(name)}-[0-9]", each
        if self.event_rule:
            yield f"event rule {self.event_rule.name}", self.event_rule

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.metric_namespace.startswith("AWS/"):
            raise InvalidValue(
                "metric_namespace", "names that begin with `AWS/` are AWS's own: choose another"
            )
        for name, each in self.metric_alarms.items():
            if name not in CATALOGUE:
                hint = did_you_mean(name, CATALOGUE) or f"there are {', '.join(CATALOGUE)}"
                raise InvalidValue(("metric_alarms", name), f"there is no alarm `{name}`; {hint}")
            if each.only_our_trail and name != "trail_changes":
                path = ("metric_alarms", name, "only_our_trail")
                raise InvalidValue(path, "only `trail_changes` is about one trail: drop this line")
        return self

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """No trail to watch, or two; the trail's own section sends its events elsewhere; or a key is not in the file."""
        yield from check_references(baseline, self, ("alarms",))
        yield from self._keys_elsewhere(baseline.general.home_region)
        names = keys(baseline, "trail")
        if not names and self.trail is None:
            yield Contradiction(("alarms",), "no trail to watch: set `trail`, or add a trail to the file")
        for name in names:
            found = find(baseline, "trail", name)
            group = found.resource.cloud_watch_logs_log_group_arn if found else None
            if self.trail not in {None, name}:
                yield Contradiction(("alarms", "trail"), f"the file's own trail is `{name}`: drop this line")
            if group and group.split(":")[6] != self.log_group.name:
                text = f"trail `{name}` sends its events to `{group.split(':')[6]}`: name that log group"
                yield Contradiction(("alarms", "log_group", "name"), text)

    def _keys_elsewhere(self, home: str) -> Iterator[Contradiction]:
        """Each key of another Region than the log group and the topic, which are in the home Region."""
        for path, key in (
            (("log_group", "kms_key_id"), self.log_group.kms_key_id),
            (("topic", "kms_master_key_id"), self.topic.kms_master_key_id),
        ):
            region = region_of(key)
            if region not in {"", home}:
                text = f"the key is in {region}; it has to be in `home_region`, which is {home}"
                yield Contradiction(("alarms", *path), text)
