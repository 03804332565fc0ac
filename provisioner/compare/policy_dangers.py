"""Statements of others in a policy that defeat the statements of ours beside them.

A statement is tried with sample requests: those that our own statements allow, and those of strangers. Source of what a
request of an AWS service carries: IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from .policy import Document, Statement, listed
from .policy import statements as policy_statements
from .policy_effects import REQUEST
from .policy_eval import Act, applies, as_list, like, overlap
from .policy_strangers import (
    STRANGE_ORGANIZATION,
    STRANGER,
    WHO,
    WHO_AND_WHERE,
    asks_for_organization,
    conditions,
    only_conditions,
    strangers,
    time_context,
)

_NO_KEY: Final = re.compile("(?!)")
ANYTHING: Final = "provision"  # a resource that only a pattern for all means
_WEB_IDENTITY: Final = "sts:AssumeRoleWithWebIdentity"
# By what an identity provider names a user or an application: its own claims, and those of Amazon, Facebook and Google.
_USER_KEYS: Final = (":sub", ":aud", ":oaud", ":azp", ":app_id", ":user_id", ":id")
# The subjects of strangers in GitHub, GitLab and HCP Terraform, where everybody may sign up.
_ANY_SUBJECT: Final = (f"repo:{STRANGER}/*", f"project_path:{STRANGER}/*", f"organization:{STRANGER}:*")
_PATTERNS: Final = ("StringLike", "ArnLike", "ArnEquals")
_ADDS: Final = "s3:PutObject"  # begins the actions by which a service may deliver, and that destroy nothing


@dataclass(frozen=True)
class Protected:
    """What our statements protect: the resource of an ARN, or, where that is empty, a role.

    *friends* are other accounts that may write to it. *writes* are actions that no stranger may have, *reads* those
    that not everybody may have. *headers* are the condition keys of the headers that a service sends, by its principal.
    *organization* finds the id of the account's own: empty if it has none, None if that is not known.
    """

    resource: str
    account: str
    region: str
    writes: Sequence[str]
    reads: Sequence[str] = ()
    friends: Collection[str] = ()
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    organization: Callable[[], str | None] = lambda: None
    partition: str = "aws"


def dangers(
    foreign: Sequence[Statement], own: Sequence[Statement], what: Protected
) -> Iterator[tuple[Statement, str]]:
    """Each statement of *foreign* that defeats *own* or opens what it protects, and how, in words."""
    requests = [act for statement in own for act in _requests(statement, what)]
    for statement in foreign:
        organization = what.organization() if asks_for_organization(statement) else None
        if str(statement.get("Effect", "")).lower() == "deny":
            text = _denial(statement, requests, organization)
        else:
            text = _grant(statement, requests, what, organization)
        if text:
            yield statement, text


def _denial(statement: Statement, requests: Sequence[Act], organization: str | None) -> str:
    """Which requests of services the statement denies, in words."""
    if organization:
        requests = [replace(a, context={"aws:sourceorgid": organization, **a.context}) for a in requests]
    unknown = {"aws:sourceorgpaths", "aws:sourceaccount", "aws:sourcearn"}
    unknown |= {"aws:sourceorgid"} if organization is None else set()
    keys = {key for key, _ in conditions(statement)}
    stopped = [
        act for act in requests if keys.isdisjoint(unknown - act.context.keys()) and _covers(statement, act)
    ]
    who, actions = ((dict.fromkeys(getattr(a, name) for a in stopped)) for name in ("principal", "action"))
    return f"denies {', '.join(who)} `{', '.join(actions)}`, so that it cannot deliver" if stopped else ""


def _grant(statement: Statement, requests: Sequence[Act], what: Protected, organization: str | None) -> str:
    """What the statement allows strangers, in words."""
    paths = [what.resource, f"{what.resource}/AWSLogs/*"] if what.resource else [""]
    resources = dict.fromkeys([*paths, *(act.resource for act in requests)])
    for name, caller, tried, actions in _tries(statement, what, organization):
        for action in actions:
            if any(_covers(tried, replace(caller, action=action, resource=each)) for each in resources):
                return f"allows {name} `{action}`"
    if who := dict.fromkeys(act.principal for act in requests if _covers(statement, _of_a_stranger(act))):
        return (
            f"allows {', '.join(who)} to act for any account, so that the condition of ours protects nothing"
        )
    return "" if what.resource else _web_identities(statement)


def _tries(
    statement: Statement, what: Protected, organization: str | None
) -> Iterator[tuple[str, Act, Statement, Sequence[str]]]:
    """The callers to try the statement with: their names, a request, the statement for them, and what they may not do."""
    owner = {"aws:resourceaccount": what.account, "s3:resourceaccount": what.account}
    callers = [
        (name, replace(act, context={**act.context, **owner}))
        for name, act in strangers(statement, {what.account, *what.friends}, organization, what.partition)
    ]
    for caller in callers:
        yield *caller, only_conditions(statement, WHO), what.writes
    yield *callers[0], only_conditions(statement, WHO_AND_WHERE), what.reads
    destroying = [action for action in what.writes if not action.startswith(_ADDS)]
    for act in _services(statement, what):
        yield f"{act.principal} for any account", act, statement, destroying


def _web_identities(statement: Statement) -> str:
    """The identity provider whose every user may assume the role, in words.

    Source: IAM User Guide, "Configuring a role for GitHub OIDC identity provider": its condition on `sub` is required.
    """
    principal = statement.get("Principal")
    providers = as_list(principal.get("Federated")) if isinstance(principal, Mapping) else []
    narrow = any(
        _names_users(str(operator), str(key).lower(), [str(each) for each in as_list(values)])
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, values in keys.items()
    )
    web = [str(each) for each in providers if ":saml-provider/" not in str(each)]
    return f"allows everybody whom `{web[0]}` knows `{_WEB_IDENTITY}`" if web and not narrow else ""


def _names_users(operator: str, key: str, values: Sequence[str]) -> bool:
    """Whether the condition lets in some users or applications of an identity provider, and not all."""
    fixed = not any(
        not value.strip("*?")
        or value == "sts.amazonaws.com"
        or any(overlap(value, each) for each in _ANY_SUBJECT)
        for value in values
    )
    return key.endswith(_USER_KEYS) and fixed and bool(values) and not re.search("not|null", operator.lower())


def _covers(statement: Statement, act: Act, *, identity: bool = False) -> bool:
    """Whether the statement covers the act on something that the pattern of its resource means, or on a role.

    *identity*: it is of a policy of an identity, which names no principal.
    """
    others = as_list(statement.get("NotResource"))
    covered = [overlap(str(each), act.resource) for each in as_list(statement.get("Resource"))]
    if others:
        covered = [not any(like(str(each), act.resource) for each in others)]
    return (any(covered) or not act.resource) and applies(statement, act, identity=identity, trust=True)


def first_allowed(document: Document, actions: Iterable[str], resource: str = "*") -> str:
    """The first of the actions that an identity policy allows on some resource of the pattern; empty if there is none.

    A condition of an Allow does not count, as it may come true.
    """
    every = policy_statements(document)
    allows = [only_conditions(each, _NO_KEY) for each in every if _allows(each)]
    denies = [each for each in every if not _allows(each)]
    for act in (Act(action, resource, STRANGER) for action in actions):
        denied = any(applies(each, replace(act, resource=ANYTHING), identity=True) for each in denies)
        if not denied and any(_covers(each, act, identity=True) for each in allows):
            return act.action
    return ""


def first_denied(document: Document, own: Document) -> str:
    """The first action of the policy *own* that another policy of the same identity denies; empty if there is none."""
    acts = [
        Act(action, resource, STRANGER, {**REQUEST, **time_context(), **_context(statement)})
        for statement in policy_statements(own)
        for action in listed(statement.get("Action"))
        for resource in listed(statement.get("Resource"))
    ]
    denials = [each for each in policy_statements(document) if not _allows(each)]
    return next((a.action for a in acts if any(_covers(each, a, identity=True) for each in denials)), "")


def _allows(statement: Statement) -> bool:
    return str(statement.get("Effect", "")).lower() == "allow"


def _requests(statement: Statement, what: Protected) -> Iterator[Act]:
    """A sample of each request that a statement of ours allows an AWS service, with the pattern of its resource."""
    if statement.get("Effect") != "Allow":
        return
    context = _context(statement)
    for service in _service_principals(statement):
        for action in listed(statement.get("Action")):
            for resource in listed(statement.get("Resource")) or [""]:
                known = {**what.headers.get(service, {}), **_complete(context, service, what)}
                yield Act(action, resource, service, known)


def _service_principals(statement: Statement) -> list[str]:
    principal = statement.get("Principal")
    return listed(principal.get("Service")) if isinstance(principal, Mapping) else []


def _services(statement: Statement, what: Protected) -> Iterator[Act]:
    """The services that the statement names, each as it acts for a stranger."""
    for service in _service_principals(statement) if what.resource else ():
        yield _of_a_stranger(Act("", "", service, _complete({}, service, what)))


def _context(statement: Statement) -> dict[str, str]:
    """The condition keys that the statement asks for, each with a value that it takes.

    Where it asks for a pattern, that is another of the values that the pattern means, such as the ARN of the trail.
    """
    asked = statement.get("Condition") or {}
    exact = {str(k).lower(): listed(v)[0] for k, v in (asked.get("StringEquals") or {}).items()}
    patterns = {str(k).lower(): listed(v)[0] for op in _PATTERNS for k, v in (asked.get(op) or {}).items()}
    known = [*exact.values()]
    found = {
        key: next((each for each in known if like(pattern, each)), pattern.replace("*", ANYTHING))
        for key, pattern in patterns.items()
    }
    return {**found, **exact}


def _complete(asked: Mapping[str, str], service: str, what: Protected) -> dict[str, str | tuple[str, ...]]:
    """The condition context of a request of *service*: what we know of it, and what every such request carries."""
    source = asked.get("aws:sourcearn", "")
    account = asked.get("aws:sourceaccount") or (source.split(":")[4] if source else "")
    found: dict[str, str | tuple[str, ...]] = {
        **REQUEST,
        "aws:principalisawsservice": "true",
        "aws:principalservicename": service,
        "aws:principalservicenameslist": (service,),
        "aws:requestedregion": what.region,
        "aws:resourceaccount": what.account,
        "s3:resourceaccount": what.account,
        "aws:viaawsservice": "false",
        **time_context(),
        **asked,
    }
    if account:
        name = service.partition(".")[0]
        found["aws:sourceaccount"] = account
        found["aws:sourcearn"] = source or f"arn:{what.partition}:{name}:{what.region}:{account}:provision"
    return found


def _of_a_stranger(act: Act) -> Act:
    """The same request of the service, for an account that is not ours."""
    context = {key: value for key, value in act.context.items() if not key.startswith("aws:source")}
    parts = str(act.context.get("aws:sourcearn", ":::::")).split(":", 5)
    context["aws:sourcearn"] = ":".join([*parts[:4], STRANGER, parts[5]])
    strange = {"aws:sourceaccount": STRANGER, "aws:sourceorgid": STRANGE_ORGANIZATION}
    return replace(act, context={**context, **strange})
