"""Who calls: the user of the sandbox, an IAM user with a key of its own, or somebody who has assumed a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .policy_eval import Context

if TYPE_CHECKING:
    from .ask import Ask

USER = "sandbox"


@dataclass
class Session:
    """What STS has given out for an assumed role. *ends* is in the world's own seconds."""

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
        """The name under which the caller acts."""
        return f"arn:{self.role_arn.split(':')[1]}:sts::{self.account}:assumed-role/{self.role}/{self.name}"


@dataclass(frozen=True)
class Caller:
    """Who makes a request. *names* are the other ARNs by which a policy may mean it."""

    account: str
    arn: str
    user_id: str
    names: frozenset[str] = frozenset()
    session: Session | None = None


def account_of(key: str, known: Mapping[str, Session]) -> str | None:
    """The account in which the access key is; None for a key that nobody has made here."""
    from moto.iam.models import iam_backends

    if key in known:
        return known[key].account

    # Moto's own way makes a backend of every partition in every account, once for each request.
    for account, partitions in iam_backends.items():
        if any(key in held.access_keys for held in partitions.values()):
            return account
    return None


def sessions(ask: Ask) -> dict[str, Session]:
    """What STS has given out, by access key."""
    return ask.note("sessions")


def caller(ask: Ask) -> Caller:
    """Who makes the request: found once, for a stale read looks at a world that may not know him yet."""
    if "caller" not in ask.carried:
        ask.carried["caller"] = _find(ask)
    found: Caller = ask.carried["caller"]
    return found


def _find(ask: Ask) -> Caller:
    session = sessions(ask).get(ask.access_key)
    if session is not None:
        identity = f"{session.role_id}:{session.name}"
        return Caller(ask.account, session.arn, identity, frozenset({session.role_arn}), session)
    name = _user_name(ask) or USER
    number = sha256(f"{ask.account}{name}".encode()).hexdigest()[:17].upper()
    return Caller(ask.account, f"arn:{ask.partition}:iam::{ask.account}:user/{name}", f"AIDA{number}")


def _user_name(ask: Ask) -> str | None:
    from moto.iam.models import iam_backends

    held: Any = dict.get(iam_backends, ask.account, {})
    keys = (partition.access_keys.get(ask.access_key) for partition in held.values())
    return next((str(key.user_name) for key in keys if key is not None and key.user_name), None)


def principal_context(ask: Ask, who: Caller) -> Context:
    """What a policy's conditions can know of the caller (IAM User Guide, "global condition context keys")."""
    from .rules.organizations import held_organization, unit_path

    arn = who.session.role_arn if who.session else who.arn
    context: dict[str, str | tuple[str, ...]] = {
        "aws:principalaccount": who.account,
        "aws:principalarn": arn,
        "aws:principaltype": "AssumedRole" if who.session else "User",
        "aws:userid": who.user_id,
        "aws:requestedregion": ask.region,
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": "false",
    }
    if held := held_organization(who.account, ask.partition):
        context["aws:principalorgid"] = held.org.id
        context["aws:principalorgpaths"] = unit_path(held, who.account)
    for key, value in (who.session.tags if who.session else {}).items():
        context[f"aws:principaltag/{key.lower()}"] = value
    return context
