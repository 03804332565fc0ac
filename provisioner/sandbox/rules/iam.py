"""IAM's rules: roles that services own, trust policies, policies that AWS owns, password policies."""

from __future__ import annotations

import json
from unittest.mock import patch

from ..ask import Ask
from ..iam import LINKED, MANAGED, conversion, linked_name, principal_id
from ..policy_eval import many
from ..rule import before, instead
from ..words import Answer, Refused

_LONG_AGO = "2019-01-01T00:00:00"
_ON_ROLE = (
    "DeleteRole",
    "UpdateRole",
    "UpdateAssumeRolePolicy",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
)


@before("iam.linked_role_services", "CreateServiceLinkedRole", row="13.4 bogus service name")
def linked_role_services(ask: Ask) -> None:
    """A service-linked role for no service is InvalidInput."""
    principal = ask.params.get("AWSServiceName", "")
    if principal not in LINKED:
        raise Refused("InvalidInput", f"Service {principal} is not a valid service principal name.")


@before(
    "iam.linked_role_exists", "CreateServiceLinkedRole", row="13.4 create_service_linked_role: same again"
)
def linked_role_exists(ask: Ask) -> None:
    """Creating a service-linked role again is InvalidInput, not EntityAlreadyExists."""
    principal = ask.params.get("AWSServiceName", "")
    name = linked_name(principal, ask.params.get("CustomSuffix") or "") if principal in LINKED else ""
    if any(role.name == name for role in ask.store().roles.values()):
        text = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise Refused("InvalidInput", text)


@instead(
    "iam.linked_role_names",
    "CreateServiceLinkedRole",
    row="13.4 create_service_linked_role: the name of the role",
)
def linked_role_names(ask: Ask) -> Answer:
    """The name of a service-linked role has AWS's own spelling."""
    with patch.dict("moto.iam.models.SERVICE_NAME_CONVERSION", conversion()):
        return ask.moto()


@before("iam.linked_role_unmodifiable", *_ON_ROLE, row="13.4 delete_role on SLR")
def linked_role_unmodifiable(ask: Ask) -> None:
    """A service-linked role cannot be changed or deleted like another: UnmodifiableEntity."""
    name = ask.params.get("RoleName")
    role = next((r for r in ask.store().roles.values() if r.name == name), None)
    if role is not None and role.path.startswith("/aws-service-role/"):
        why = "this role is only modifiable by AWS"
        text = f"Cannot perform the operation on the protected role '{name}' - {why}"
        raise Refused("UnmodifiableEntity", text)


@before(
    "iam.trust_policies",
    "CreateRole",
    "UpdateAssumeRolePolicy",
    row="13.4 create_role(AssumeRolePolicyDocument='{}'), non-existing principal",
)
def trust_policies(ask: Ask) -> None:
    """A trust policy without statements, actions or existing principals is MalformedPolicyDocument."""
    text = ask.params.get("AssumeRolePolicyDocument") or ask.params.get("PolicyDocument") or ""
    try:
        document = json.loads(text)
    except ValueError:
        raise Refused("MalformedPolicyDocument", "This policy contains invalid Json") from None
    if not isinstance(document, dict) or not many(document.get("Statement")):
        raise Refused("MalformedPolicyDocument", "Syntax errors in policy.")
    for statement in many(document["Statement"]):
        principal = statement.get("Principal")
        if statement.get("Effect") not in ("Allow", "Deny") or not statement.get("Action"):
            raise Refused("MalformedPolicyDocument", "Missing required field Action")
        if not principal or "Resource" in statement:
            raise Refused(
                "MalformedPolicyDocument", "AssumeRole policy must contain principals and no resources."
            )
        for name in many(principal.get("AWS")) if isinstance(principal, dict) else []:
            if name != "*" and principal_id(name) is None:
                raise Refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{name}"')


@before(
    "iam.managed_policies",
    "AttachRolePolicy",
    "GetPolicy",
    "GetPolicyVersion",
    row="13.4 attach .../service-role/AWS_ConfigRole",
)
def managed_policies(ask: Ask) -> None:
    """AWS's own policies for service roles can be attached, in every partition."""
    from moto.iam.models import AWSManagedPolicy

    arn = ask.params.get("PolicyArn", "")
    name = arn.rpartition("/")[2]
    held = ask.store()
    if (
        name not in MANAGED
        or arn != f"arn:{ask.partition}:iam::aws:policy/service-role/{name}"
        or arn in held.managed_policies
    ):
        return
    data = {
        "DefaultVersionId": "v1",
        "Path": "/service-role/",
        "Document": MANAGED[name],
        "CreateDate": _LONG_AGO,
        "UpdateDate": _LONG_AGO,
    }
    policy = AWSManagedPolicy.from_data(name, ask.account, ask.region, data)
    held.managed_policies[arn] = policy
