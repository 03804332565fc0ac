"""The objects of the report for machines, and their JSON Schema. `json.py` makes them.

The schema shows the docstrings and names of the public classes here to its readers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from ..baseline.problem import Problem
from ..model import Action, Difference, Skipped
from .totals import Cost, State

FORMAT: Final = "2.0"

Command = Literal["diff", "apply", "verify", "repair", "pause", "resume", "undo"]
Level = Literal["info", "warn", "error"]
Verdict = Literal["pass", "fail", "pending"]


@dataclass(frozen=True)
class CallJson:
    """One AWS request: AWS's name of the operation, its parameters, and the Region it goes to."""

    service: str
    operation: str
    region: str
    params: dict[str, Any]


@dataclass(frozen=True)
class _Place:
    step: str
    account: str
    region: str


@dataclass(frozen=True)
class ChangeJson(_Place):
    """The differences of one resource and the request that removes them; after an apply, with AWS's request id.

    *held* is why the request is not made, whatever is allowed.
    """

    resource: str
    action: Action
    differences: list[Difference]
    call: CallJson
    consent: str | None = None
    loses: str | None = None
    request_id: str | None = None
    held: str | None = None


@dataclass(frozen=True)
class NoteJson(_Place):
    """Something that a reader should know and that is no change."""

    kind: str
    resource: str
    text: str


@dataclass(frozen=True)
class FailureJson(_Place):
    """Something that could not be read or done. *blocked_by*: the step did not run, because that one failed.

    *not_tried* are the operations that need what failed.
    """

    doing: str
    message: str
    call: str | None = None
    code: str | None = None
    request_id: str | None = None
    hint: str | None = None
    blocked_by: str | None = None
    not_tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class FindingJson(_Place):
    """One check of `verify`."""

    resource: str
    check: str
    state: Verdict
    detail: str


@dataclass(frozen=True)
class CountsJson:
    """Resources to add and to change, or after an apply those added and changed; checks and steps by their result."""

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
    """The result for one account or, of type `organization`, for what exists once in the organization.

    An apply writes two objects for an account that differs: as it was found and, *applied*, with the changes made.
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
    cut_off: int = 0  # items left out of the lists where an answer is limited in size, as that of AWS Lambda


@dataclass(frozen=True)
class AccountsJson:
    """The number of accounts in each state."""

    in_sync: int
    drifted: int
    changed: int
    failed: int
    skipped: int


@dataclass(frozen=True)
class _Message:
    type: str
    level: Level
    message: str


@dataclass(frozen=True)
class _Run:
    format_version: str
    command: Command
    sandbox: bool
    account: str  # the caller's
    partition: str
    caller: str
    regions: list[str]


@dataclass(frozen=True)
class _Totals:
    plan_digest: str  # what `apply --expect-plan` takes
    counts: CountsJson
    accounts_by_state: AccountsJson
    organization_state: State
    regions_seen: list[str]
    skipped: list[Skipped]
    cost: Cost


@dataclass(frozen=True)
class VersionJson(_Run, _Message):
    """The first line: the command, and the identity that calls AWS."""

    type: Literal["version"]


@dataclass(frozen=True)
class SummaryJson(_Totals, _Message):
    """The last line: the totals, the digest of the plan, and what the run cost."""

    type: Literal["summary"]


@dataclass(frozen=True)
class _Accounts:
    organization: AccountJson
    accounts: list[AccountJson]


@dataclass(frozen=True)
class DocumentJson(_Accounts, _Totals, _Run, _Message):
    """The one document of `--json`."""

    type: Literal["report"]


@dataclass(frozen=True)
class ErrorJson:
    """The reason why a command could not begin. *problems*: every mistake in the file, if that is the reason."""

    type: Literal["error"]
    level: Level
    message: str
    format_version: str
    command: str
    problems: list[Problem] = field(default_factory=list)


Line = VersionJson | AccountJson | SummaryJson | ErrorJson


def output_schema() -> dict[str, Any]:
    """The JSON Schema of the document of `--json`, of each line of `--json-lines`, and of an error."""
    from pydantic import Field, TypeAdapter

    schema = TypeAdapter(Annotated[Line | DocumentJson, Field(discriminator="type")]).json_schema()
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"provision output {FORMAT}"}
    return {**about, **schema}
