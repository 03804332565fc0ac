"""KMS keys: lookup by id, ARN or alias, and key policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...compare.policy_eval import Act, as_list, decide
from ..ask import Request, backend
from ..iam import principal_id
from ..model import Refused
from ..partitions import partition_of
from ..policy_text import field_fault, to_policy
from ..rule import before
from ..seed import FIRST_KEY


def find_key(name: str, account: str, region: str) -> Any | None:
    """The key with that id, ARN, alias or alias ARN in the Region; None if there is none."""
    if name.startswith("arn:"):
        _, _, _, where, owner, name = name.split(":", 5)
        if where != region:
            return None
        account = owner
    held = backend("kms", account, region)
    add_first_key(held, account, region)
    if name.startswith("alias/"):
        key_id = next(
            (a.target_key_id for k in held.keys.values() for a in k.aliases.values() if a.alias_name == name),
            None,
        )
        return held.keys.get(key_id)
    return held.keys.get(name.removeprefix("key/"))


def add_first_key(held: Any, account: str, region: str) -> None:
    """Make the key that every account has in each Region of a new sandbox, if it is not there yet.

    Its policy lets AWS services in, as a key for logs does. It is made when KMS is first asked, as moto's KMS is slow to
    import.
    """
    if FIRST_KEY in held.keys:
        return
    partition = partition_of(region)
    root = {"AWS": f"arn:{partition}:iam::{account}:root"}
    use = ["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"]
    service = {"Bool": {"aws:PrincipalIsAWSService": "true"}}
    policy = to_policy(
        {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": "*", "Action": use, "Resource": "*", "Condition": service},
    )
    made = held.create_key(policy, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "For logs", [])
    del held.keys[made.id]
    made.id, made.arn = FIRST_KEY, f"arn:{partition}:kms:{region}:{account}:key/{FIRST_KEY}"
    held.keys[FIRST_KEY] = made


@before("kms.first_key", "*", row="no rule of AWS's: a sandbox has a key that the full profile names")
def first_key(request: Request) -> None:
    """Every account of a new sandbox has a key for logs in each Region."""
    add_first_key(request.store(), request.account, request.region)


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
