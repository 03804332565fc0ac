"""Ensure our statements in a policy that others also write to. Ours are identified by Sid, foreign ones are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..compare import policy
from ..compare.policy import Document, Normal, Statement
from ..model import Call, Change, Changes, Difference, Kind, Note, Refused

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
) -> Changes:
    """Ensure that the policy has the statements *own*. *put* makes the request for the whole document.

    *most* is the maximum size in bytes, 0 for no limit. Raises Refused if the policy would be larger.
    """
    # Statements of a section that was removed from the file are kept: its trail may still deliver.
    owned = {str(each["Sid"]) for each in own}
    merged = policy.merge(have, _to_write(have, own, partition), owned=owned, partition=partition)
    ours = {_meaning(each, partition) for each in own}
    if foreign := [each for each in merged.foreign if _meaning(each, partition) not in ours]:
        names = ", ".join(policy.sid_of(each) or "(no Sid)" for each in foreign)
        yield Note(Kind.FOREIGN, resource, f"{what}s of others are kept: {names}")
    for gone in policy.orphans(policy.document(merged.foreign)):
        text = f"a {what} of others names {gone}, a deleted role or user: its access is broken"
        yield Note(Kind.WARNING, resource, text)
    if not merged.changed:
        return
    size = policy.size(merged.document)
    if most and size > most:
        raise Refused(
            f"the policy of {resource} would have {size} bytes, AWS takes {most}: remove statements nobody needs"
        )
    if most and size > _FULL * most:
        yield Note(Kind.WARNING, resource, f"the policy has {size} of at most {most} bytes")
    changed = tuple(Difference(f"{what} {sid}", before, after) for sid, before, after in merged.differences)
    yield Change(resource, changed, put(merged.document), enables=True)


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
