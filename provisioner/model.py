"""The words the rest of the program is written in. Nothing here knows AWS, YAML or a terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from typing import Any, Final, Literal

# Stands for a value AWS has not made yet. It prints, but it cannot be sent.
PENDING: Final = "(known after apply)"


class Scope(IntEnum):
    """How often a step runs."""

    ONCE = 0  # in one account, for the whole organization
    ACCOUNT = 1  # in every account, in its home Region
    REGION = 2  # in every account, in every Region


@dataclass(frozen=True, order=True)
class Target:
    """Where a step runs: one account, one Region. `home` is the Region of what exists once.

    In an organization, *central* is the account that the run was started from, where the trail is made, and *archive*
    the one that has the log buckets. Where they are left out, both are *account* itself.
    """

    account: str
    region: str
    partition: str = "aws"
    home: bool = True
    central: str = ""
    archive: str = ""


@dataclass(frozen=True)
class Wait:
    """An answer that means "not yet": AWS has not everywhere seen an earlier write.

    *code* is compared exactly; *text*, where given, must be part of the message. The call is made
    again for at most *seconds*; *until* says to the user what is being waited for.
    """

    code: str
    until: str
    text: str = ""
    seconds: float = 120.0


@dataclass(frozen=True)
class Call:
    """One AWS request, as data. *region* is None for the Region of the target."""

    service: str
    operation: str
    params: Mapping[str, Any]
    region: str | None = None
    waits: tuple[Wait, ...] = ()
    # Error codes that mean "somebody has just done it": the step starts again from fresh reads.
    done: tuple[str, ...] = ()
    name: str = ""  # AWS's spelling of the operation, which the engine fills in

    def waiting(self, *waits: Wait) -> Call:
        """The same call, made again while AWS gives one of these answers."""
        return replace(self, waits=(*self.waits, *waits))

    def or_done(self, *codes: str) -> Call:
        """The same call; told that the thing is there already, the step looks at what is there."""
        return replace(self, done=(*self.done, *codes))


@dataclass(frozen=True)
class Difference:
    """One field in which AWS is not what the baseline says. Values are JSON-like, documents are dicts."""

    field: str
    have: Any
    want: Any


@dataclass(frozen=True)
class Change:
    """What is different about one resource, and the one request that removes it."""

    resource: str
    differences: tuple[Difference, ...]
    call: Call
    action: Literal["create", "update"] = "update"
    # Set where the change loosens or replaces something: the name of the flag that allows it, and what is lost.
    consent: str | None = None
    loses: str = ""


class Kind(Enum):
    """Why a note is worth reading."""

    FOREIGN = "foreign"  # somebody else's; kept
    STRICTER = "stricter than the baseline"  # AWS asks more than the file; left alone
    WARNING = "warning"  # works, but costs or risks something


@dataclass(frozen=True)
class Note:
    """Something a reader should know that is no change."""

    kind: Kind
    resource: str
    text: str


@dataclass(frozen=True)
class Exists:
    """A resource that the file is about is there, whether it must change or not."""

    resource: str


Changes = Generator[Change | Note | Exists, Any, None]


def create(resource: str, want: Mapping[str, Any], call: Call) -> Change:
    """The resource is not there: *call* makes it with what is in *want*."""
    return Change(resource, tuple(Difference(k, None, v) for k, v in want.items()), call, "create")


def update(resource: str, differences: tuple[Difference, ...], call: Call) -> Change:
    """The resource is there and differs: *call* sets it right."""
    return Change(resource, differences, call)


@dataclass(frozen=True)
class Finding:
    """One thing `verify` looked at. *state* is None where AWS cannot know yet (a trail's first delivery)."""

    resource: str
    check: str
    ok: bool | None
    detail: str


Findings = Iterator[Finding]


@dataclass(frozen=True)
class Step:
    """One part of the baseline: where it runs, after what, and how it is ensured and proven."""

    name: str
    scope: Scope
    needs: tuple[str, ...]
    section: type
    ensure: Callable[..., Changes] = field(compare=False)
    verify: Callable[..., Findings] | None = field(default=None, compare=False)
    archive: bool = False  # it runs in the log archive account
    each_region: bool = False  # of Scope.ONCE: it runs in one account, but in every Region
    clients: tuple[str, ...] = ()  # AWS services, by botocore's name, that it asks

    @property
    def regional(self) -> bool:
        """It runs in every Region."""
        return self.scope is Scope.REGION or self.each_region


@dataclass(frozen=True)
class Failure:
    """Why a step did not end: where it was, and what AWS or we said.

    *doing* is what was under way; *operation*, *code* and *request_id* are AWS's, where a call failed.
    """

    doing: str
    message: str
    service: str = ""
    operation: str = ""
    code: str = ""
    request_id: str = ""
    hint: str = ""


@dataclass
class Result:
    """What one step did, or would do, in one target."""

    step: str
    target: Target
    changes: list[Change] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)  # the resources that are there
    withheld: list[Change] = field(default_factory=list)  # not made, for want of the consent that they need
    findings: list[Finding] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)  # of the calls in *changes*, in that order
    failures: list[Failure] = field(default_factory=list)
    blocked_by: str | None = None  # the step that failed before this one could run

    @property
    def failure(self) -> Failure | None:
        """The first of the failures."""
        return self.failures[0] if self.failures else None

    @property
    def ok(self) -> bool:
        """The step ran to its end."""
        return not self.failures and self.blocked_by is None


@dataclass(frozen=True)
class Account:
    """One AWS account. *units* are the organizational units it is in, from the root down, each by id and by path."""

    id: str
    name: str = ""
    units: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[int, ...] = ()  # the `overrides` of the file that apply to it, by index

    def __str__(self) -> str:
        return f"{self.id} ({self.name})" if self.name else self.id


@dataclass(frozen=True)
class Skipped:
    """An account or Region that a run skips, and why. *region* is empty for a whole account, *name* the account's."""

    account: str
    region: str
    why: str
    name: str = ""


@dataclass(frozen=True)
class InSyncCounts:
    """Numbers that stand for results with nothing to report: *steps*, *resources* seen in them, *proofs* that held."""

    steps: int = 0
    resources: int = 0
    proofs: int = 0

    def __add__(self, more: InSyncCounts) -> InSyncCounts:
        return InSyncCounts(
            self.steps + more.steps, self.resources + more.resources, self.proofs + more.proofs
        )


@dataclass(frozen=True)
class Outcome:
    """What became of one account: the results with something to report; of those in sync only counts are kept."""

    account: Account
    regions: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    unseen: tuple[Result, ...] = ()  # changes that were made and that AWS does not show yet
    skipped: tuple[Skipped, ...] = ()
    in_sync: InSyncCounts = field(default_factory=InSyncCounts)
    seconds: float = 0.0
    applied: bool = False  # the changes in it were made

    @property
    def failed(self) -> bool:
        """Something in the account could not be read or done, or is not as it should be after a change."""
        return bool(self.unseen) or any(not r.ok or r.withheld for r in self.results)

    @property
    def drifted(self) -> bool:
        """Something in the account is, or was, to be changed."""
        return any(r.changes for r in self.results)

    def after(self, before: Outcome) -> Outcome:
        """The outcome of changing what *before* found: what was skipped then still is."""
        return replace(self, skipped=before.skipped, seconds=before.seconds + self.seconds)


class Refused(Exception):
    """A step will not go on: AWS is in a state that only the user can change. The text says which, and what to do."""
