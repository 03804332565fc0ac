"""Policy documents: one normal form, and merging ours into one that others write too.

AWS gives a policy back in its own shape, and a bucket, a key or a topic has one policy for everybody. So
documents are compared by meaning, and only the statements that carry our Sids are ours to change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .spelling import spelled
from .values import Named, merge_named

Statement = Mapping[str, Any]
Document = str | Mapping[str, Any]

VERSION: Final = "2012-10-17"
FIRST_VERSION: Final = "2008-10-17"  # what AWS reads into a document that names no version
BUCKET_POLICY_BYTES: Final = 20480

_ACCOUNT: Final = re.compile(r"\d{12}")
_UNIQUE_ID: Final = re.compile(r"A(?:ROA|IDA)[A-Z0-9]+")


class PolicyError(ValueError):
    """A policy document that cannot be read, or that must not be written."""


@dataclass(frozen=True)
class Normal:
    """What a policy document means. Equal exactly when AWS would decide every request alike."""

    version: str
    statements: frozenset[Hashable]


@dataclass(frozen=True)
class Merged:
    """A policy after our statements were put into it.

    *document* is what to write; AWS takes none with an empty `Statement`, the policy is then to be deleted.
    *foreign* are the statements that are not ours, as read. *differences* are (sid, have, want) for each
    statement of ours that AWS lacks (have is None), has otherwise, or has too many of (want is None).
    """

    document: dict[str, Any]
    changed: bool
    foreign: list[Statement]
    differences: list[Named[Statement]]


def arn(partition: str, service: str, region: str, account: str, resource: str) -> str:
    """The name AWS gives a thing; *region* or *account* is empty where the service has none in its names."""
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """A new policy document of these statements, in the current policy language."""
    return {"Version": VERSION, "Statement": [dict(statement) for statement in statements]}


def parse(document: Document | None) -> dict[str, Any]:
    """The document as a mapping; None is an empty one. Raises PolicyError with line and column."""
    if isinstance(document, str):
        try:
            # AWS makes text of numbers; done here, 1.50 stays 1.50 on its way through us.
            document = json.loads(document, object_pairs_hook=_object, parse_float=str)
        except json.JSONDecodeError as error:
            raise PolicyError(f"policy:{error.lineno}:{error.colno}: want JSON, got {error.msg}") from None
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise PolicyError(f"policy: want a JSON object, got {_kind(document)}")
    return dict(document)


def statements(document: Document | None) -> list[Statement]:
    """The statements of the document, in its order; one that stands alone is a list of one."""
    found = parse(document).get("Statement")
    listed = [] if found is None else [found] if isinstance(found, Mapping) else found
    if not isinstance(listed, list | tuple):
        raise PolicyError(f"policy: `Statement`: want a list of objects, got {_kind(listed)}")
    for place, statement in enumerate(listed, 1):
        if not isinstance(statement, Mapping):
            raise PolicyError(f"policy: statement {place}: want an object, got {_kind(statement)}")
    return list(listed)


def normal(document: Document | None, *, partition: str) -> Normal:
    """What the document means, in a form that can be compared and hashed.

    No policy, and one without statements, are the same. `Id` is left out, it means nothing. *partition* is
    where a bare account id as principal lives. Raises PolicyError where the document cannot be read.
    """
    parsed = parse(document)
    found = frozenset(_statement(statement, partition) for statement in statements(parsed))
    return Normal(_version(parsed) if found else "", found)


def same(a: Document | None, b: Document | None, *, partition: str) -> bool:
    """True when both documents mean the same to AWS; raises PolicyError where one cannot be read."""
    return normal(a, partition=partition) == normal(b, partition=partition)


def orphans(document: Document | None) -> list[str]:
    """Principals that are unique ids, in order: the role or user is gone, and its access with it.

    AWS shows the id in place of the ARN once the identity is deleted, also when one of the same name was
    created since. Just after CreateRole the id may show for a moment: read again before believing it.
    """
    found: dict[str, None] = {}
    for statement in statements(document):
        for element in ("Principal", "NotPrincipal"):
            names = statement.get(element)
            for name in listed(names.get("AWS") if isinstance(names, Mapping) else names):
                if _UNIQUE_ID.fullmatch(name):
                    found[name] = None
    return list(found)


def merge(
    have: Document | None, own: Sequence[Statement], *, owned: Collection[str], partition: str
) -> Merged:
    """The policy with our statements as wanted, and every statement of others as it was, in its order.

    *owned* are all Sids that we write, those of *own* and those that are no longer wanted. A statement is
    ours by its Sid alone, whatever it says; one without a Sid never is.

    The version of a document that is there keeps its meaning (none is 2008-10-17), for another one would make
    a variable of a literal `${` in a foreign statement. It is raised only where a statement of ours needs
    policy variables. Where both are so, one of the two would change its meaning, and PolicyError is raised.
    """
    _refuse_nameless(own, owned)
    before = parse(have)
    foreign, differences = merge_named(
        statements(before),
        own,
        name=sid_of,
        owned=owned,
        normal=lambda statement: _statement(statement, partition),
    )
    after = {"Version": VERSION, **before, "Statement": [*map(dict, own), *foreign]}
    if not statements(before):
        after["Version"] = VERSION
    elif _version(before) == FIRST_VERSION:
        variable = [statement for statement in own if "${" in compact(statement)]
        if variable:
            _refuse_new_meaning(foreign, variable[0])
            # They may be there to the letter, but `${…}` is plain text in the first version.
            known = {sid for sid, _, _ in differences}
            differences += [(sid, s, s) for s in variable if (sid := s["Sid"]) not in known]
        after["Version"] = VERSION if variable else FIRST_VERSION
    return Merged(after, bool(differences), foreign, differences)


def compact(document: Mapping[str, Any]) -> str:
    """The document as the JSON text that is sent: no spaces, in the order of its keys."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def size(document: Mapping[str, Any]) -> int:
    """How many bytes the document takes when sent. S3 takes `BUCKET_POLICY_BYTES` at most."""
    return len(compact(document).encode("utf-8", "surrogatepass"))


def listed(value: Any) -> list[str]:
    """The value as a list of texts. To AWS one is a list of one, and numbers and booleans are text."""
    if value is None:
        return []
    return [spelled(item) for item in value] if isinstance(value, list | tuple) else [spelled(value)]


def _statement(statement: Statement, partition: str) -> frozenset[tuple[str, Hashable]]:
    elements = ((element, _element(element, value, partition)) for element, value in statement.items())
    return frozenset((element, value) for element, value in elements if value)


def _element(element: str, value: Any, partition: str) -> Hashable:
    """What one element of a statement means; empty where it says nothing."""
    match element:
        case "Effect":
            return spelled(value or "").lower()
        case "Principal" | "NotPrincipal":
            return _principal(value, partition)
        case "Action" | "NotAction":
            return frozenset(action.lower() for action in listed(value))
        case "Resource" | "NotResource":
            return frozenset(listed(value))
        case "Condition":
            return _condition(value)
        case _:
            return spelled(value) if value not in (None, "", [], {}) else ""


def _principal(value: Any, partition: str) -> frozenset[tuple[str, frozenset[str]]]:
    kinds = value if isinstance(value, Mapping) else {"AWS": value}

    def name(kind: str, one: str) -> str:
        if kind == "AWS" and _ACCOUNT.fullmatch(one):
            return arn(partition, "iam", "", one, "root")
        return one

    found = ((kind, frozenset(name(kind, one) for one in listed(names))) for kind, names in kinds.items())
    return frozenset((kind, names) for kind, names in found if names)


def _condition(value: Any) -> frozenset[tuple[str, str, frozenset[str]]]:
    # Keys that differ in case only are one key to AWS: put together, so that none is lost.
    found: dict[tuple[str, str], set[str]] = {}
    if not isinstance(value or {}, Mapping):
        raise PolicyError(f"policy: `Condition`: want an object, got {_kind(value)}")
    for operator, keys in (value or {}).items():
        if not isinstance(keys, Mapping):
            raise PolicyError(f"policy: condition `{operator}`: want an object, got {_kind(keys)}")
        for key, values in keys.items():
            found.setdefault((operator, str(key).lower()), set()).update(listed(values))
    return frozenset((*name, frozenset(values)) for name, values in found.items() if values)


def _version(document: Mapping[str, Any]) -> str:
    return str(document.get("Version") or FIRST_VERSION)


def sid_of(statement: Statement) -> str | None:
    """The statement's Sid, or None where it has none."""
    sid = statement.get("Sid")
    return sid if isinstance(sid, str) and sid else None


def _refuse_nameless(own: Sequence[Statement], owned: Collection[str]) -> None:
    sids = [sid_of(statement) for statement in own]
    for place, sid in enumerate(sids):
        if sid is None or sid not in owned or sid in sids[:place]:
            raise PolicyError(f"policy: own statement {place + 1}: want an owned Sid of its own, got `{sid}`")


def _refuse_new_meaning(foreign: Sequence[Statement], ours: Statement) -> None:
    for statement in foreign:
        if "${" in compact(statement):
            name = f"`{sid_of(statement)}`" if sid_of(statement) else "a statement without a Sid"
            raise PolicyError(
                f"policy: {name} holds a literal `${{` under Version {FIRST_VERSION}, and `{sid_of(ours)}` "
                f"needs {VERSION}, which makes a variable of it: change that statement by hand first, or "
                "drop the variable from yours"
            )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise PolicyError(f"policy: want each key once in an object, got `{twice}` twice")
    return found


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list | tuple) else f"`{value}`"
