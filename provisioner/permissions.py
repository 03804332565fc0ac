"""The least that a caller must be allowed so that one file can be compared, proven or applied: an IAM policy.

What each step calls is declared beside it (`steps/*_permissions.py`); here the declarations become statements.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from .baseline import Baseline
from .model import Scope, Step, Target
from .policy import VERSION
from .steps.cloudtrail_section import Trail
from .steps.config_section import Config
from .steps.permission import ANY_ACCOUNT, DECLARED, Condition, Permission

MANAGED_POLICY: Final = 6144  # characters of a managed policy, white space not counted
INLINE_POLICIES: Final = 10_240  # of all policies inside one role
_CALLER: Final = "${aws:PrincipalAccount}"

Statement = dict[str, Any]


def policy(
    steps: Iterable[Step],
    targets: Mapping[Scope, list[Target]],
    baseline: Baseline,
    purposes: Iterable[str],
) -> dict[str, Any]:
    """The policy that lets *steps* run in *targets* for these *purposes*: diff, verify, apply.

    Raises BaselineError where the baseline is wrong for an account, such as a bucket's name that gets too long.
    """
    asked = set(purposes)
    found = [
        each
        for step in steps
        for target in targets[step.scope]
        for each in DECLARED[step.name](target, _filled(baseline, target))
        if each.purposes & asked
    ]
    return {"Version": VERSION, "Statement": list(_titled(_grouped(found)))}


def size(document: Mapping[str, Any]) -> int:
    """The characters that IAM counts: all but white space."""
    return len("".join(json.dumps(document).split()))


def notes(
    document: Mapping[str, Any], baseline: Baseline, account: str, purposes: Iterable[str]
) -> list[str]:
    """What the reader of the policy should know beside it."""
    said = [
        "iam:ListAccountAliases is left out: with it the account's alias is shown, and nothing else needs it"
    ]
    if account == ANY_ACCOUNT:
        said.append(
            "no account was named, so the policy fits any, the one it is attached in: narrow it with"
            " --account, or with one entry in `allowed_account_ids`"
        )
    characters = size(document)
    if characters > MANAGED_POLICY:
        said.append(
            f"the policy has {characters} characters, a managed policy takes {MANAGED_POLICY}: put its statements into"
            f" two, or inside the role, which takes {INLINE_POLICIES}"
        )
    if "apply" not in purposes:
        return said
    if Config in baseline and baseline[Config].role_name:
        said.append(
            f"who may write the policies of role {baseline[Config].role_name} can give it any power: leave `config.role_name`"
            " out, and AWS Config records with its own role, which nobody writes"
        )
    if Trail in baseline and baseline[Trail].is_organization_trail:
        said.append(
            "an organization trail is made in the management account, or by a delegated administrator"
        )
    return said


def _filled(baseline: Baseline, target: Target) -> Baseline:
    return baseline.at(account_id=target.account, region=target.region, partition=target.partition)


def _grouped(permissions: Iterable[Permission]) -> list[tuple[str, list[str], list[str], Condition | None]]:
    """(title, actions, resources, condition): as few as say exactly the same."""
    # One action on the same resources in several Regions is one permission with several values.
    regions: dict[Any, dict[str, None]] = {}
    for each in permissions:
        operator, key, values = each.condition or ("", "", ())
        place = (each.title, each.action, tuple(sorted(set(each.resources))), operator, key)
        regions.setdefault(place, {}).update(dict.fromkeys(values))
    resources: dict[Any, dict[str, None]] = {}
    for (title, action, on, operator, key), several in regions.items():
        condition = Condition(operator, key, tuple(several)) if key else None
        resources.setdefault((title, action, condition), {}).update(dict.fromkeys(on))
    actions: dict[Any, list[str]] = {}
    for (title, action, condition), held in resources.items():
        actions.setdefault((title, tuple(held), condition), []).append(action)
    return [(title, sorted(names), list(on), condition) for (title, on, condition), names in actions.items()]


def _titled(groups: Iterable[tuple[str, list[str], list[str], Condition | None]]) -> Iterable[Statement]:
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
    """The text with the account that nobody named left open.

    IAM fills in a variable in the last part of an ARN only, so the part for the account becomes `*`. That gives no
    more: what another account has, it would have to give away itself.
    """
    *head, last = text.split(":", 5)
    return ":".join([*(part.replace(ANY_ACCOUNT, "*") for part in head), last.replace(ANY_ACCOUNT, _CALLER)])
