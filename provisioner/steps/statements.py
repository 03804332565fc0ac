"""Ensure our statements in a policy that others also write to. Ours are identified by Sid, foreign ones are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..compare import policy
from ..compare.policy import Document, Normal, Statement
from ..model import Call, Change, Changes, Difference, Kind, Note, Refused

Danger = tuple[Statement, str]  # a foreign statement, and what it does, in words
Dangers = Callable[[Sequence[Statement]], Iterable[Danger]]

_FIRST = "__default_statement_ID"  # AWS's own, in a new topic or queue: its account may use it
_WHO = ("Principal", "NotPrincipal")
_FULL = 0.88  # share of the maximum size at which the next statement may not fit


def statements(
    resource: str,
    have: Document | None,
    own: Sequence[Statement],
    put: Callable[[dict[str, Any]], Call],
    *,
    partition: str,
    what: str = "policy statement",
    most: int = 0,
    dangers: Dangers = lambda foreign: (),
    consent: str = "",
) -> Changes:
    """Ensure that the policy has the statements *own*. *put* makes the request for the whole document.

    *most* is the maximum size in bytes, 0 for no limit. Raises Refused if the policy would be larger. *dangers* finds
    foreign statements that defeat ours; removing them is a change of its own that needs *consent*.
    """
    # Statements of a section that was removed from the file are kept: its trail may still deliver.
    owned = {str(each["Sid"]) for each in own}

    def merge(document: Document | None) -> policy.Merged:
        return policy.merge(document, _to_write(document, own, partition), owned=owned, partition=partition)

    def without(fields: Collection[str]) -> Change | None:
        others = [each for each in own if f"{what} {each['Sid']}" not in fields]
        names = {str(each["Sid"]) for each in others}
        left = policy.merge(have, _to_write(have, others, partition), owned=names, partition=partition)
        return _change(resource, what, left, put, without, have) if left.changed else None

    merged, ours = merge(have), {_meaning(each, partition) for each in own}
    foreign = [each for each in merged.foreign if _meaning(each, partition) not in ours]
    dangerous = list(dangers(foreign))
    told = [each for each in foreign if each not in _of(dangerous) and policy.sid_of(each) != _FIRST]
    yield from _notes(resource, what, merged, told)
    if merged.changed:
        size = policy.size(merged.document)
        if most and size > most:
            raise Refused(
                f"the policy of {resource} would have {size} bytes, AWS takes {most}:"
                " remove statements nobody needs"
            )
        if most and size > _FULL * most:
            yield Note(Kind.WARNING, resource, f"the policy has {size} of at most {most} bytes")
        yield _change(resource, what, merged, put, without, have)
    if dangerous:
        kept = [each for each in policy.statements(have) if each not in _of(dangerous)]
        document = merge({**policy.parse(have), "Statement": kept}).document
        removed = tuple(
            Difference(f"{what} {_name(each)} of others", dict(each), None) for each in _of(dangerous)
        )
        loses = "; ".join(f"`{_name(each)}` of others {text}" for each, text in dangerous)
        # What delivers does not wait for a policy with a Deny that stays.
        yield Change(resource, removed, put(document), consent=consent, loses=loses, enables=True)


def new_principals(have: Document | None, want: Document) -> set[str]:
    """The roles, users and accounts that *want* names and *have* does not. AWS may not know them yet."""

    def named(document: Document | None) -> set[str]:
        found = [each.get(element) for each in policy.statements(document) for element in _WHO]
        return {n for each in found if isinstance(each, Mapping) for n in policy.listed(each.get("AWS"))}

    return named(want) - named(have) - {"*"}


def _change(
    resource: str,
    what: str,
    merged: policy.Merged,
    put: Callable[[dict[str, Any]], Call],
    without: Callable[[Collection[str]], Change | None],
    have: Document | None,
) -> Change:
    """The change that writes the merged document."""
    changed = tuple(Difference(f"{what} {sid}", before, after) for sid, before, after in merged.differences)
    undo = put(dict(policy.parse(have))) if have else None
    return Change(resource, changed, put(merged.document), enables=True, without=without, undo=undo)


def _notes(resource: str, what: str, merged: policy.Merged, foreign: Sequence[Statement]) -> Iterator[Note]:
    if foreign:
        text = f"{what}s of others are kept: {', '.join(map(_name, foreign))}"
        yield Note(Kind.FOREIGN, resource, text)
    for gone in policy.orphans(policy.document(merged.foreign)):
        text = f"a {what} of others names {gone}, a deleted role or user: its access is broken"
        yield Note(Kind.WARNING, resource, text)


def _of(dangerous: Sequence[Danger]) -> list[Statement]:
    return [statement for statement, _ in dangerous]


def _name(statement: Statement) -> str:
    return policy.sid_of(statement) or "(no Sid)"


def _to_write(have: Document | None, own: Sequence[Statement], partition: str) -> list[Statement]:
    """The statements of *own* that are not there in the same words under a foreign Sid, or without a Sid."""
    sids = {each["Sid"] for each in own}
    existing = policy.statements(have)
    present = {policy.sid_of(each) for each in existing}
    others = {_meaning(each, partition) for each in existing if policy.sid_of(each) not in sids}
    return [each for each in own if each["Sid"] in present or _meaning(each, partition) not in others]


def _meaning(statement: Statement, partition: str) -> Normal:
    """The normal form of a statement without its Sid."""
    bare = {key: value for key, value in statement.items() if key != "Sid"}
    return policy.normal(policy.document([bare]), partition=partition)
