"""Identify the caller of a request: the sandbox's default user, an IAM user, an assumed role, or an account's root user.

The access key of a root user is `ROOT` with the id of the account: `AWS_ACCESS_KEY_ID=ROOT123456789012`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..compare.policy_eval import Context

if TYPE_CHECKING:
    from .ask import Request

USER = "sandbox"
_ROOT_KEY = re.compile(r"ROOT(\d{12})")


@dataclass
class Session:
    """Credentials of an assumed role. *ends* is in the sandbox's own seconds."""

    account: str
    role_arn: str
    role_id: str
    name: str
    token: str
    ends: float
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """The role's name, without its path."""
        return self.role_arn.rpartition("/")[2]

    @property
    def arn(self) -> str:
        """The ARN of the assumed-role session."""
        return f"arn:{self.role_arn.split(':')[1]}:sts::{self.account}:assumed-role/{self.role}/{self.name}"


@dataclass(frozen=True)
class Caller:
    """The caller of a request. *names* are other ARNs by which a policy can name it."""

    account: str
    arn: str
    user_id: str
    names: frozenset[str] = frozenset()
    session: Session | None = None

    @property
    def is_root(self) -> bool:
        """Whether the caller is the root user of its account."""
        return self.arn.endswith(":root")

    @property
    def kind(self) -> str:
        """The value of the condition key aws:PrincipalType."""
        return "Account" if self.is_root else "AssumedRole" if self.session else "User"


def account_of(key: str, known: Mapping[str, Session]) -> str | None:
    """The account of an access key; None for a key that was not created here."""
    from moto.iam.models import iam_backends

    if key in known:
        return known[key].account
    if root := _ROOT_KEY.fullmatch(key):
        return root[1]

    # Moto's own lookup would create a backend of every partition in every account, for each request.
    for account, partitions in iam_backends.items():
        if any(key in held.access_keys for held in partitions.values()):
            return account
    return None


def sessions(request: Request) -> dict[str, Session]:
    """The sessions that STS has issued, by access key."""
    return request.saved("sessions")


def caller(request: Request) -> Caller:
    """The caller of the request, kept in it: a stale read uses a state in which the session may not exist yet."""
    if "caller" not in request.scratch:
        request.scratch["caller"] = _find(request)
    found: Caller = request.scratch["caller"]
    return found


def _find(request: Request) -> Caller:
    session = sessions(request).get(request.access_key)
    if session is not None:
        identity = f"{session.role_id}:{session.name}"
        return Caller(request.account, session.arn, identity, frozenset({session.role_arn}), session)
    if _ROOT_KEY.fullmatch(request.access_key):
        return Caller(
            request.account, f"arn:{request.partition}:iam::{request.account}:root", request.account
        )
    name = _user_name(request) or USER
    number = sha256(f"{request.account}{name}".encode()).hexdigest()[:17].upper()
    return Caller(
        request.account, f"arn:{request.partition}:iam::{request.account}:user/{name}", f"AIDA{number}"
    )


def _user_name(request: Request) -> str | None:
    from moto.iam.models import iam_backends

    held: Any = dict.get(iam_backends, request.account, {})
    keys = (partition.access_keys.get(request.access_key) for partition in held.values())
    return next((str(key.user_name) for key in keys if key is not None and key.user_name), None)


def principal_context(request: Request, who: Caller) -> Context:
    """Condition keys and values of the caller (IAM User Guide, "global condition context keys")."""
    from .rules.organizations import find_organization, unit_path

    arn = who.session.role_arn if who.session else who.arn
    context: dict[str, str | tuple[str, ...]] = {
        "aws:principalaccount": who.account,
        "aws:principalarn": arn,
        "aws:principaltype": who.kind,
        "aws:userid": who.user_id,
        "aws:requestedregion": request.region,
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": "false",
    }
    if held := find_organization(who.account, request.partition):
        context["aws:principalorgid"] = held.org.id
        context["aws:principalorgpaths"] = unit_path(held, who.account)
    for key, value in (who.session.tags if who.session else {}).items():
        context[f"aws:principaltag/{key.lower()}"] = value
    return context
