"""What unattended repair needs in AWS beside the steps: to see a pause, and who changed something. Imports no AWS code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..baseline import Baseline
from ..compare.policy import arn
from ..steps.event_history import event_history
from ..steps.permission import PAUSE, REPAIR, Permission, allow
from ..steps.registry import all_steps

PARAMETER: Final = "/provision/pause"  # of Systems Manager, with the pause


def pause_permissions(baseline: Baseline, account: str, partition: str) -> Iterator[Permission]:
    """What `repair` needs to see a pause, and `pause` and `resume` to set and end it, in the caller's account."""
    name = PARAMETER.removeprefix("/")
    on = [arn(partition, "ssm", baseline.general.home_region, account, f"parameter/{name}")]
    yield from allow("PauseRead", "ssm", "GetParameter", on=on, purposes=REPAIR | PAUSE)
    yield from allow("PauseWrite", "ssm", "PutParameter DeleteParameter", on=on, purposes=PAUSE)


def who_permissions(baseline: Baseline) -> Iterator[Permission]:
    """What `who.attribute` needs in each account, in every Region of the run and that of the global services."""
    if any(step.section in baseline for step in all_steps().values()):
        history = event_history()  # AWS has no resources for it
        yield from allow("EventsRead", history.service, history.operation, purposes=REPAIR)
