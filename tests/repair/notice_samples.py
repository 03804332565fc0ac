"""Runs and journals for the tests of notices and metrics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from provisioner.baseline.control import EndingException
from provisioner.model import Difference
from provisioner.repair.records import (
    Address,
    Drift,
    FailedCheck,
    RunEnded,
    RunReport,
    RunStarted,
    State,
)
from provisioner.report.json_objects import CountsJson, FailureJson
from provisioner.report.totals import Cost

ACCOUNT, MEMBER = "123456789012", "111122223333"
START = datetime(2026, 11, 23, 4, tzinfo=UTC)
TRAIL = Address(ACCOUNT, "us-east-1", "cloudtrail", "trail main")
BUCKET = Address(ACCOUNT, "us-east-1", "log_buckets", "bucket acme-logs")
STOPPED = (Difference("IsLogging", have=False, want=True),)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def drift(address: Address = TRAIL, state: State = "drifted", **given: Any) -> Drift:
    return Drift("", "", address, list(STOPPED), "update", state, **given)


def report(
    hours: float = 0.0,
    drifts: Iterable[Drift] = (),
    *,
    run: str = "",
    exit_code: int = 0,
    failures: Iterable[FailureJson] = (),
    failed_checks: Iterable[FailedCheck] = (),
    checks: int = 1,
    paused: str = "",
    pause_set: str = "",
    ending: Iterable[EndingException] = (),
    names: dict[str, str] | None = None,
    **started: Any,
) -> RunReport:
    """A run that took a minute and ended *hours* after START."""
    run, time = run or f"run-{hours}", at(hours).isoformat()
    begun = (at(hours) - timedelta(minutes=1)).isoformat()
    caller = f"arn:aws:iam::{ACCOUNT}:role/audit"
    first = RunStarted(
        run, begun, "repair", ACCOUNT, "aws", caller, ["us-east-1", "eu-west-1"], "b.yaml", "0.1.0"
    )
    ended = RunEnded(
        run,
        time,
        exit_code,
        "1 account changed",
        "digest",
        CountsJson(checks_passed=checks),
        Cost(60.0, 100, 3, 1),
        {"in_sync": 0, "changed": 1},
        failures=list(failures),
        failed_checks=list(failed_checks),
        paused=paused,
        pause_set=pause_set,
        ending_exceptions=list(ending),
    )
    told = tuple(replace(each, run=run, time=time) for each in drifts)
    return RunReport(replace(first, **started), told, ended, names or {ACCOUNT: "prod"})
