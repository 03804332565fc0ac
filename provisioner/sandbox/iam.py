"""Roles and principals in moto's IAM, for the rules of every service."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

from ..compare.policy_eval import as_list
from .policy_text import CLOUDFRONT_USER
from .rules.organizations import find_organization
from .seed import CLOSED, MANAGEMENT, MEMBERS

_CLOUDFRONT_ARN = re.compile(rf"arn:[a-z0-9-]+:iam::cloudfront:user/{CLOUDFRONT_USER}E[A-Z0-9]+")
_PRINCIPAL_ARN = re.compile(r"arn:[a-z0-9-]+:(iam|sts)::(\d{12}):(.+)")

# Service principal -> the role's name after AWSServiceRoleFor (case-sensitive). Each service folder adds its own.
LINKED_ROLES = {
    "organizations.amazonaws.com": "Organizations",
    "sso.amazonaws.com": "SSO",
    "support.amazonaws.com": "Support",
    "trustedadvisor.amazonaws.com": "TrustedAdvisor",
}
# AWS managed policies that a baseline attaches, by name, and by path and name (`/AWSSupportAccess`) if they are not for
# service roles; moto's file of all of them takes seconds to read.
MANAGED_POLICIES: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class HeldRole:
    """A role, with its policies as documents."""

    name: str
    path: str
    trust: dict[str, Any]
    documents: tuple[dict[str, Any], ...]
    longest: int = 3600  # seconds of a session

    def trusts(self, service: str) -> bool:
        """Whether the service may assume the role."""
        return any(
            s.get("Effect") == "Allow" and service in as_list((s.get("Principal") or {}).get("Service"))
            for s in as_list(self.trust.get("Statement"))
            if isinstance(s.get("Principal"), dict)
        )


def role_by_arn(arn: str) -> HeldRole | None:
    """The role of that ARN, in whichever account; None if it does not exist."""
    found = re.fullmatch(r"arn:([a-z-]+):iam::(\d{12}):role(/.*)", arn or "")
    if not found:
        return None
    partition, account, path = found.groups()
    iam = _existing_backend(account, partition)
    role = find_role(iam, path.rpartition("/")[2]) if iam is not None else None
    if role is None or role.path + role.name != path:
        return None
    inline = [_document(text) for text in role.policies.values()]
    attached = [_document(_default_version(policy)) for policy in role.managed_policies.values()]
    trust = _document(role.assume_role_policy_document)
    return HeldRole(role.name, role.path, trust, (*inline, *attached), int(role.max_session_duration or 3600))


def find_role(iam: Any, name: str | None) -> Any | None:
    """The role of that name in moto's IAM backend."""
    return next((role for role in iam.roles.values() if role.name == name), None)


def _default_version(policy: Any) -> Any:
    return next(v.document for v in policy.versions if v.version_id == policy.default_version_id)


def _backend(account: str, partition: str) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[account][partition]


def _existing_backend(account: str, partition: str) -> Any | None:
    """Moto's IAM of the account; None if it has none. Indexing would create one, which would be part of the state."""
    from moto.iam.models import iam_backends

    held: Any = dict.get(iam_backends, account)
    return dict.get(held, partition) if held is not None else None


def _document(text: Any) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    try:
        read = json.loads(text)
    except ValueError:
        read = json.loads(unquote(text))
    return read if isinstance(read, dict) else {}


def linked_role_name(principal: str, suffix: str = "") -> str:
    """The name of a service-linked role."""
    return f"AWSServiceRoleFor{LINKED_ROLES[principal]}" + (f"_{suffix}" if suffix else "")


def ensure_linked_role(account: str, partition: str, principal: str) -> None:
    """Create the service-linked role in the account, unless it exists."""
    iam = _backend(account, partition)
    if find_role(iam, linked_role_name(principal)) is None:
        with linked_role_names():
            iam.create_service_linked_role(principal, "", "")


def linked_role_names() -> Any:
    """Make moto give service-linked roles AWS's names until the block ends."""
    names = {principal.split(".")[-3]: name for principal, name in LINKED_ROLES.items()}
    return patch.dict("moto.iam.models.SERVICE_NAME_CONVERSION", names)


def principal_id(name: str) -> str | None:
    """A role's unique id, or the name of another existing principal; None if it does not exist.

    Principals of accounts outside the sandbox, and of CloudFront, count as existing.
    """
    if re.fullmatch(r"\d{12}|(AROA|AIDA)[A-Z0-9]+", name) or _CLOUDFRONT_ARN.fullmatch(name):
        return name
    if not (parts := _PRINCIPAL_ARN.fullmatch(name)):
        return None
    service, account, resource = parts.groups()
    partition = name.split(":")[1]
    known = account in {MANAGEMENT, *MEMBERS, CLOSED[0]} or find_organization(account, partition) is not None
    if resource == "root" or service == "sts" or not known:
        return name
    iam = _backend(account, partition)
    kind, _, path = resource.partition("/")
    plain = path.rpartition("/")[2]
    if kind == "role":
        role = find_role(iam, plain)
        return None if role is None else str(role.id)
    return name if kind == "user" and plain in iam.users else None
