"""Tests of the report on `verify`: the order of findings, and the counts of checks."""

from __future__ import annotations

from provisioner.model import Change, Finding, InSyncCounts, Result
from provisioner.report.checks import checks
from provisioner.report.findings import findings

from .samples import EAST, VIEW, A, B, C, change, rendered, result


def verified(account: str, state: bool | None, detail: str, *made: Change) -> Result:
    found = [Finding("rule r", "evaluation", state, detail)]
    return result(account, EAST, *made, step="config_rules", findings=found)


MADE = [
    verified(A, None, "started at 14:26 UTC, just now"),
    verified(B, None, "started at 2026-01-02 14:27 UTC, 3 minutes ago"),
    verified(C, False, "failed at 14:27 UTC, just now", change()),
]


def test_failed_findings_come_first_and_times_do_not_split_groups() -> None:
    assert rendered(findings(MADE, VIEW)) == (
        f"config_rules  {C} (prod) {EAST}\n"
        "  FAIL  configured: differs: thing: field (none) → 1 (s3:PutX)\n"
        "  FAIL  rule r: evaluation: failed at 14:27 UTC, just now\n"
        "\n"
        f"config_rules  2 accounts in {EAST}\n"
        f"    {A} (dev), {B} (test)\n"
        "  wait  rule r: evaluation: started at …\n"
        "\n"
        f"config_rules  2 accounts in {EAST}\n"
        f"    {A} (dev), {B} (test)\n"
        "  ok    configured: as the file says\n"
    )


def test_checks_include_the_in_sync_counts() -> None:
    in_sync = InSyncCounts(steps=40, resources=90, proofs=60)
    assert str(checks(MADE, in_sync)) == "102 checks passed, 2 failed; 2 too early to tell"
    assert str(checks([], in_sync)) == "100 checks passed"
