"""The data types that every room uses: target, call, change, step, result, outcome. No code for AWS, YAML or a terminal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from typing import Any, Final, Literal, Protocol

# Stands for a value that AWS has not made yet. It can be printed, and is never sent.
PENDING: Final = "(known after apply)"
Action = Literal["create", "update", "delete"]


class Scope(IntEnum):
    """How often a step runs."""

    ONCE = 0  # in one account, for the whole organization
    ACCOUNT = 1  # in every account, in its home Region
    REGION = 2  # in every account, in every Region


@dataclass(frozen=True, order=True)
class Target:
    """One account and one Region in which a step runs. *home*: it is the Region of resources that exist once.

    In an organization, *central* is the account of the caller, which has the organization trail, and *archive* the
    account of the log buckets. Where they are empty, both are *account*.
    """

    account: str
    region: str
    partition: str = "aws"
    home: bool = True
    central: str = ""
    archive: str = ""


@dataclass(frozen=True)
class Wait:
    """An error that means "not yet": an earlier write has not reached every part of AWS.

    *code* is compared exactly; *text*, where given, must be part of the message. The call is repeated for at most
    *seconds*; *until* tells the user what is waited for.
    """

    code: str
    until: str
    text: str = ""
    seconds: float = 120.0


class Basis(Protocol):
    """An answer that a request is made from."""

    def changed(self) -> bool:
        """Whether AWS answers otherwise by now."""


@dataclass(frozen=True)
class Call:
    """One AWS request, as data. *region* is None for the Region of the target."""

    service: str
    operation: str
    params: Mapping[str, Any]
    region: str | None = None
    waits: tuple[Wait, ...] = ()
    done: tuple[str, ...] = ()  # error codes that mean that others have just done it: the step starts again
    done_text: str = ""  # part of the message of those errors, for services with one code for everything
    flaps: bool = False  # reads show it, then the earlier state again
    settles: float = 0.0  # seconds that AWS may take to show it, where that is more than two minutes
    # What the document in *params* was made from.
    bases: tuple[Basis, ...] = field(default=(), compare=False, repr=False)
    uses: tuple[str, ...] = ()  # `STEP/RESOURCE` without which the call must not be made
    records: bool = False  # without it AWS does not record, or not all that it is to, or to another place
    unprocessed: str = ""  # the key under which an answer lists what AWS did not do, beside HTTP status 200
    name: str = ""  # AWS's spelling of the operation, filled in by the engine

    def waiting(self, *waits: Wait) -> Call:
        """The same call, repeated while AWS answers with one of these errors."""
        return replace(self, waits=(*self.waits, *waits))

    def based_on(self, basis: Basis | None) -> Call:
        """The same call, made only while AWS answers as it did.

        For requests that replace a whole document: what others have written to it meanwhile must not be lost.
        """
        return self if basis is None else replace(self, bases=(*self.bases, basis))

    def using(self, *resources: str) -> Call:
        """The same call, not made if one of these resources, `STEP/RESOURCE`, cannot be ensured."""
        return replace(self, uses=(*self.uses, *resources))

    def recording(self) -> Call:
        """The same call, without which AWS does not record, or not all that it is to, or to another place."""
        return replace(self, records=True)

    def failing_on(self, key: str) -> Call:
        """The same call; what AWS lists under *key* of its answer was not done, and fails the call with its `ErrorCode`."""
        return replace(self, unprocessed=key)

    def or_done(self, *codes: str, text: str = "") -> Call:
        """The same call; one of these error codes means that the resource exists, and the step reads it again.

        With *text*, only where it is part of the message.
        """
        return replace(self, done=(*self.done, *codes), done_text=text)


@dataclass(frozen=True)
class Difference:
    """One field in which AWS differs from the baseline. Values are JSON-like, documents are dicts."""

    field: str
    have: Any
    want: Any


@dataclass(frozen=True)
class Change:
    """The differences of one resource, and the one request that removes them."""

    resource: str
    differences: tuple[Difference, ...]
    call: Call
    action: Action = "update"
    consent: str | None = None  # the `--allow` name, of a change that loosens or replaces something
    loses: str = ""  # what is lost by that
    completes: bool = False  # nobody must begin to use the resource without it
    enables: bool = False  # later changes are refused by AWS without it, as they are without a creation
    contains: tuple[str, ...] = ()  # other resources that a creation makes as the file says
    # Error codes with which AWS may refuse it without a failure: the error is raised in the step, which goes on otherwise.
    handles: tuple[str, ...] = ()
    held: str = ""  # why it is told and not made, whatever is allowed: a mode of the file, a pause
    # The change without some of its fields; None where AWS takes them only together.
    without: Callable[[Collection[str]], Change | None] | None = field(
        default=None, compare=False, repr=False
    )
    undo: Call | None = field(default=None, compare=False, repr=False)  # the request that puts *have* back

    @property
    def is_vital(self) -> bool:
        """Without it AWS does not record what it is to, or that arrives nowhere: a pause of everything does not hold it.

        Else somebody could break in a pause what the recorder needs, and then delete the recorder.
        """
        return self.call.records or self.enables or self.completes


class Kind(Enum):
    """What a note is about."""

    FOREIGN = "foreign"  # made by others, and kept
    OWNED = "owned from above"  # a difference that only the owner can remove, such as a policy of the organization
    ACCEPTED = "accepted"  # a difference that the file excepts
    STRICTER = "stricter than the baseline"  # AWS asks more than the file; left alone
    WARNING = "warning"  # works, but costs or risks something


@dataclass(frozen=True)
class Note:
    """Information about a resource that is no change."""

    kind: Kind
    resource: str
    text: str
    permanent: bool = False  # of what is stricter: `exact` does not undo it


@dataclass(frozen=True)
class Exists:
    """A resource of the file exists in AWS, whether it must change or not."""

    resource: str


@dataclass(frozen=True)
class Part:
    """The changes of one resource of a step that has several: where they cannot be found, the others still are."""

    resource: str
    changes: Changes


Changes = Generator[Change | Note | Exists | Part, Any, None]


def create(resource: str, want: Mapping[str, Any], call: Call) -> Change:
    """The change that creates a resource with the fields of *want*."""
    return Change(resource, tuple(Difference(k, None, v) for k, v in want.items()), call, "create")


def update(resource: str, differences: tuple[Difference, ...], call: Call) -> Change:
    """The change that repairs the *differences* of an existing resource."""
    return Change(resource, differences, call)


@dataclass(frozen=True)
class Finding:
    """One check of `verify`. *ok* is None where AWS cannot know yet, such as before a trail's first delivery."""

    resource: str
    check: str
    ok: bool | None
    detail: str


Findings = Iterator[Finding]
# What `verify --fire` does for a step: each call that sets something off, and what was found of it. A call is answered
# with AWS's answer, or with None where it failed.
Firing = Generator[Call | Finding, Any, None]


@dataclass(frozen=True)
class Step:
    """One part of the baseline: where it runs, the steps that it needs, and the functions that ensure, verify and fire it."""

    name: str
    scope: Scope
    needs: tuple[str, ...]
    section: type
    ensure: Callable[..., Changes] = field(compare=False)
    verify: Callable[..., Findings] | None = field(default=None, compare=False)
    fire: Callable[..., Firing] | None = field(default=None, compare=False)
    # The changes that turn off what it ensures, for a file that asks for that.
    disable: Callable[..., Changes] | None = field(default=None, compare=False)
    archive: bool = False  # it runs in the log archive account
    each_region: bool = False  # of Scope.ONCE: it runs in every Region of that one account
    after_accounts: bool = False  # of Scope.ONCE: its changes are made after those of the other accounts
    clients: tuple[str, ...] = ()  # AWS services, by botocore's name, that it asks
    after: tuple[str, ...] = ()  # steps that run before it if they run, and whose failure does not block it
    asked: Callable[[Any], bool] = field(default=lambda baseline: True, compare=False)  # the file asks for it
    # The steps that it needs besides, in a file whose section refers to what they make.
    needs_in: Callable[[Any], tuple[str, ...]] = field(default=lambda baseline: (), compare=False)

    @property
    def regional(self) -> bool:
        """It runs in every Region."""
        return self.scope is Scope.REGION or self.each_region


@dataclass(frozen=True)
class Failure:
    """Why a step, or one change of it, failed.

    *doing* is what was under way; *operation*, *code* and *request_id* are AWS's, where a call failed. *resource* is
    what the failure is limited to, or empty for the whole step. *stops* is what others do no more: wait for AWS to
    accept the resource, or use it at all. *untried* are the operations that were not tried because of it.
    """

    doing: str
    message: str
    service: str = ""
    operation: str = ""
    code: str = ""
    request_id: str = ""
    hint: str = ""
    resource: str = ""
    stops: Literal["nothing", "waiting", "use"] = "nothing"
    untried: tuple[str, ...] = ()


@dataclass
class Result:
    """What one step did, or would do, in one target."""

    step: str
    target: Target
    changes: list[Change] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)  # the resources that exist
    withheld: list[Change] = field(default_factory=list)  # not made: without consent, or held
    findings: list[Finding] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)  # of the calls in *changes*, in that order
    failures: list[Failure] = field(default_factory=list)
    blocked_by: str | None = None  # the failed step because of which this one did not run
    is_step: bool = True  # not what the file names for the run itself, which is only looked at

    @property
    def failure(self) -> Failure | None:
        """The first of the failures."""
        return self.failures[0] if self.failures else None

    @property
    def held(self) -> list[Change]:
        """The changes that the file or a pause keeps from being made."""
        return [each for each in self.withheld if each.held]

    @property
    def without_consent(self) -> list[Change]:
        """The changes that were not made because nobody allowed them."""
        return [each for each in self.withheld if not each.held]

    @property
    def is_in_sync(self) -> bool:
        """All was read and is as the file asks: nothing is to be changed, waits for consent, or is held."""
        return self.ok and not self.changes and not self.withheld

    @property
    def unchanged(self) -> set[str]:
        """The resources that exist and do not differ from the file."""
        return {*self.seen} - {each.resource for each in (*self.changes, *self.withheld)}

    @property
    def ok(self) -> bool:
        """The step ran to its end."""
        return not self.failures and self.blocked_by is None

    @property
    def failed_needs(self) -> dict[str, str]:
        """What steps that need this one must know, each with the step that is the cause.

        `STEP`: it failed as a whole, and they cannot run; without a cause, they run and wait for nothing.
        `STEP/RESOURCE`: they run, and do not use the resource.
        """
        if self.blocked_by is not None or any(not each.resource for each in self.failures):
            return {self.step: self.blocked_by or self.step}
        using = {f"{self.step}/{each.resource}": "" for each in self.failures if each.stops == "use"}
        stops_waiting = any(each.stops != "nothing" for each in self.failures)
        if stops_waiting or any(each.enables or each.action == "create" for each in self.withheld):
            return {self.step: "", **using}
        return {}


@dataclass(frozen=True)
class Account:
    """One AWS account. *units* are its organizational units, from the root down, each by id and by path."""

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
    """Counts of what is in sync: *steps*, their *resources*, and *proofs* that passed."""

    steps: int = 0
    resources: int = 0
    proofs: int = 0

    def __add__(self, more: InSyncCounts) -> InSyncCounts:
        return InSyncCounts(
            self.steps + more.steps, self.resources + more.resources, self.proofs + more.proofs
        )


@dataclass(frozen=True)
class Outcome:
    """The outcome of one account: the results with something to report, and counts of those in sync."""

    account: Account
    regions: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    unseen: tuple[Result, ...] = ()  # changes that were made, and that AWS does not show yet
    skipped: tuple[Skipped, ...] = ()
    in_sync: InSyncCounts = field(default_factory=InSyncCounts)
    seconds: float = 0.0
    applied: bool = False  # the changes in it were made

    @property
    def failed(self) -> bool:
        """Something in the account could not be read or changed, or was held back, or is not shown by AWS after the change."""
        return bool(self.unseen) or any(not r.ok or r.without_consent for r in self.results)

    @property
    def drifted(self) -> bool:
        """Something in the account is, or was, to be changed."""
        return any(r.changes for r in self.results)

    @property
    def held(self) -> bool:
        """Something in the account differs and is only told."""
        return any(r.held for r in self.results)

    def after(self, before: Outcome) -> Outcome:
        """The outcome of an apply after the diff *before*, with what that one skipped."""
        return replace(self, skipped=before.skipped, seconds=before.seconds + self.seconds)


class Refused(Exception):
    """A step stops: AWS is in a state that only the user can change. The text names it, and the remedy."""
