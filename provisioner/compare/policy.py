"""Policy documents: compare them by meaning, and merge our statements into a policy that others also write to.

AWS returns a policy in its own form, so documents are compared in a normal form. A bucket, key or topic has only one
policy, so only the statements with our Sids are changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .spelling import to_text
from .values import Named, merge_named

Statement = Mapping[str, Any]
Document = str | Mapping[str, Any]
Normal = tuple[
    str, frozenset[Hashable]
]  # version and statements: equal if two documents mean the same to AWS

VERSION: Final = "2012-10-17"
FIRST_VERSION: Final = "2008-10-17"  # what AWS assumes for a document without a version
BUCKET_POLICY_BYTES: Final = 20480

_ACCOUNT: Final = re.compile(r"\d{12}")
_UNIQUE_ID: Final = re.compile(r"A(?:ROA|IDA)[A-Z0-9]+")


class PolicyError(ValueError):
    """A policy document that is invalid, or that must not be written."""


@dataclass(frozen=True)
class Merged:
    """A policy with our statements merged in.

    *document* is what to write. If its `Statement` is empty, delete the policy instead, as AWS refuses such a document.
    *foreign* are the statements that are not ours, as read. *differences* are (sid, have, want) for our statements:
    have is None for a missing one, want is None for a superfluous one.
    """

    document: dict[str, Any]
    changed: bool
    foreign: list[Statement]
    differences: list[Named[Statement]]


def arn(partition: str, service: str, region: str, account: str, resource: str) -> str:
    """Build an ARN; *region* or *account* is empty if the service's ARNs have none."""
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """A new policy document with these statements, in the current version."""
    return {"Version": VERSION, "Statement": [dict(statement) for statement in statements]}


def parse(document: Document | None) -> dict[str, Any]:
    """The document as a mapping; empty for None. Raises PolicyError, for JSON text with line and column."""
    if isinstance(document, str):
        try:
            # AWS converts numbers to text; converted here, 1.50 does not become 1.5.
            document = json.loads(document, object_pairs_hook=_object, parse_float=str)
        except json.JSONDecodeError as error:
            raise PolicyError(f"policy:{error.lineno}:{error.colno}: want JSON, got {error.msg}") from None
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise PolicyError(f"policy: want a JSON object, got {_kind(document)}")
    return dict(document)


def statements(document: Document | None) -> list[Statement]:
    """The statements of the document, in its order. Raises PolicyError if they are invalid."""
    value = parse(document).get("Statement")
    found = [] if value is None else [value] if isinstance(value, Mapping) else value
    if not isinstance(found, list | tuple):
        raise PolicyError(f"policy: `Statement`: want a list of objects, got {_kind(found)}")
    for number, statement in enumerate(found, 1):
        if not isinstance(statement, Mapping):
            raise PolicyError(f"policy: statement {number}: want an object, got {_kind(statement)}")
    return list(found)


def normal(document: Document | None, *, partition: str) -> Normal:
    """The normal form of the document, which can be compared and hashed.

    None equals a document without statements. `Id` is ignored, as it has no effect. *partition* is that of a principal
    that is only an account id. Raises PolicyError if the document is invalid.
    """
    parsed = parse(document)
    found = frozenset(_statement(statement, partition) for statement in statements(parsed))
    return _version(parsed) if found else "", found


def same(a: Document | None, b: Document | None, *, partition: str) -> bool:
    """True if both documents mean the same to AWS. Raises PolicyError if one is invalid."""
    return normal(a, partition=partition) == normal(b, partition=partition)


def orphans(document: Document | None) -> list[str]:
    """Principals that are unique ids, in order: roles and users that were deleted, so that they have no access.

    AWS shows the unique id instead of the ARN once the identity is deleted, even if one with the same name was created
    since. It may also do so for a moment after CreateRole.
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
    """Merge the statements *own* into the policy. Foreign statements are kept unchanged, in their order.

    *owned* are all Sids that we write: those of *own* and those to remove. A statement is ours if its Sid is owned.

    An existing document keeps its version (2008-10-17 if it has none), since a newer one would turn a literal `${` in a
    foreign statement into a variable. It is raised only if a statement of ours needs policy variables.
    Raises PolicyError if that would change a foreign statement, or if the Sids of *own* are not unique and owned.
    """
    _check_sids(own, owned)
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
            _check_literals(foreign, variable[0])
            # Even a statement that is there unchanged differs: `${…}` is literal text in the first version.
            known = {sid for sid, _, _ in differences}
            differences += [(sid, each, each) for each in variable if (sid := each["Sid"]) not in known]
        after["Version"] = VERSION if variable else FIRST_VERSION
    return Merged(after, bool(differences), foreign, differences)


def compact(document: Mapping[str, Any]) -> str:
    """The document as JSON for a request: without spaces, in the order of its keys."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def size(document: Mapping[str, Any]) -> int:
    """The size of the document in bytes, as sent. S3 allows `BUCKET_POLICY_BYTES`."""
    return len(compact(document).encode("utf-8", "surrogatepass"))


def listed(value: Any) -> list[str]:
    """The value as a list of texts. AWS accepts one value instead of a list, and numbers and booleans as text."""
    if value is None:
        return []
    return [to_text(item) for item in value] if isinstance(value, list | tuple) else [to_text(value)]


def _statement(statement: Statement, partition: str) -> frozenset[tuple[str, Hashable]]:
    elements = ((element, _element(element, value, partition)) for element, value in statement.items())
    return frozenset((element, value) for element, value in elements if value)


def _element(element: str, value: Any, partition: str) -> Hashable:
    """The normal form of one element of a statement; empty if it has no effect."""
    match element:
        case "Effect":
            return to_text(value or "").lower()
        case "Principal" | "NotPrincipal":
            return _principal(value, partition)
        case "Action" | "NotAction":
            return frozenset(action.lower() for action in listed(value))
        case "Resource" | "NotResource":
            return frozenset(listed(value))
        case "Condition":
            return _condition(value)
        case _:
            return to_text(value) if value not in (None, "", [], {}) else ""


def _principal(value: Any, partition: str) -> frozenset[tuple[str, frozenset[str]]]:
    kinds = value if isinstance(value, Mapping) else {"AWS": value}

    def name(kind: str, one: str) -> str:
        if kind == "AWS" and _ACCOUNT.fullmatch(one):
            return arn(partition, "iam", "", one, "root")
        return one

    found = ((kind, frozenset(name(kind, one) for one in listed(names))) for kind, names in kinds.items())
    return frozenset((kind, names) for kind, names in found if names)


def _condition(value: Any) -> frozenset[tuple[str, str, frozenset[str]]]:
    # Keys that differ only in case are the same key to AWS, so their values are joined.
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
    """The statement's Sid, or None if it has none or an empty one."""
    sid = statement.get("Sid")
    return sid if isinstance(sid, str) and sid else None


def _check_sids(own: Sequence[Statement], owned: Collection[str]) -> None:
    sids = [sid_of(statement) for statement in own]
    for index, sid in enumerate(sids):
        if sid is None or sid not in owned or sid in sids[:index]:
            raise PolicyError(f"policy: own statement {index + 1}: want an owned Sid of its own, got `{sid}`")


def _check_literals(foreign: Sequence[Statement], ours: Statement) -> None:
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
        repeated = next(name for name in names if names.count(name) > 1)
        raise PolicyError(f"policy: want each key once in an object, got `{repeated}` twice")
    return found


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list | tuple) else f"`{value}`"
