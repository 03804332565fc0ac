"""Tests of runs at once: in an organization, one account takes over settings that other runs and steps still write."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.fleet.fleet import Job
from provisioner.sandbox import Fault, WireCall, open_sandbox
from provisioner.sandbox.serve import serving

from ..conftest import MEMBER, ROOT, Bench
from ..laws.full import FULL
from .test_organization import MANAGEMENT, Organization, as_account

REGION = "regions: [us-east-1]\naccounts: { all: true }"
FLEET, _ = re.subn(r"(?m)^regions: \[.*?\]", REGION, FULL)
WORKLOAD = "444455556666"


@pytest.fixture
def command(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a command with a state, and so a lock, of its own, on an organization of three accounts behind HTTP."""
    file = home / "baseline.yaml"
    file.write_text(FLEET)
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    with open_sandbox(None) as world, serving(world) as server:

        def start(name: str, *arguments: str) -> subprocess.Popen[str]:
            return subprocess.Popen(
                [sys.executable, "-m", "provisioner", *arguments, str(file), "--endpoint-url", server.url],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=ROOT,
                env={**os.environ, **keys, "XDG_STATE_HOME": str(home / name)},
            )

        yield start


def ended(process: subprocess.Popen[str]) -> int:
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    return process.returncode


def test_runs_at_once_over_three_accounts_end_in_sync(command: Any) -> None:
    """One run alone: tests/aws/test_stock.py."""
    for each in [command(f"run {number}", "apply", "--yes") for number in range(3)]:
        ended(each)
    ended(command("after", "diff"))


MACIE = f"""
regions: [us-east-1]
accounts: {{all: true}}
log_buckets: {{logs: {{name: acme-logs}}}}
macie:
  automated_discovery: {{status: ENABLED, exclude_log_buckets: true}}
  organization: {{admin_account_id: '{MEMBER}'}}
"""


# What a member reads and writes until its administrator sets it.
@pytest.mark.parametrize(
    ("account", "operation"),
    [
        (WORKLOAD, "UpdateAutomatedDiscoveryConfiguration"),
        (MANAGEMENT, "UpdateClassificationScope"),
        (MANAGEMENT, "GetClassificationScope"),
    ],
)
def test_what_is_owned_from_above_since_it_was_planned_is_told(
    bench: Bench, account: str, operation: str
) -> None:
    organization = Organization(bench, accounts=4)
    organization.run("apply", MACIE)
    theirs = bench.client("macie2") if account == MANAGEMENT else as_account(bench, account, "macie2")
    have = theirs.get_automated_discovery_configuration()
    theirs.update_automated_discovery_configuration(status="DISABLED")
    included = {"excludes": {"bucketNames": [], "operation": "REPLACE"}}
    theirs.update_classification_scope(id=have["classificationScopeId"], s3=included)
    asked: list[WireCall] = []

    def take_over(call: WireCall, phase: str) -> Fault | None:
        if (call.account, call.operation, phase) == (account, operation, "before"):
            asked.append(call)
            if len(asked) == (1 if call.writes else 2):  # the first read is that of the plan
                details = {"accountId": account, "email": "theirs@example.com"}
                as_account(bench, MEMBER, "macie2").create_member(account=details)
        return None

    bench.world.interrupt(take_over)
    ran = organization.run("apply", MACIE)
    assert len(asked) > 0
    assert [str(r.failure) for r in ran.results() if not r.ok] == []
    notes = [n.text for r in ran.results() if r.target.account == account for n in r.notes]
    assert any(f"Macie's administrator, account {MEMBER}" in text for text in notes), notes
    assert organization.run("diff", MACIE).plan().changes == []
    fleet = organization.fleet(MACIE)
    [mine] = [each for each in fleet.select(organization.everyone).accounts if each.id == account]
    findings = [f for r in fleet.run_job(Job("verify", mine)).results for f in r.findings]
    assert [f.ok for f in findings if f.check == "automated discovery" and f.ok is not True] == [None] * (
        operation == "UpdateAutomatedDiscoveryConfiguration"
    )
