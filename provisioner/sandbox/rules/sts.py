"""STS: which roles can be assumed, by whom, for how long, and when credentials expire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...compare.policy_eval import Act, Context, decide_trust
from ..ask import Request
from ..callers import Caller, Session, caller, principal_context, sessions
from ..denial import expired, unknown
from ..iam import role_by_arn
from ..model import Refused, Response
from ..rule import before, instead
from .organizations import find_organization

_ROLE = re.compile(r"arn:([a-z-]+):iam::(\d{12}):role(/.+)")
_NAME = re.compile(r"[\w+=,.@-]{2,64}")
_CHAINED = 3600  # seconds, if the caller is an assumed role itself


@before("sts.unknown_keys", "*:*", row="13.4 wrong/expired credentials")
def unknown_keys(request: Request) -> None:
    """Credentials of a session that STS has not issued, or with another token, are refused."""
    if not request.access_key.startswith("ASIA"):
        return
    session = sessions(request).get(request.access_key)
    token = request.http.headers.get("X-Amz-Security-Token")
    if not request.known or (session is not None and token != session.token):
        raise unknown(request.protocol)


@before("sts.sessions", "*:*", row="13.4 wrong/expired credentials; 1.1 ExpiredToken")
def sessions_end(request: Request) -> None:
    """Assumed credentials expire, each at its own time, with the error of each protocol."""
    session = sessions(request).get(request.access_key)
    if session is not None and request.world.has_ended(request.access_key, session):
        raise expired(request.protocol)


@before("sts.requests", "AssumeRole", row="moto takes any name and duration")
def requests(request: Request) -> None:
    """A session name has letters, digits and +=,.@- only, and a session lasts from 900 to 43200 seconds."""
    name, seconds = request.params.get("RoleSessionName", ""), _seconds(request)
    bound = ("greater", 900) if seconds < 900 else ("less", 43200)
    how = f"Member must have value {bound[0]} than or equal to {bound[1]}"
    key, value, constraint = "durationSeconds", str(seconds), how
    if not _NAME.fullmatch(name):
        pattern = r"Member must satisfy regular expression pattern: [\w+=,.@-]*"
        key, value, constraint = "roleSessionName", name, pattern
    elif 900 <= seconds <= 43200:
        return
    text = (
        f"1 validation error detected: Value '{value}' at '{key}' failed to satisfy constraint: {constraint}"
    )
    raise Refused("ValidationError", text)


@before("sts.closed_accounts", "AssumeRole", row="11 suspended accounts")
def closed_accounts(request: Request) -> None:
    """A role of a suspended account cannot be assumed."""
    found = _ROLE.fullmatch(request.params.get("RoleArn", ""))
    member = _member(request, found[2]) if found else None
    if member is not None and member.status != "ACTIVE":
        raise _denied(request)


@before("sts.roles_exist", "AssumeRole", row="14.1 role/x: moto takes any role as existing")
def roles_exist(request: Request) -> None:
    """A role that does not exist cannot be assumed; AWS does not give the reason."""
    arn = request.params.get("RoleArn", "")
    found = _ROLE.fullmatch(arn)
    if not found:
        raise Refused("ValidationError", f"{arn} is invalid")
    if found[1] != request.partition or role_by_arn(arn) is None:
        raise _denied(request)


@before("sts.root_users", "AssumeRole", row="IAM User Guide, sts:AssumeRole: not by the root user")
def root_users(request: Request) -> None:
    """The root user of an account cannot assume a role."""
    if caller(request).is_root:
        raise Refused("AccessDenied", "Roles may not be assumed by root accounts.", 403)


@before("sts.trust_policies", "AssumeRole", row="14.1 moto asks no trust policy")
def trust_policies(request: Request) -> None:
    """A role's trust policy must allow the caller, with its session tags and its source identity."""
    role = role_by_arn(request.params.get("RoleArn", ""))
    if role is None:
        return
    who = caller(request)
    context = _trust_context(request, who)
    for action in (f"sts:{name}" for name in assume_role_actions(request.params)):
        if decide_trust(role.trust, Act(action, "", who.arn, context, who.names)) != "allow":
            raise _denied(request, action)


@before("sts.durations", "AssumeRole", row="moto gives any duration; IAM MaxSessionDuration, role chaining")
def durations(request: Request) -> None:
    """A session lasts no longer than its role allows, and an hour if the caller has assumed a role itself."""
    role = role_by_arn(request.params.get("RoleArn", ""))
    seconds = _seconds(request)
    if caller(request).session is not None and seconds > _CHAINED:
        text = "exceeds the 1 hour session limit for roles assumed by role chaining."
        raise Refused("ValidationError", f"The requested DurationSeconds {text}")
    if role is not None and seconds > role.longest:
        text = "exceeds the MaxSessionDuration set for this role."
        raise Refused("ValidationError", f"The requested DurationSeconds {text}")


@instead("sts.sessions", "AssumeRole")
def assume_role(request: Request) -> Response | dict[str, Any]:
    """Return moto's credentials, with the expiration that the world sets."""
    answer = request.moto()
    if answer.status >= 300:
        return answer
    account = request.params["RoleArn"].split(":")[4]
    made = request.store("sts", account).assumed_roles[-1]
    now = request.world.now()
    ends = now + min(_seconds(request), request.world.credentials_lifetime or _seconds(request))
    tags = {tag["Key"]: tag["Value"] for tag in request.params.get("Tags") or []}
    number = made.user_id.partition(":")[0]
    session = Session(account, made.role_arn, number, made.session_name, made.session_token, ends, tags)
    sessions(request)[made.access_key_id] = session
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
def caller_identity(request: Request) -> dict[str, Any]:
    """GetCallerIdentity returns the IAM user, or the assumed role with its session."""
    who = caller(request)
    return {"UserId": who.user_id, "Account": who.account, "Arn": who.arn}


def assume_role_actions(params: Mapping[str, Any]) -> list[str]:
    """The actions that AssumeRole needs: tags and a source identity have actions of their own."""
    extra = {"TagSession": params.get("Tags"), "SetSourceIdentity": params.get("SourceIdentity")}
    return ["AssumeRole", *(name for name, given in extra.items() if given)]


def _seconds(request: Request) -> int:
    return int(request.params.get("DurationSeconds") or 3600)


def _member(request: Request, account: str) -> Any | None:
    """The account, if it is in an organization."""
    held = find_organization(account, request.partition)
    return next((one for one in held.accounts if one.id == account), None) if held is not None else None


def _denied(request: Request, action: str = "sts:AssumeRole") -> Refused:
    arn = request.params.get("RoleArn", "")
    text = f"User: {caller(request).arn} is not authorized to perform: {action} on resource: {arn}"
    return Refused("AccessDenied", text, 403)


def _trust_context(request: Request, who: Caller) -> Context:
    tags = {tag["Key"]: tag["Value"] for tag in request.params.get("Tags") or []}
    context = dict(principal_context(request, who))
    context["sts:rolesessionname"] = request.params.get("RoleSessionName", "")
    if given := request.params.get("ExternalId"):
        context["sts:externalid"] = given
    if given := request.params.get("SourceIdentity"):
        context["sts:sourceidentity"] = given
    if tags:
        context["aws:tagkeys"] = tuple(tags)
    return {**context, **{f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}}
