"""The step `config_retention`: how long AWS Config keeps its history in each Region."""

from __future__ import annotations

from typing import Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Change, Changes, Difference, Kind, Note, Scope
from ...steps.registry import step
from .section import Config
from .state import read_config

_DEFAULT: Final = 2557  # days, of a recorder for which no retention was ever set


@step("config_retention", Config, Scope.REGION, clients=("config",), field="retention_period_in_days")
def ensure_config_retention(aws: Aws, baseline: Baseline) -> Changes:
    """Keep history as long as the file says, or longer. AWS takes the setting before there is a recorder, too."""
    section = baseline[Config]
    want, title = section.retention_period_in_days, "AWS Config history"
    if want is None:
        return
    retentions = aws.read("config").describe_retention_configurations()
    have = read_config(aws)
    if have.control_tower is not None:
        return
    periods = retentions.get("RetentionConfigurations")
    period = periods[0]["RetentionPeriodInDays"] if periods else None
    days = period or (_DEFAULT if have.recorder else None)
    if days == want:
        return
    shorter = days is not None and days > want
    if shorter and not section.exact:
        yield Note(Kind.STRICTER, title, f"is kept for {days} days; the baseline asks for {want}")
        return
    yield Change(
        title,
        (Difference("RetentionPeriodInDays", period, want),),
        aws.write("config").put_retention_configuration(RetentionPeriodInDays=want).based_on(retentions),
        "create" if period is None else "update",
        consent="shorten-config-history" if shorter else None,
        loses=f"configuration history older than {want} days" if shorter else "",
    )
