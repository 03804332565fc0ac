"""Statements of others in a policy that defeat the statements of ours beside them.

A statement is tried with sample requests: those that our own statements allow, and those of strangers. Source of what a
request of an AWS service carries: IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from .policy import Statement, listed
from .policy_eval import Act, applies, as_list, decide_identity

_STRANGER: Final = "000000000000"  # no account has this id


def dangers(
    foreign: Sequence[Statement],
    own: Sequence[Statement],
    *,
    resource: str,
    account: str,
    region: str,
    friends: Collection[str],
    headers: Mapping[str, Mapping[str, str]],
    writes: Sequence[str],
    reads: Sequence[str],
) -> Iterator[tuple[Statement, str]]:
    """Each statement of *foreign* that defeats *own* or opens *resource*, and how, in words.

    *resource* is an ARN, and what is in the resource has an ARN below it. *account* is its account, and *friends* are
    others that may write to it. *writes* are actions that no other account may have, *reads* those that not everybody may
    have. *headers* are the condition keys of
    the headers that a service sends, by its principal.
    """
    requests = [
        replace(act, context={**headers.get(act.principal, {}), **act.context})
        for statement in own
        for act in _requests(statement, region)
    ]
    for statement in foreign:
        if str(statement.get("Effect", "")).lower() == "deny":
            stopped = [act for act in requests if _is_known(statement, act) and applies(statement, act)]
            if stopped:
                who = ", ".join(dict.fromkeys(act.principal for act in stopped))
                what = ", ".join(dict.fromkeys(act.action for act in stopped))
                yield statement, f"denies {who} `{what}`, so that it cannot deliver"
            continue
        open_to = [act.principal for act in requests if applies(statement, _of_a_stranger(act))]
        if open_to:
            who = ", ".join(dict.fromkeys(open_to))
            yield (
                statement,
                f"allows {who} to write for any account, so that the condition of ours protects nothing",
            )
        elif text := _strangers(statement, resource, {account, *friends}, writes, reads):
            yield statement, text


def trust_dangers(foreign: Sequence[Statement], account: str) -> Iterator[tuple[Statement, str]]:
    """Each foreign statement of a role's trust policy that lets a stranger assume the role, and whom, in words."""
    anybody = Act("sts:AssumeRole", "", _STRANGER)
    for statement in foreign:
        if str(statement.get("Effect", "")).lower() != "allow":
            continue
        if applies(statement, anybody, trust=True):
            yield statement, "allows everybody to assume the role"
            continue
        for name in _named_accounts(statement):
            if name != account:
                yield statement, f"allows account {name} to assume the role"
                break


def first_allowed(document: Mapping[str, Any], actions: Iterable[str]) -> str:
    """The first of the actions that an identity policy allows on any resource; empty if there is none."""
    acts = (Act(action, "provision", _STRANGER) for action in actions)
    return next((act.action for act in acts if decide_identity([document], act) == "allow"), "")


def _named_accounts(statement: Statement) -> Iterator[str]:
    """The accounts of the AWS principals of a statement."""
    principal = statement.get("Principal")
    for name in as_list(principal.get("AWS")) if isinstance(principal, Mapping) else []:
        account = str(name).split(":")[4] if str(name).count(":") >= 5 else str(name)
        if len(account) == 12 and account.isdigit():
            yield account


def _requests(statement: Statement, region: str) -> Iterator[Act]:
    """A sample of each request that a statement of ours allows an AWS service."""
    principal = statement.get("Principal")
    services = listed(principal.get("Service")) if isinstance(principal, Mapping) else []
    if statement.get("Effect") != "Allow":
        return
    context = _context(statement)
    for service in services:
        for action in listed(statement.get("Action")):
            for resource in listed(statement.get("Resource")):
                known = _complete(context, service, resource.split(":")[1], region)
                yield Act(action, resource.replace("*", "provision"), service, known)


def _context(statement: Statement) -> dict[str, str]:
    """The condition keys that the statement asks for, with the first value of each."""
    keys = (statement.get("Condition") or {}).get("StringEquals") or {}
    return {str(key).lower(): listed(values)[0] for key, values in keys.items()}


def _complete(context: Mapping[str, str], service: str, partition: str, region: str) -> dict[str, str]:
    """The condition context of a request of *service*: what we know of it, and what every such request carries."""
    source = context.get("aws:sourcearn", "")
    account = context.get("aws:sourceaccount") or (source.split(":")[4] if source else "")
    found = {
        "aws:securetransport": "true",
        "aws:principalisawsservice": "true",
        "aws:principalservicename": service,
        "aws:requestedregion": region,
        "aws:viaawsservice": "false",
        **context,
    }
    if account:
        found["aws:sourceaccount"] = account
        found["aws:sourcearn"] = (
            source or f"arn:{partition}:{service.partition('.')[0]}:{region}:{account}:provision"
        )
    return found


def _is_known(statement: Statement, act: Act) -> bool:
    """Whether all is known of the request that the statement's conditions ask for: its source's organization may not be."""
    keys = {str(key).lower() for each in (statement.get("Condition") or {}).values() for key in each}
    unknown = {
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
    } - act.context.keys()
    return keys.isdisjoint(unknown)


def _of_a_stranger(act: Act) -> Act:
    """The same request of the service, for an account that is not ours."""
    context = {key: value for key, value in act.context.items() if not key.startswith("aws:source")}
    parts = str(act.context.get("aws:sourcearn", ":::::")).split(":", 5)
    context["aws:sourcearn"] = ":".join([*parts[:4], _STRANGER, parts[5]])
    return replace(
        act, context={**context, "aws:sourceaccount": _STRANGER, "aws:sourceorgid": "o-stranger00"}
    )


def _strangers(
    statement: Statement, resource: str, known: Collection[str], writes: Sequence[str], reads: Sequence[str]
) -> str:
    """What the statement allows principals of unknown accounts, in words; empty where that is nothing bad."""
    anybody = Act("", "", _STRANGER)
    if found := _allowed(statement, anybody, resource, (*writes, *reads)):
        return f"allows everybody `{found}`"
    for account in _named_accounts(statement):
        # The statement may name the account, its root or one of its roles: as a bare account it is asked for all.
        named = Act("", "", account, names=frozenset(map(str, as_list(statement["Principal"]["AWS"]))))
        if account not in known and (found := _allowed(statement, named, resource, writes)):
            return f"allows account {account} `{found}`"
    return ""


def _allowed(statement: Statement, act: Act, resource: str, actions: Sequence[str]) -> str:
    """The first of the actions that the statement allows, on the resource or on what is in it."""
    context: dict[str, Any] = {"aws:securetransport": "true", "aws:principalisawsservice": "false"}
    for action in actions:
        for name in (resource, f"{resource}/AWSLogs/provision"):
            if applies(statement, replace(act, action=action, resource=name, context=context)):
                return action
    return ""
