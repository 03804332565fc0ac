"""The lines of the journal, as values. `journal.py` writes and reads them; notices, metrics and reports are made of them.

A run writes `RunStarted`, a `Planned` for each change that it is about to make, a `CallMade` as soon as each was made, and at
its end a `Drift` for each difference that it found, a `Noticed` for each notice that was sent, and `RunEnded`. A run that was
killed has no `RunEnded`: what is planned in it without a `CallMade` may have been made.
Times are ISO 8601 in UTC. What the file took from the environment is hidden before a record is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from ..baseline.control import EndingException
from ..baseline.notices import Trigger
from ..model import Action, Difference
from ..report.json_objects import CallJson, CountsJson, FailureJson
from ..report.totals import Cost

JOURNAL_FORMAT: Final = "1.0"

State = Literal["drifted", "repaired", "not_seen", "failed", "withheld", "held"]
"""What became of a difference.

drifted: found, and nothing was tried (`--detect-only`, or the run ended before); repaired: changed and read back;
not_seen: changed, and AWS does not show it yet; failed: AWS refused the change; withheld: it needs an `--allow` that was
not given (*why* is its name; `remove-foreign-…` is a danger); held: the file's mode, a pause or a contest keeps it.
"""
Phase = Literal["new", "continuing", "resolved"]


@dataclass(frozen=True)
class Actor:
    """Who made a drift, as CloudTrail's event says. Empty texts where the event has none."""

    name: str  # ARN of the user or assumed role, or the service
    time: str
    event: str  # `StopLogging`
    event_id: str = ""
    source_address: str = ""
    user_agent: str = ""
    role: str = ""  # ARN of the role, or of the user, that issued the session of *name*
    others: int = 0  # more actors who changed the same in that time


@dataclass(frozen=True)
class Address:
    """Where a difference is. As text: `ACCOUNT/REGION/STEP/RESOURCE`."""

    account: str
    region: str
    step: str
    resource: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}/{self.step}/{self.resource}"


@dataclass(frozen=True)
class RunStarted:
    """The first line of a run."""

    run: str  # the run's id, which is in the user agent of its calls too
    time: str
    command: str
    account: str
    partition: str
    caller: str
    regions: list[str]
    file: str
    version: str  # of provision
    sandbox: bool = False
    # What the run is limited to by its command line: these steps and these accounts, or all of the file.
    steps: list[str] = field(default_factory=list)
    only_accounts: list[str] = field(default_factory=list)
    journal_version: str = JOURNAL_FORMAT
    type: Literal["run_started"] = "run_started"


@dataclass(frozen=True)
class Planned:
    """A change that the run is about to make."""

    run: str
    time: str
    address: Address
    fields: list[str]
    operation: str  # as IAM writes it, `SERVICE:Operation`
    type: Literal["planned"] = "planned"


@dataclass(frozen=True)
class CallMade:
    """One change that was made: the values before and after, and the request. *undo* is the request that puts them back."""

    run: str
    time: str
    address: Address
    action: Action
    differences: list[Difference]
    call: CallJson
    request_id: str = ""
    consent: str | None = None
    undo: CallJson | None = None
    type: Literal["call"] = "call"


@dataclass(frozen=True)
class Drift:
    """The differences of one resource that one request removes, and what became of them."""

    run: str
    time: str
    address: Address
    differences: list[Difference]
    action: Action
    state: State
    why: str = ""  # it is not repaired
    since: str = ""  # when a run first found it, without a run in between that did not
    repairs: int = 0  # of this address in the last 24 hours, this one included
    contested: bool = False
    who: Actor | None = None
    who_pending: bool = False  # CloudTrail does not show the event yet: the next run looks again
    call: CallJson | None = None  # the request that removes the differences; *who* is found by it
    type: Literal["drift"] = "drift"

    @property
    def fields(self) -> list[str]:
        """The names of the fields that differ."""
        return [each.field for each in self.differences]

    @property
    def danger(self) -> bool:
        """Whether others have added what defeats the baseline (DESIGN rule 9)."""
        return self.state == "withheld" and self.why.startswith("remove-foreign-")


@dataclass(frozen=True)
class Attributed:
    """Who caused the drift of these *fields* in an earlier run, *drift_run*, in which CloudTrail did not show it yet."""

    run: str
    time: str
    drift_run: str
    address: Address
    who: Actor
    fields: list[str] = field(default_factory=list)  # empty: all of the address
    type: Literal["attributed"] = "attributed"


@dataclass(frozen=True)
class FailedCheck:
    """A check of `verify` that failed."""

    address: Address
    check: str
    detail: str


@dataclass(frozen=True)
class Noticed:
    """A notice was sent to a sink, or could not be. *about* is the text of an address, or of what else it is about."""

    run: str
    time: str
    about: str
    trigger: Trigger
    phase: Phase
    sink: str
    error: str = ""  # why it could not be sent
    # The runs of which it tells what they found or repaired; of one that could not be sent, the last of them.
    runs: list[str] = field(default_factory=list)
    type: Literal["notice"] = "notice"


@dataclass(frozen=True)
class RunEnded:
    """The last line of a run."""

    run: str
    time: str
    exit_code: int
    message: str
    plan_digest: str
    counts: CountsJson
    cost: Cost
    accounts: dict[str, int]  # by state: in_sync, drifted, changed, failed, skipped
    failures: list[FailureJson] = field(default_factory=list)
    failed_checks: list[FailedCheck] = field(default_factory=list)
    ending_exceptions: list[EndingException] = field(default_factory=list)
    # What was not looked at, beside the failures: `ACCOUNT`, `ACCOUNT/REGION` or `ACCOUNT/REGION/STEP`.
    not_read: list[str] = field(default_factory=list)
    paused: str = ""  # until when, by whom and why, if repairs are paused
    pause_set: str = ""  # when that pause was set or renewed
    paused_since: str = ""  # when the first run found repairs paused, without one in between that did not
    type: Literal["run_ended"] = "run_ended"


Record = RunStarted | Planned | CallMade | Drift | Attributed | Noticed | RunEnded


@dataclass(frozen=True)
class RunReport:
    """A run that has ended, for notices, metrics and pages."""

    started: RunStarted
    drifts: tuple[Drift, ...]
    ended: RunEnded
    account_names: Mapping[str, str] = field(default_factory=dict)  # by id


def to_json(record: Record) -> dict[str, Any]:
    """The JSON object of a record."""
    return asdict(record)
