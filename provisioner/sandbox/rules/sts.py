"""STS: which roles can be assumed, by whom, for how long, and when that ends.

Roles of accounts outside the organization are taken as existing and willing, unless they really are there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from ..ask import Ask
from ..callers import Caller, Session, caller, principal_context, sessions
from ..denial import expired, unknown
from ..iam import role_by_arn
from ..policy_eval import Act, Context, decide_trust
from ..rule import before, instead
from ..words import Answer, Refused
from .organizations import held_organization

_ROLE = re.compile(r"arn:([a-z-]+):iam::(\d{12}):role(/.+)")
_NAME = re.compile(r"[\w+=,.@-]{2,64}")
_CHAINED = 3600  # seconds, for who is an assumed role already


@before("sts.unknown_keys", "*:*", row="13.4 wrong/expired credentials")
def unknown_keys(ask: Ask) -> None:
    """A session that STS has not given out, or without its own token, is not let in."""
    if not ask.access_key.startswith("ASIA"):
        return
    session = sessions(ask).get(ask.access_key)
    token = ask.request.headers.get("X-Amz-Security-Token")
    if not ask.known or (session is not None and token != session.token):
        raise unknown(ask.protocol)


@before("sts.sessions", "*:*", row="13.4 wrong/expired credentials; 1.1 ExpiredToken")
def sessions_end(ask: Ask) -> None:
    """Assumed credentials end, each at its own time, and say so in the form of each protocol."""
    session = sessions(ask).get(ask.access_key)
    if session is not None and ask.world.has_ended(ask.access_key, session):
        raise expired(ask.protocol)


@before("sts.requests", "AssumeRole", row="moto takes any name and duration")
def requests(ask: Ask) -> None:
    """A session's name is of letters, digits and +=,.@-, and it lasts from 900 to 43200 seconds."""
    name, seconds = ask.params.get("RoleSessionName", ""), _seconds(ask)
    bound = ("greater", 900) if seconds < 900 else ("less", 43200)
    how = f"Member must have value {bound[0]} than or equal to {bound[1]}"
    wrong = ("durationSeconds", str(seconds), how)
    if not _NAME.fullmatch(name):
        wrong = ("roleSessionName", name, r"Member must satisfy regular expression pattern: [\w+=,.@-]*")
    elif 900 <= seconds <= 43200:
        return
    key, value, constraint = wrong
    text = (
        f"1 validation error detected: Value '{value}' at '{key}' failed to satisfy constraint: {constraint}"
    )
    raise Refused("ValidationError", text)


@before("sts.closed_accounts", "AssumeRole", row="11 suspended accounts")
def closed_accounts(ask: Ask) -> None:
    """No role of a suspended account can be assumed."""
    found = _ROLE.fullmatch(ask.params.get("RoleArn", ""))
    member = _member(ask, found[2]) if found else None
    if member is not None and member.status != "ACTIVE":
        raise _denied(ask)


@before("sts.roles_exist", "AssumeRole", row="14.1 role/x: moto takes any role as existing")
def roles_exist(ask: Ask) -> None:
    """A role that is not there cannot be assumed, and AWS does not say why."""
    arn = ask.params.get("RoleArn", "")
    found = _ROLE.fullmatch(arn)
    if not found:
        raise Refused("ValidationError", f"{arn} is invalid")
    held = _member(ask, found[2]) is not None
    if found[1] != ask.partition or (held and role_by_arn(arn) is None):
        raise _denied(ask)


@before("sts.trust_policies", "AssumeRole", row="14.1 moto asks no trust policy")
def trust_policies(ask: Ask) -> None:
    """A role's trust policy must let the caller in, with its session tags and its source identity."""
    role = role_by_arn(ask.params.get("RoleArn", ""))
    if role is None:
        return
    who = caller(ask)
    wanted = ["sts:AssumeRole"]
    wanted += ["sts:TagSession"] if ask.params.get("Tags") else []
    wanted += ["sts:SetSourceIdentity"] if ask.params.get("SourceIdentity") else []
    context = _trust_context(ask, who)
    for action in wanted:
        if decide_trust(role.trust, Act(action, "", who.arn, context, who.names)) != "allow":
            raise _denied(ask, action)


@before("sts.durations", "AssumeRole", row="moto gives any duration; IAM MaxSessionDuration, role chaining")
def durations(ask: Ask) -> None:
    """A session lasts no longer than its role allows, and an hour where the caller has assumed a role itself."""
    role = role_by_arn(ask.params.get("RoleArn", ""))
    seconds = _seconds(ask)
    if caller(ask).session is not None and seconds > _CHAINED:
        text = "exceeds the 1 hour session limit for roles assumed by role chaining."
        raise Refused("ValidationError", f"The requested DurationSeconds {text}")
    if role is not None and seconds > role.longest:
        text = "exceeds the MaxSessionDuration set for this role."
        raise Refused("ValidationError", f"The requested DurationSeconds {text}")


@instead("sts.sessions", "AssumeRole")
def assume_role(ask: Ask) -> Answer | dict[str, Any]:
    """What moto gives out, with the end that the world sets."""
    answer = ask.moto()
    if answer.status >= 300:
        return answer
    account = ask.params["RoleArn"].split(":")[4]
    made = ask.store("sts", account).assumed_roles[-1]
    now = ask.world.now()
    ends = now + min(_seconds(ask), ask.world.credentials_lifetime or _seconds(ask))
    tags = {tag["Key"]: tag["Value"] for tag in ask.params.get("Tags") or []}
    number = made.user_id.partition(":")[0]
    session = Session(account, made.role_arn, number, made.session_name, made.session_token, ends, tags)
    sessions(ask)[made.access_key_id] = session
    return {
        "Credentials": {
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "SessionToken": session.token,
            "Expiration": datetime.fromtimestamp(ends, UTC),
        },
        "AssumedRoleUser": {"AssumedRoleId": f"{number}:{session.name}", "Arn": session.arn},
    }


@instead("sts.caller_identity", "GetCallerIdentity", row="moto names sts::…:user/moto")
def caller_identity(ask: Ask) -> dict[str, Any]:
    """GetCallerIdentity names the IAM user, or the assumed role with its session."""
    who = caller(ask)
    return {"UserId": who.user_id, "Account": who.account, "Arn": who.arn}


def _seconds(ask: Ask) -> int:
    return int(ask.params.get("DurationSeconds") or 3600)


def _member(ask: Ask, account: str) -> Any | None:
    """The account, where it is one of an organization."""
    held = held_organization(account, ask.partition)
    return next((one for one in held.accounts if one.id == account), None) if held is not None else None


def _denied(ask: Ask, action: str = "sts:AssumeRole") -> Refused:
    arn = ask.params.get("RoleArn", "")
    text = f"User: {caller(ask).arn} is not authorized to perform: {action} on resource: {arn}"
    return Refused("AccessDenied", text, 403)


def _trust_context(ask: Ask, who: Caller) -> Context:
    tags = {tag["Key"]: tag["Value"] for tag in ask.params.get("Tags") or []}
    context = dict(principal_context(ask, who))
    context["sts:rolesessionname"] = ask.params.get("RoleSessionName", "")
    if given := ask.params.get("ExternalId"):
        context["sts:externalid"] = given
    if given := ask.params.get("SourceIdentity"):
        context["sts:sourceidentity"] = given
    if tags:
        context["aws:tagkeys"] = tuple(tags)
    return {**context, **{f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}}
