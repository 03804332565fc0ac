"""IAM's rules for service-linked roles, trust policies and AWS managed policies."""

from __future__ import annotations

import json

from ...compare.policy_eval import as_list
from ..ask import Request
from ..iam import LINKED_ROLES, MANAGED_POLICIES, find_role, linked_role_name, principal_id
from ..iam import linked_role_names as aws_role_names
from ..model import Refused, Response
from ..rule import before, instead

_DATE = "2019-01-01T00:00:00"
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
def linked_role_services(request: Request) -> None:
    """CreateServiceLinkedRole for an unknown service is InvalidInput."""
    principal = request.params.get("AWSServiceName", "")
    if principal not in LINKED_ROLES:
        raise Refused("InvalidInput", f"Service {principal} is not a valid service principal name.")


@before("iam.linked_role_exists", "CreateServiceLinkedRole", row="13.4 create_service_linked_role")
def linked_role_exists(request: Request) -> None:
    """Creating a service-linked role again is InvalidInput, not EntityAlreadyExists."""
    principal = request.params.get("AWSServiceName", "")
    name = (
        linked_role_name(principal, request.params.get("CustomSuffix") or "")
        if principal in LINKED_ROLES
        else ""
    )
    if find_role(request.store(), name):
        text = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise Refused("InvalidInput", text)


@instead("iam.linked_role_names", "CreateServiceLinkedRole", row="13.4 create_service_linked_role")
def linked_role_names(request: Request) -> Response:
    """The name of a service-linked role has AWS's spelling."""
    with aws_role_names():
        return request.moto()


@before("iam.linked_role_unmodifiable", *_ON_ROLE, row="13.4 delete_role on SLR")
def linked_role_unmodifiable(request: Request) -> None:
    """A service-linked role cannot be changed or deleted like other roles: UnmodifiableEntity."""
    name = request.params.get("RoleName")
    role = find_role(request.store(), name)
    if role is not None and role.path.startswith("/aws-service-role/"):
        why = "this role is only modifiable by AWS"
        text = f"Cannot perform the operation on the protected role '{name}' - {why}"
        raise Refused("UnmodifiableEntity", text)


@before("iam.trust_policies", "CreateRole", "UpdateAssumeRolePolicy", row="13.4 create_role")
def trust_policies(request: Request) -> None:
    """A trust policy without statements, actions or existing principals is MalformedPolicyDocument."""
    text = request.params.get("AssumeRolePolicyDocument") or request.params.get("PolicyDocument") or ""
    try:
        document = json.loads(text)
    except ValueError:
        raise _malformed("This policy contains invalid Json") from None
    if not isinstance(document, dict) or not as_list(document.get("Statement")):
        raise _malformed("Syntax errors in policy.")
    for statement in as_list(document["Statement"]):
        principal = statement.get("Principal")
        if statement.get("Effect") not in ("Allow", "Deny") or not statement.get("Action"):
            raise _malformed("Missing required field Action")
        if not principal or "Resource" in statement:
            raise _malformed("AssumeRole policy must contain principals and no resources.")
        for name in as_list(principal.get("AWS")) if isinstance(principal, dict) else []:
            if name != "*" and principal_id(name) is None:
                raise _malformed(f'Invalid principal in policy: "AWS":"{name}"')


def _malformed(text: str) -> Refused:
    return Refused("MalformedPolicyDocument", text)


@before(
    "iam.managed_policies",
    "AttachRolePolicy",
    "GetPolicy",
    "GetPolicyVersion",
    row="13.4 attach .../AWS_ConfigRole",
)
def managed_policies(request: Request) -> None:
    """AWS managed policies can be attached, in every partition."""
    from moto.iam.models import AWSManagedPolicy

    arn = request.params.get("PolicyArn", "")
    path, _, name = arn.removeprefix(f"arn:{request.partition}:iam::aws:policy").rpartition("/")
    document = MANAGED_POLICIES.get(name if path == "/service-role" else f"{path}/{name}")
    policies = request.store().managed_policies
    if document is None or arn in policies:
        return
    data = {
        "DefaultVersionId": "v1",
        "Path": f"{path}/",
        "Document": document,
        "CreateDate": _DATE,
        "UpdateDate": _DATE,
    }
    policies[arn] = AWSManagedPolicy.from_data(name, request.account, request.region, data)
