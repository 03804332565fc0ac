"""What unattended repair needs in AWS beside the steps: to see a pause, to keep its journal, and to find who changed something. Imports no AWS code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..baseline import Baseline
from ..compare.policy import arn
from ..steps.event_history import event_history
from ..steps.permission import APPLY, DIFF, PAUSE, REPAIR, Condition, Permission, allow
from ..steps.registry import all_steps

PARAMETER: Final = "/provision/pause"  # of Systems Manager, with the pause


def pause_permissions(baseline: Baseline, account: str, partition: str) -> Iterator[Permission]:
    """What `repair` needs to see a pause, and `pause` and `resume` to set and end it, in the caller's account."""
    name = PARAMETER.removeprefix("/")
    on = [arn(partition, "ssm", baseline.general.home_region, account, f"parameter/{name}")]
    yield from allow("PauseRead", "ssm", "GetParameter", on=on, purposes=REPAIR | PAUSE)
    yield from allow("PauseWrite", "ssm", "PutParameter DeleteParameter", on=on, purposes=PAUSE)


def journal_permissions(baseline: Baseline, partition: str) -> Iterator[Permission]:
    """What it takes to keep the journal in the bucket of the file, and to read it there, with the caller's credentials.

    A bucket of another account must allow the caller in its own policy too, and its key, which no file names,
    `kms:GenerateDataKey` and `kms:Decrypt`. Nothing in it can be deleted or changed with these.
    """
    journal = baseline.general.journal
    if journal is None:
        return
    bucket = arn(partition, "s3", "", "", journal.s3_bucket_name)
    objects = [f"{bucket}/{journal.s3_key_prefix}/*"]
    kept = APPLY | REPAIR
    prefix = Condition("StringLike", "s3:prefix", (f"{journal.s3_key_prefix}/*",))
    yield from allow("JournalList", "s3", "ListBucket", on=[bucket], condition=prefix, purposes=DIFF)
    yield from allow("JournalRead", "s3", "GetObject", on=objects, purposes=REPAIR)
    yield from allow("JournalWrite", "s3", "PutObject", on=objects, purposes=kept)


def who_permissions(baseline: Baseline) -> Iterator[Permission]:
    """What `who.attribute` needs in each account, in every Region of the run and that of the global services."""
    if any(step.section in baseline for step in all_steps().values()):
        history = event_history()  # AWS has no resources for it
        yield from allow("EventsRead", history.service, history.operation, purposes=REPAIR)
