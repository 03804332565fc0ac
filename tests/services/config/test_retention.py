"""Tests of the step `config_retention`: drift, a longer retention, and AWS's default."""

from __future__ import annotations

from typing import Any

from ...conftest import Bench
from .sample import config_file, fields, notes

ONLY = ("config_retention",)


def test_retention(bench: Bench) -> None:
    def text(days: int, **more: Any) -> str:
        return config_file({"retention_period_in_days": days, **more})

    plan = bench.apply(text(365), only=ONLY)
    assert [f for f in fields(plan) if f[0] == "RetentionPeriodInDays"] == [
        ("RetentionPeriodInDays", None, 365)
    ]
    bench.client("config").put_retention_configuration(RetentionPeriodInDays=90)
    assert fields(bench.diff(text(365), only=ONLY)) == [("RetentionPeriodInDays", 90, 365)]
    bench.apply(text(365), only=ONLY)
    plan = bench.diff(text(180), only=ONLY)
    assert (fields(plan), notes(plan)) == (
        [],
        [("STRICTER", "AWS Config history: is kept for 365 days; the baseline asks for 180")],
    )
    ((_, change),) = bench.diff(text(180, exact=True), only=ONLY).changes
    assert (change.consent, change.loses) == (
        "shorten-config-history",
        "configuration history older than 180 days",
    )


def test_recorder_without_retention_keeps_seven_years(bench: Bench) -> None:
    bench.apply(config_file(), only=("config_recorder",))
    plan = bench.diff(config_file({"retention_period_in_days": 365}), only=ONLY)
    assert fields(plan) == []
    assert notes(plan) == [
        ("STRICTER", "AWS Config history: is kept for 2557 days; the baseline asks for 365")
    ]
    assert fields(bench.diff(config_file({"retention_period_in_days": 2557}), only=ONLY)) == []
