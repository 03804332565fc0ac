"""Roles as the other services see them: whom they trust, what they may do, which AWS made itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

from .policy_eval import many
from .rules.organizations import held_organization
from .seed import CLOSED, MANAGEMENT, MEMBERS

_PRINCIPAL_ARN = re.compile(r"arn:[a-z0-9-]+:(iam|sts)::(\d{12}):(.+)")

# What follows AWSServiceRoleFor, by service principal; AWS compares the case. Each service folder adds its own.
LINKED = {
    "organizations.amazonaws.com": "Organizations",
    "sso.amazonaws.com": "SSO",
    "support.amazonaws.com": "Support",
    "trustedadvisor.amazonaws.com": "TrustedAdvisor",
}
# AWS's own policies that a baseline attaches, by name: moto's file of all of them takes seconds to read.
MANAGED: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class HeldRole:
    """A role, with its policies as documents."""

    name: str
    path: str
    trust: dict[str, Any]
    documents: tuple[dict[str, Any], ...]
    longest: int = 3600  # seconds of a session

    def trusts(self, service: str) -> bool:
        """The service may assume the role."""
        return any(
            s.get("Effect") == "Allow" and service in many((s.get("Principal") or {}).get("Service"))
            for s in many(self.trust.get("Statement"))
            if isinstance(s.get("Principal"), dict)
        )


def role_by_arn(arn: str) -> HeldRole | None:
    """The role of that ARN, in whichever account; None where it is not there."""
    found = re.fullmatch(r"arn:([a-z-]+):iam::(\d{12}):role(/.*)", arn or "")
    if not found:
        return None
    partition, account, path = found.groups()
    held = _held(account, partition)
    role = next((r for r in held.roles.values() if r.path + r.name == path), None)
    if role is None:
        return None
    inline = [_document(text) for text in role.policies.values()]
    attached = [_document(_default(policy)) for policy in role.managed_policies.values()]
    trust = _document(role.assume_role_policy_document)
    return HeldRole(role.name, role.path, trust, (*inline, *attached), int(role.max_session_duration or 3600))


def _default(policy: Any) -> Any:
    """The text of the version of a managed policy that counts."""
    return next(v.document for v in policy.versions if v.version_id == policy.default_version_id)


def _held(account: str, partition: str) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[account][partition]


def _document(text: Any) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    try:
        read = json.loads(text)
    except ValueError:
        read = json.loads(unquote(text))
    return read if isinstance(read, dict) else {}


def linked_name(principal: str, suffix: str = "") -> str:
    """The name of a service's own role."""
    return f"AWSServiceRoleFor{LINKED[principal]}" + (f"_{suffix}" if suffix else "")


def service_linked(account: str, partition: str, principal: str) -> None:
    """The account has the service's own role."""
    held = _held(account, partition)
    if not any(role.name == linked_name(principal) for role in held.roles.values()):
        with patch.dict("moto.iam.models.SERVICE_NAME_CONVERSION", conversion()):
            held.create_service_linked_role(principal, "", "")


def conversion() -> dict[str, str]:
    """What moto must call the services so that their roles have AWS's names."""
    return {principal.split(".")[-3]: name for principal, name in LINKED.items()}


def principal_id(name: str) -> str | None:
    """What AWS knows a principal by: a role's unique id, else the name itself; None if there is none.

    Only accounts that the sandbox holds can be looked into; a stranger's role is taken as existing.
    """
    if re.fullmatch(r"\d{12}|(AROA|AIDA)[A-Z0-9]+", name):
        return name
    if not (parts := _PRINCIPAL_ARN.fullmatch(name)):
        return None
    service, account, resource = parts.groups()
    partition = name.split(":")[1]
    ours = account in {MANAGEMENT, *MEMBERS, CLOSED[0]} or held_organization(account, partition) is not None
    if resource == "root" or service == "sts" or not ours:
        return name
    held = _held(account, partition)
    kind, _, path = resource.partition("/")
    plain = path.rpartition("/")[2]
    if kind == "role":
        return next((str(role.id) for role in held.roles.values() if role.name == plain), None)
    return name if kind == "user" and plain in held.users else None
