"""The report for machines: one JSON document, or a line for each account as soon as it is done.

Both have one shape, the same for one account and for many. The lines are one of type `version`, one `organization` (what
exists once), an `account` for each, and a `summary`. The document, of type `report`, has what the first and the last say,
and the others under `organization` and `accounts`. A command that cannot begin prints one object of type `error` instead.
`message` says for people what an object says. New keys may come with any version; `format_version` changes its first number
when a reader must change. `provision schema --output` prints the JSON Schema of all of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from json import dumps
from typing import Annotated, Any, Final, Literal

from ..baseline.problem import Problem
from ..engine.plan import count
from ..model import Account, Change, Difference, InSyncCounts, Outcome, Result, Skipped
from . import words
from .checks import all_of, checks
from .totals import Cost, State, Totals, state

FORMAT: Final = "2.0"
_LEVEL: Final[dict[State, Level]] = {
    "in_sync": "info",
    "drifted": "warn",
    "changed": "info",
    "failed": "error",
}

Command = Literal["diff", "apply", "verify"]
Level = Literal["info", "warn", "error"]
_VERDICT: Final[dict[bool | None, Verdict]] = {True: "pass", False: "fail", None: "pending"}
Verdict = Literal["pass", "fail", "pending"]


@dataclass(frozen=True)
class CallJson:
    """One AWS request: the operation under AWS's name, its parameters, and the Region it goes to."""

    service: str
    operation: str
    region: str
    params: dict[str, Any]


@dataclass(frozen=True)
class _Placed:
    """Where something is so, and of which step."""

    step: str
    account: str
    region: str


@dataclass(frozen=True)
class ChangeJson(_Placed):
    """What is different about one resource, and the request that removes it; after an apply with AWS's request id."""

    resource: str
    action: Literal["create", "update"]
    differences: list[Difference]
    call: CallJson
    consent: str | None = None
    loses: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class NoteJson(_Placed):
    """What should be known that is no change."""

    kind: str
    resource: str
    text: str


@dataclass(frozen=True)
class FailureJson(_Placed):
    """What could not be read or done; *blocked_by* where it was not run, as that step failed."""

    doing: str
    message: str
    call: str | None = None
    code: str | None = None
    request_id: str | None = None
    hint: str | None = None
    blocked_by: str | None = None


@dataclass(frozen=True)
class FindingJson(_Placed):
    """One thing that `verify` looked at."""

    resource: str
    check: str
    state: Verdict
    detail: str


@dataclass(frozen=True)
class CountsJson:
    """Resources to add and to change, or after an apply added and changed; and checks by how they ended."""

    add: int = 0
    change: int = 0
    destroy: int = 0
    checks_passed: int = 0
    checks_failed: int = 0
    checks_pending: int = 0
    steps_in_sync: int = 0
    steps_failed: int = 0


@dataclass(frozen=True)
class AccountJson:
    """What became of one account, or (`organization`) of what exists once.

    An apply tells of an account that differs twice: as it is found, and, *applied*, with the changes that were made.
    """

    type: Literal["account", "organization"]
    level: Level
    message: str
    state: State
    applied: bool
    account: str
    name: str
    regions: list[str]
    counts: CountsJson
    changes: list[ChangeJson] = field(default_factory=list)
    withheld: list[ChangeJson] = field(default_factory=list)
    not_seen: list[ChangeJson] = field(default_factory=list)
    notes: list[NoteJson] = field(default_factory=list)
    failures: list[FailureJson] = field(default_factory=list)
    findings: list[FindingJson] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0
    cut_off: int = 0  # items of the lists that are left out where an answer has a limit


@dataclass(frozen=True)
class AccountsJson:
    """How many accounts are in which state."""

    in_sync: int
    drifted: int
    changed: int
    failed: int
    skipped: int


@dataclass(frozen=True)
class _Object:
    """What every object has: *message* says it for people."""

    type: str
    level: Level
    message: str


@dataclass(frozen=True)
class _About:
    """What the run is about. *account* and *caller* are who asks."""

    format_version: str
    command: Command
    sandbox: bool
    account: str
    partition: str
    caller: str
    regions: list[str]


@dataclass(frozen=True)
class _Sum:
    """The counts, the digest that `apply --expect-plan` takes, and what the run cost."""

    plan_digest: str
    counts: CountsJson
    accounts_by_state: AccountsJson
    organization_state: State
    regions_seen: list[str]
    skipped: list[Skipped]
    cost: Cost


@dataclass(frozen=True)
class VersionJson(_About, _Object):
    """The first line."""

    type: Literal["version"]


@dataclass(frozen=True)
class SummaryJson(_Sum, _Object):
    """The last line."""

    type: Literal["summary"]


@dataclass(frozen=True)
class _Accounts:
    organization: AccountJson
    accounts: list[AccountJson]


@dataclass(frozen=True)
class DocumentJson(_Accounts, _Sum, _About, _Object):
    """The one document of `--json`."""

    type: Literal["report"]


@dataclass(frozen=True)
class ErrorJson:
    """A command that could not begin: *message* says why, *problems* is every mistake in the file where that is why."""

    type: Literal["error"]
    level: Level
    message: str
    format_version: str
    command: str
    problems: list[Problem] = field(default_factory=list)


Line = VersionJson | AccountJson | SummaryJson | ErrorJson


def output_schema() -> dict[str, Any]:
    """The JSON Schema of the document of `--json`, of each line of `--json-lines`, and of the document of an error."""
    from pydantic import Field, TypeAdapter

    schema = TypeAdapter(Annotated[Line | DocumentJson, Field(discriminator="type")]).json_schema()
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"provision output {FORMAT}"}
    return {**about, **schema}


def account_json(outcome: Outcome, command: Command) -> AccountJson:
    """What became of one account, with everything that there is to tell of it."""
    return replace(
        _unit("account", str(outcome.account), command, outcome),
        account=outcome.account.id,
        name=outcome.account.name,
        regions=list(outcome.regions),
        skipped=list(outcome.skipped),
        seconds=round(outcome.seconds, 3),
    )


def organization_json(
    results: Sequence[Result], command: Command, unseen: Sequence[Result] = (), *, applied: bool = False
) -> AccountJson:
    """What became of what exists once, in the accounts that have it."""
    found = Outcome(Account(""), results=tuple(results), unseen=tuple(unseen), applied=applied)
    return _unit("organization", "what exists once", command, found)


def document_json(
    version: VersionJson, once: AccountJson, accounts: list[AccountJson], summary: SummaryJson
) -> DocumentJson:
    """The lines of a run as one document."""
    both: dict[str, Any] = {**vars(version), **vars(summary), "type": "report"}
    return DocumentJson(organization=once, accounts=accounts, **both)


def summary_json(
    message: str,
    counts: CountsJson,
    totals: Totals,
    cost: Cost,
    *,
    digest: str,
    passed_over: Iterable[Skipped],
) -> SummaryJson:
    """The last line."""
    return SummaryJson(
        type="summary",
        level="info" if totals.complete else "error",
        message=words.one_line_of(message),
        plan_digest=digest,
        counts=counts,
        accounts_by_state=AccountsJson(
            totals.in_sync, totals.drifted, totals.changed, totals.failed, totals.skipped
        ),
        organization_state=totals.organization,
        regions_seen=sorted(totals.regions),
        skipped=list(passed_over),
        cost=replace(cost, seconds=round(cost.seconds, 3)),
    )


def counts_json(results: Sequence[Result], in_sync: InSyncCounts, command: Command) -> CountsJson:
    """The counts of a run, or of an account."""
    counted = count(results)
    found = CountsJson(
        add=counted.add,
        change=counted.change,
        steps_in_sync=in_sync.steps + sum(r.ok and not r.changes for r in results),
        steps_failed=sum(not r.ok for r in results),
    )
    if command != "verify":
        return found
    ended = checks(results, in_sync)
    return replace(found, checks_passed=ended.held, checks_failed=ended.fell, checks_pending=ended.pending)


def error_json(command: str, message: str, problems: Iterable[Problem] = ()) -> ErrorJson:
    """The object of a command that could not begin."""
    return ErrorJson("error", "error", words.one_line_of(message), FORMAT, command, list(problems))


def to_text(found: Line | DocumentJson, indent: int | None = None) -> str:
    """The JSON text of a line, or of the document."""
    return dumps(found, default=_plain, indent=indent)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return str(value)


def _unit(
    kind: Literal["account", "organization"], who: str, command: Command, found: Outcome
) -> AccountJson:
    results, unseen = found.results, found.unseen
    now = state(results, unseen, applied=found.applied)
    text = "; ".join(_sentence(command, found))
    return AccountJson(
        type=kind,
        level=_LEVEL[now],
        message=words.one_line_of(f"{who}: {text or 'in sync'}"),
        state=now,
        applied=found.applied,
        account="",
        name="",
        regions=[],
        counts=counts_json(results, found.in_sync, command),
        changes=[
            _change(result, change, request_id)
            for result in results
            for change, request_id in _with_ids(result)
        ],
        withheld=[_change(result, each) for result in results for each in result.withheld],
        not_seen=[_change(result, each) for result in unseen for each in result.changes],
        notes=[
            NoteJson(*_place(result), each.kind.name.lower(), each.resource, each.text)
            for result in results
            for each in result.notes
        ],
        failures=[each for result in (*results, *unseen) for each in _failures(result)],
        findings=[
            FindingJson(*_place(result), each.resource, each.check, _VERDICT[each.ok], each.detail)
            for result in results
            for each in (all_of(result) if command == "verify" else ())
        ],
    )


def _sentence(command: Command, found: Outcome) -> Iterable[str]:
    results, unseen = found.results, found.unseen
    counted = count(results)
    if command == "verify":
        yield str(checks(results, found.in_sync))
    elif counted.add or counted.change:
        add, change = ("added", "changed") if found.applied else ("to add", "to change")
        yield f"{counted.add} {add}, {counted.change} {change}"
    if held_back := sum(len(each.withheld) for each in results):
        yield f"{held_back} not allowed"
    if missing := sum(len(each.changes) for each in unseen):
        yield f"{missing} not shown by AWS yet"
    failed = [(each, failure) for each in (*results, *unseen) for failure in each.failures]
    for each, failure in failed[:1]:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        where = f" in {each.target.region}" if each.target.region else ""
        yield f"{each.step} failed{where}: {words.failure(failure)[0]}{more}"
    if blocked := sorted({each.step for each in results if each.blocked_by}):
        yield f"not run: {', '.join(blocked)}"


def _with_ids(result: Result) -> Iterable[tuple[Change, str]]:
    ids = [*result.request_ids, *[""] * len(result.changes)]
    return zip(result.changes, ids, strict=False)


def _place(result: Result) -> tuple[str, str, str]:
    return result.step, result.target.account, result.target.region


def _change(result: Result, change: Change, request_id: str | None = None) -> ChangeJson:
    call = change.call
    return ChangeJson(
        *_place(result),
        change.resource,
        change.action,
        list(change.differences),
        CallJson(call.service, call.name, call.region or result.target.region, dict(call.params)),
        change.consent,
        change.loses or None,
        request_id or None,
    )


def _failures(result: Result) -> Iterable[FailureJson]:
    for f in result.failures:
        call = f"{f.service}:{f.operation}" if f.operation else None
        yield FailureJson(
            *_place(result), f.doing, f.message, call, f.code or None, f.request_id or None, f.hint or None
        )
    if result.blocked_by is not None and not result.failures:
        message = f"{result.blocked_by} failed"
        yield FailureJson(*_place(result), "not run", message, blocked_by=result.blocked_by)
