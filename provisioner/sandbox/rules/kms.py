"""KMS keys: lookup by id, ARN or alias, and key policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from unittest.mock import patch

from ...compare.policy_eval import Act, as_list, decide
from ..ask import Request, backend
from ..iam import principal_id
from ..model import Refused, Response
from ..policy_text import field_fault
from ..rule import before, instead

_SYMMETRIC = "SYMMETRIC_DEFAULT"


def find_key(name: str, account: str, region: str) -> Any | None:
    """The key with that id, ARN, alias or alias ARN in the Region; None if there is none."""
    if name.startswith("arn:"):
        _, _, _, where, owner, name = name.split(":", 5)
        if where != region:
            return None
        account = owner
    held = backend("kms", account, region)
    if name.startswith("alias/"):
        key_id = next(
            (a.target_key_id for k in held.keys.values() for a in k.aliases.values() if a.alias_name == name),
            None,
        )
        return held.keys.get(key_id)
    return held.keys.get(name.removeprefix("key/"))


def key_refuses(key: Any, principal: str, actions: Iterable[str], context: Mapping[str, str]) -> bool:
    """Whether the key's policy does not allow *principal* all of *actions*."""
    document = json.loads(key.policy)
    return any(decide(document, Act(action, key.arn, principal, context)) != "allow" for action in actions)


def key_fault(name: str, account: str, region: str) -> Refused | None:
    """S3's error for an object of a bucket in *region* that is to be encrypted with the key; None if it can be."""
    where = name.split(":")[3] if name.startswith("arn:") else region
    if name.endswith("alias/aws/s3") and where == region:
        return None  # AWS's own key, which exists as soon as it is used
    key = find_key(name, account, region)
    if where != region:
        return Refused("KMS.NotFoundException", f"Invalid arn {where}")
    if key is None:
        return Refused("KMS.NotFoundException", f"Key '{name}' does not exist")
    if key.key_state == "PendingDeletion":
        return Refused("KMS.KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return None if key.key_state == "Enabled" else Refused("KMS.DisabledException", f"{key.arn} is disabled.")


@before("kms.keys_of_another_region", "*", row="1.5 a key is found in its own Region only")
def keys_of_another_region(request: Request) -> None:
    """A key's ARN of another Region is a NotFoundException that names that Region."""
    name = str(request.params.get("KeyId") or "")
    where = name.split(":")[3] if name.startswith("arn:") and name.count(":") >= 5 else request.region
    if where != request.region:
        raise Refused("NotFoundException", f"Invalid arn {where}")


@before("kms.key_policies", "CreateKey", "PutKeyPolicy", row="13.6 create_key(Policy='{}'), lockout policy")
def key_policies(request: Request) -> None:
    """A key policy that is invalid, or locks out its account, is MalformedPolicyDocumentException."""
    text = request.params.get("Policy")
    if not text:
        return
    code = "MalformedPolicyDocumentException"
    try:
        document = json.loads(text)
    except ValueError:
        raise Refused(code, "The policy is not valid JSON.") from None
    if not isinstance(document, dict) or not as_list(document.get("Statement")):
        raise Refused(code, "The policy has no statement.")
    for statement in as_list(document["Statement"]):
        fault = field_fault(statement) if isinstance(statement, dict) else "A statement is an object"
        if fault or statement.get("Effect") not in ("Allow", "Deny"):
            raise Refused(code, fault or "Missing required field Effect")
        principal = statement.get("Principal", statement.get("NotPrincipal"))
        for name in map(str, as_list(principal.get("AWS")) if isinstance(principal, dict) else ()):
            if name != "*" and principal_id(name) is None:
                raise Refused(code, "Policy contains a statement with one or more invalid principals.")
    owner = f"arn:{request.partition}:iam::{request.account}:root"
    if (
        not request.params.get("BypassPolicyLockoutSafetyCheck")
        and decide(document, Act("kms:PutKeyPolicy", "*", owner)) != "allow"
    ):
        text = "The new key policy will not allow you to update the key policy in the future."
        raise Refused(code, text)


@before(
    "kms.default_policy_name", "GetKeyPolicy", "PutKeyPolicy", row="13.6 get_key_policy without PolicyName"
)
def default_policy_name(request: Request) -> None:
    """GetKeyPolicy and PutKeyPolicy without a name are about the policy named default."""
    if not request.params.get("PolicyName"):
        request.rewrite(PolicyName="default")


@instead("kms.symmetric_keys", "CreateKey", row="API GetPublicKey, UnsupportedOperationException")
def create_key(request: Request) -> Response:
    """A symmetric key has no key pair, which moto makes nevertheless, in a tenth of a second."""
    spec = request.params.get("KeySpec") or request.params.get("CustomerMasterKeySpec") or _SYMMETRIC
    if spec != _SYMMETRIC:
        return request.moto()
    with patch("moto.kms.models.generate_private_key", return_value=None):
        return request.moto()


@before("kms.symmetric_keys", "GetPublicKey")
def get_public_key(request: Request) -> None:
    """GetPublicKey of a symmetric key is UnsupportedOperationException."""
    key = find_key(str(request.params["KeyId"]), request.account, request.region)
    if key is not None and key.key_spec == _SYMMETRIC:
        raise Refused("UnsupportedOperationException", f"{key.arn} is a symmetric key.")
