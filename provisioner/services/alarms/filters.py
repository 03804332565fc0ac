"""The metric filters of the log group: each counts the events of one pattern in a metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...model import Call, Changes, Exists
from ...steps.settings import Strictness, settings
from .catalogue import AlarmName
from .log_group import BUSY
from .section import Alarms
from .trail import trail_name

ABSENT: Final = "ResourceNotFoundException"
_TRANSFORMATION: Final = ("metricName", "metricNamespace", "metricValue", "dimensions")
# With these a filter counts fewer events, or in metrics that no alarm looks at.
_NARROWING: Final = ("fieldSelectionCriteria", "emitSystemFieldDimensions", "applyOnTransformedLogs")
_ANSWERED: Final = {"filterName", "filterPattern", "metricTransformations", "creationTime", "logGroupName"}


class Filter(NamedTuple):
    """A metric filter to have: its name, its pattern, and the metric that it counts in."""

    name: str
    pattern: str
    metric: str


def want_filters(baseline: Baseline) -> dict[AlarmName, list[Filter]]:
    """The filters of each alarm: that of CIS first, which must be as it is, then what CIS forgot."""
    section = baseline[Alarms]
    found: dict[AlarmName, list[Filter]] = {}
    for name, (entry, special) in section.chosen_alarms().items():
        metric = section.alarm_name(name)
        patterns = list(entry.patterns)
        if special.only_our_trail:
            patterns = [_of_trail(each, trail_name(baseline)) for each in patterns]
        numbers = ["", *(f"-{number}" for number in range(2, len(patterns) + 1))]
        pairs = zip(numbers, patterns, strict=True)
        found[name] = [Filter(f"{metric}{number}", pattern, metric) for number, pattern in pairs]
    return found


def _of_trail(pattern: str, trail: str) -> str:
    """The pattern for events about one trail, which requests name or give by ARN, under one of two names."""
    fields = ("name", "trailName")
    which = "||".join(f'($.requestParameters.{field}="*{trail}")' for field in fields)
    return f"{{({pattern[1:-1]})&&({which})}}"


def ask_filters(aws: Aws, section: Alarms) -> Reading:
    """Start reading the filters of the log group."""
    return aws.read("logs").describe_metric_filters(logGroupName=section.log_group.name)


def found_filters(reading: Reading) -> dict[str, Mapping[str, Any]]:
    """The filters by name; none where there is no such log group."""
    return {each["filterName"]: each for each in reading.value("metricFilters", ABSENT) or []}


def state_of(have: Mapping[str, Any]) -> dict[str, Any]:
    """What decides whether a filter counts: its pattern, its metric, and what narrows it. None is what it has not."""
    metric = next(iter(have.get("metricTransformations") or [{}]))
    return {
        "filterPattern": str(have.get("filterPattern", "")).strip(),
        **{name: metric.get(name) or None for name in _TRANSFORMATION},
        **{name: have.get(name) or None for name in _NARROWING},
    }


def want_state(section: Alarms, want: Filter) -> dict[str, Any]:
    """What `state_of` must be. There is no default value: with one, each event of any kind is billed as a metric."""
    metric = {"metricName": want.metric, "metricNamespace": section.metric_namespace, "metricValue": "1"}
    nothing = dict.fromkeys(("dimensions", *_NARROWING))
    return {"filterPattern": want.pattern, **metric, **nothing}


def ensure_filter(aws: Aws, section: Alarms, want: Filter, reading: Reading) -> Changes:
    """Make or repair a filter. PutMetricFilter replaces all: what AWS has besides is sent with it."""
    have, title = found_filters(reading).get(want.name), f"metric filter {want.name}"
    if have is not None:
        yield Exists(title)
    before = have or {}
    kept = {name: value for name, value in before.items() if name not in {*_ANSWERED, *_NARROWING}}
    metric = {
        name: value
        for name, value in next(iter(before.get("metricTransformations") or [{}])).items()
        if name not in _TRANSFORMATION
    }

    def put(whole: dict[str, Any]) -> Call:
        given = {name: value for name, value in whole.items() if value is not None}
        transformation = {**metric, **{name: given[name] for name in _TRANSFORMATION if name in given}}
        call: Call = aws.write("logs").put_metric_filter(
            logGroupName=section.log_group.name,
            filterName=want.name,
            filterPattern=given["filterPattern"],
            metricTransformations=[transformation],
            **{name: given[name] for name in _NARROWING if name in given},
            **kept,
        )
        call = call.waiting(BUSY).using(f"alarms_log_group/log group {section.log_group.name}")
        return call.based_on(reading.at("metricFilters", lambda found: _named(found, want.name)))

    yield from settings(
        title,
        state_of(have) if have else {},
        want_state(section, want),
        put,
        Strictness({}, exact=False),
        whole=True,
        action="update" if have else "create",
    )


def _named(found: Any, name: str) -> list[Any]:
    return [each for each in found if each["filterName"] == name]


def broken_filters(
    section: Alarms, filters: list[Filter], have: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """What is wrong with the filters of an alarm, in words."""
    for each in filters:
        if each.name not in have:
            yield f"there is no metric filter `{each.name}`"
        elif state_of(have[each.name]) != want_state(section, each):
            yield f"metric filter `{each.name}` counts something else"
