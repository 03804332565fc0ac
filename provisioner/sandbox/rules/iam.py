"""IAM's rules: roles that services own, trust policies, policies that AWS owns, password policies."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from ..iam import LINKED, conversion, linked_name
from ..policy_eval import many
from ..rule import before, instead
from ..wire import Ask
from ..words import Answer, Refused

_FOR_CONFIG = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["config:Put*", "cloudtrail:Describe*", "iam:Get*", "s3:GetBucket*", "s3:List*"],
            "Resource": "*",
        }
    ],
}
_FOR_ORGANIZATIONS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["organizations:List*", "organizations:Describe*"], "Resource": "*"}
    ],
}
# AWS's own policies that a baseline attaches: moto's file of all of them takes seconds to read.
MANAGED = {"AWS_ConfigRole": _FOR_CONFIG, "AWSConfigRoleForOrganizations": _FOR_ORGANIZATIONS}
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
    row="13.4 create_service_linked_role('config.amazonaws.com')",
)
def linked_role_names(ask: Ask) -> Answer:
    """A service-linked role has AWS's own spelling: AWSServiceRoleForConfig."""
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
    from ...services.log_buckets.sandbox.policy import principal_id

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
    """AWS's own policies for Config's roles can be attached, in every partition."""
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


@before(
    "iam.password_policy_ranges",
    "UpdateAccountPasswordPolicy",
    row="5 Password policy: 0 is a validation error",
)
def password_policy_ranges(ask: Ask) -> None:
    """A password policy's numbers have a range: an age or reuse of 0 is a ValidationError."""
    for key, low, high in (
        ("MinimumPasswordLength", 6, 128),
        ("MaxPasswordAge", 1, 1095),
        ("PasswordReusePrevention", 1, 24),
    ):
        value = ask.params.get(key)
        if value is not None and not low <= int(value) <= high:
            name = key[0].lower() + key[1:]
            bound, how = (low, "greater") if int(value) < low else (high, "less")
            text = (
                f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
                f"Member must have value {how} than or equal to {bound}"
            )
            raise Refused("ValidationError", text)


@instead(
    "iam.password_policy_unset", "GetAccountPasswordPolicy", row="13.4 password policy: unset keys absent"
)
def password_policy_unset(ask: Ask) -> Answer | dict[str, Any]:
    """What a password policy does not set is absent when read."""
    held = ask.store().account_password_policy
    if held is None:
        return ask.moto()
    shown = {
        "MinimumPasswordLength": held.minimum_password_length,
        "RequireSymbols": held.require_symbols,
        "RequireNumbers": held.require_numbers,
        "RequireUppercaseCharacters": held.require_uppercase_characters,
        "RequireLowercaseCharacters": held.require_lowercase_characters,
        "AllowUsersToChangePassword": held.allow_users_to_change_password,
        "ExpirePasswords": held.expire_passwords,
        "MaxPasswordAge": held.max_password_age,
        "PasswordReusePrevention": held.password_reuse_prevention,
        "HardExpiry": held.hard_expiry if held.max_password_age else None,
    }
    numbers = ("MaxPasswordAge", "PasswordReusePrevention")
    return {
        "PasswordPolicy": {k: v for k, v in shown.items() if v is not None and not (k in numbers and v == 0)}
    }
