"""Permissions → the statements of one IAM policy: as few as say exactly the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..compare.policy import VERSION
from ..steps.permission import ANY_ACCOUNT, ANY_REGION, Condition, Permission
from .parts import Part

MANAGED_POLICY: Final = 6144  # characters of a managed policy, white space not counted
_CALLER: Final = "${aws:PrincipalAccount}"

Statement = dict[str, Any]
Policy = dict[str, Any]
_Place = tuple[
    str, str, tuple[str, ...], str, str
]  # title, action, resources, operator and key of the condition


def policy(parts: Iterable[Part], purposes: Iterable[str]) -> Policy:
    """One policy with the permissions that these *purposes* need: diff, verify, apply."""
    asked = set(purposes)
    found = [each.permission for each in parts if each.permission.purposes & asked]
    return {"Version": VERSION, "Statement": list(_titled(_grouped(found)))}


def by_section(parts: Iterable[Part], purposes: Iterable[str]) -> dict[str, Policy]:
    """The same as a policy for each section of the file that needs one, in the order of their names."""
    found: dict[str, list[Part]] = {}
    for each in parts:
        found.setdefault(each.section, []).append(each)
    policies = {section: policy(several, purposes) for section, several in sorted(found.items())}
    return {section: each for section, each in policies.items() if each["Statement"]}


def size(document: Mapping[str, Any]) -> int:
    """The characters that IAM counts: all but white space."""
    return len("".join(json.dumps(document).split()))


def _grouped(permissions: Iterable[Permission]) -> list[tuple[str, list[str], list[str], Condition | None]]:
    """(title, actions, resources, condition): as few as say exactly the same."""
    # One action on the same resources in several Regions is one permission with several values.
    regions: dict[_Place, dict[str, None]] = {}
    for each in permissions:
        operator, key, values = each.condition or ("", "", ())
        place = (each.title, each.action, tuple(sorted(set(each.resources))), operator, key)
        regions.setdefault(place, {}).update(dict.fromkeys(values))
    resources: dict[Any, dict[str, None]] = {}
    for (title, action, on, operator, key), several in regions.items():
        if key and (title, action, on, "", "") in regions:  # what holds anywhere holds here
            continue
        condition = Condition(operator, key, tuple(several)) if key else None
        resources.setdefault((title, action, condition), {}).update(dict.fromkeys(on))
    actions: dict[Any, list[str]] = {}
    for (title, action, condition), held in resources.items():
        actions.setdefault((title, tuple(held), condition), []).append(action)
    return [(title, sorted(names), list(on), condition) for (title, on, condition), names in actions.items()]


def _titled(groups: Iterable[tuple[str, list[str], list[str], Condition | None]]) -> Iterator[Statement]:
    """The statements; where one title has several groups, the later ones are numbered."""
    seen: dict[str, int] = {}
    for title, actions, resources, condition in groups:
        seen[title] = seen.get(title, 0) + 1
        statement: Statement = {
            "Sid": title if seen[title] == 1 else f"{title}{seen[title]}",
            "Effect": "Allow",
            "Action": actions,
            "Resource": _one_or_all([_anywhere(each) for each in resources]),
        }
        if condition is not None:
            values = [_anywhere(each) for each in condition.values]
            statement["Condition"] = {condition.operator: {condition.key: _one_or_all(values)}}
        yield statement


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _anywhere(text: str) -> str:
    """The text with the account that nobody named, and the Region that nobody knows, left open.

    IAM fills in a variable in the last part of an ARN only, so the part for the account becomes `*`. That gives no
    more: what another account has, it would have to give away itself.
    """
    *head, last = text.replace(ANY_REGION, "*").split(":", 5)
    return ":".join([*(part.replace(ANY_ACCOUNT, "*") for part in head), last.replace(ANY_ACCOUNT, _CALLER)])
