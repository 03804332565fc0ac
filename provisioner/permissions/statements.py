"""Merges permissions into the smallest number of IAM statements that allow exactly the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..compare.policy import VERSION
from ..steps.permission import ANY_ACCOUNT, ANY_REGION, Condition, Permission
from .parts import Part

MANAGED_POLICY: Final = 6144  # characters of a managed policy, white space not counted
_CALLER: Final = "${aws:PrincipalAccount}"

Statement = dict[str, Any]
Policy = dict[str, Any]
_Group = tuple[str, list[str], list[str], Condition | None]  # title, actions, resources, condition


def policy(parts: Iterable[Part], purposes: Iterable[str]) -> Policy:
    """Return one policy with the permissions that these *purposes* (diff, verify, fire, apply) need."""
    needing = frozenset(purposes)
    permissions = [each.permission for each in parts if each.permission.purposes & needing]
    return {"Version": VERSION, "Statement": list(_statements(_grouped(permissions)))}


def by_section(parts: Iterable[Part], purposes: Iterable[str]) -> dict[str, Policy]:
    """Return a policy for each section of the file that needs one, sorted by name."""
    by_name: dict[str, list[Part]] = {}
    for each in parts:
        by_name.setdefault(each.section, []).append(each)
    policies = {section: policy(found, purposes) for section, found in sorted(by_name.items())}
    return {section: each for section, each in policies.items() if each["Statement"]}


def size(document: Mapping[str, Any]) -> int:
    """Return the number of characters as IAM counts them: all but white space."""
    return len("".join(json.dumps(document).split()))


def _grouped(permissions: Iterable[Permission]) -> list[_Group]:
    """Merge permissions that differ only in the condition's values, then in resources, then in the action."""
    # One action on the same resources in several Regions is one permission whose condition has several values.
    values: dict[tuple[str, str, tuple[str, ...], str, str], dict[str, None]] = {}
    for each in permissions:
        operator, key, allowed = each.condition or ("", "", ())
        group = (each.title, each.action, tuple(sorted(set(each.resources))), operator, key)
        values.setdefault(group, {}).update(dict.fromkeys(allowed))
    resources: dict[tuple[str, str, Condition | None], dict[str, None]] = {}
    for (title, action, on, operator, key), several in values.items():
        if key and (title, action, on, "", "") in values:  # allowed without the condition, too
            continue
        condition = Condition(operator, key, tuple(several)) if key else None
        resources.setdefault((title, action, condition), {}).update(dict.fromkeys(on))
    actions: dict[tuple[str, tuple[str, ...], Condition | None], list[str]] = {}
    for (title, action, condition), merged in resources.items():
        actions.setdefault((title, tuple(merged), condition), []).append(action)
    return [(title, sorted(names), list(on), condition) for (title, on, condition), names in actions.items()]


def _statements(groups: Iterable[_Group]) -> Iterator[Statement]:
    """Yield a statement for each group. Where a title has several groups, the later ones are numbered."""
    count: Counter[str] = Counter()
    for title, actions, resources, condition in groups:
        count[title] += 1
        statement: Statement = {
            "Sid": title if count[title] == 1 else f"{title}{count[title]}",
            "Effect": "Allow",
            "Action": actions,
            "Resource": _one_or_list(resources),
        }
        if condition is not None:
            statement["Condition"] = {condition.operator: {condition.key: _one_or_list(condition.values)}}
        yield statement


def _one_or_list(texts: Iterable[str]) -> str | list[str]:
    """Return the texts without stand-ins: in a list, unless there is only one."""
    found = [_without_stand_ins(each) for each in texts]
    return found[0] if len(found) == 1 else found


def _without_stand_ins(text: str) -> str:
    """Replace ANY_REGION by `*`, and ANY_ACCOUNT by IAM's variable for the caller's account, or by `*`.

    IAM replaces variables in the last part of an ARN only, so the account in an ARN becomes `*`. That allows nothing more:
    access to a resource of another account needs that account's permission, too.
    """
    *head, last = text.replace(ANY_REGION, "*").split(":", 5)
    return ":".join([*(part.replace(ANY_ACCOUNT, "*") for part in head), last.replace(ANY_ACCOUNT, _CALLER)])
