"""IAM actions of requests to S3, IAM, KMS, Organizations, Account and STS, which all other services need.

S3's actions have names of their own: see "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from typing import Final

from ..actions import Acts, act, authorizes, default_acts, linked_role_arn, partition
from ..ask import backend
from ..iam import find_role
from ..model import WireCall
from .kms import find_key
from .organizations import organization_of

# Operation -> action, on the bucket.
S3_ACTIONS: Final = {
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "CreateBucket": "CreateBucket",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketOwnershipControls": "GetBucketOwnershipControls",
    "PutBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetBucketAcl": "GetBucketAcl",
    "GetBucketPolicyStatus": "GetBucketPolicyStatus",
    "GetBucketWebsite": "GetBucketWebsite",
    "PutBucketAcl": "PutBucketAcl",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketVersioning": "GetBucketVersioning",
    "PutBucketVersioning": "PutBucketVersioning",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetBucketTagging": "GetBucketTagging",
    "PutBucketTagging": "PutBucketTagging",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "GetBucketLogging": "GetBucketLogging",
    "PutBucketLogging": "PutBucketLogging",
    "GetBucketPolicy": "GetBucketPolicy",
    "PutBucketPolicy": "PutBucketPolicy",
}
# Operation -> the parameter with the id of an account, an OU or the root.
_TARGET_PARAMETERS: Final = {
    "DescribeAccount": "AccountId",
    "EnablePolicyType": "RootId",
    "ListAccountsForParent": "ParentId",
    "ListOrganizationalUnitsForParent": "ParentId",
    "ListParents": "ChildId",
    "ListTagsForResource": "ResourceId",
    "RegisterDelegatedAdministrator": "AccountId",
}


@authorizes("s3")
def _s3(call: WireCall) -> Acts:
    if call.operation in {"GetObject", "PutObject"}:
        params = call.params
        resource = f"arn:{partition(call)}:s3:::{params['Bucket']}/{params['Key']}"
        yield act(call, f"s3:{call.operation}", resource)
    if call.operation == "ListBuckets":
        yield act(call, "s3:ListAllMyBuckets", "*")
    if call.operation not in S3_ACTIONS:
        return
    bucket = f"arn:{partition(call)}:s3:::{call.params['Bucket']}"
    if call.operation == "ListObjectsV2":
        prefix = {"s3__prefix": call.params["Prefix"]} if call.params.get("Prefix") else {}
        yield act(call, "s3:ListBucket", bucket, **prefix)
        return
    names = [S3_ACTIONS[call.operation]]
    if call.operation == "CreateBucket" and call.params.get("ObjectOwnership"):
        names.append("PutBucketOwnershipControls")
    if call.operation == "CreateBucket" and call.params.get("ObjectLockEnabledForBucket"):
        names += ["PutBucketObjectLockConfiguration", "PutBucketVersioning"]
    for name in names:
        yield act(call, f"s3:{name}", bucket)


@authorizes("iam")
def _iam(call: WireCall) -> Acts:
    name, params = call.operation, call.params
    if name == "CreateServiceLinkedRole":
        service = params["AWSServiceName"]
        yield act(call, f"iam:{name}", linked_role_arn(call, service), iam__AWSServiceName=service)
    elif "RoleName" in params:
        context = {"iam__PolicyARN": params["PolicyArn"]} if "PolicyArn" in params else {}
        yield act(call, f"iam:{name}", role_arn(call, params["RoleName"]), **context)
    else:
        yield from default_acts(call)


@authorizes("kms")
def _kms(call: WireCall) -> Acts:
    """KMS evaluates the key, with a condition key for the alias that was used; CreateAlias and UpdateAlias both.

    A new key with a policy and tags requires the permissions to set them, too.
    """
    key_id = str(call.params.get("KeyId") or call.params.get("TargetKeyId") or "")
    if not key_id:
        yield act(call, f"kms:{call.operation}", "*")
        for field, name in (("Policy", "PutKeyPolicy"), ("Tags", "TagResource")):
            if call.params.get(field):
                yield act(
                    call, f"kms:{name}", f"arn:{partition(call)}:kms:{call.region}:{call.account}:key/new"
                )
        return
    key = find_key(key_id, call.account, call.region)
    arn = key.arn if key else f"arn:{partition(call)}:kms:{call.region}:{call.account}:key/none"
    alias = key_id[key_id.index("alias/") :] if "alias/" in key_id else ""
    yield act(call, f"kms:{call.operation}", arn, **({"kms__RequestAlias": alias} if alias else {}))
    if given := call.params.get("AliasName"):
        arn = f"arn:{partition(call)}:kms:{call.region}:{call.account}:{given}"
        yield act(call, f"kms:{call.operation}", arn)


@authorizes("organizations")
def _organizations(call: WireCall) -> Acts:
    """The resource is the account, OU or root that the request is about."""
    about = ("ServicePrincipal", "PolicyType")
    context = {f"organizations__{key}": call.params[key] for key in about if key in call.params}
    if call.operation in _TARGET_PARAMETERS:
        owner, org = organization_of(call.account, partition(call))
        entity = str(call.params[_TARGET_PARAMETERS[call.operation]])
        kind = "root" if entity.startswith("r-") else "ou" if entity.startswith("ou-") else "account"
        resource = f"arn:{partition(call)}:organizations::{owner}:{kind}/{org}/{entity}"
        yield act(call, f"organizations:{call.operation}", resource, **context)
    elif context:
        yield act(call, f"organizations:{call.operation}", "*", **context)
    else:
        yield from default_acts(call)


@authorizes("account")
def _account(call: WireCall) -> Acts:
    """The resource is the caller's own account, or a member of its organization."""
    resource = f"arn:{partition(call)}:account::{call.account}:account"
    if member := call.params.get("AccountId"):
        owner, org = organization_of(call.account, partition(call))
        resource = f"arn:{partition(call)}:account::{owner}:account/{org}/{member}"
    context = {"account__TargetRegion": name} if (name := call.params.get("RegionName")) else {}
    yield act(call, f"account:{call.operation}", resource, **context)


@authorizes("sts")
def _sts(call: WireCall) -> Acts:
    """The resource is the role."""
    if call.operation != "AssumeRole":
        yield from default_acts(call)
        return
    role = str(call.params["RoleArn"])
    _, org = organization_of(role.split(":")[4] if role.count(":") >= 5 else "", partition(call))
    context = {"aws__ResourceOrgID": org} if org else {}
    names = ["AssumeRole"]
    names += ["TagSession"] if call.params.get("Tags") else []
    names += ["SetSourceIdentity"] if call.params.get("SourceIdentity") else []
    for name in names:
        yield act(call, f"sts:{name}", role, **context)


def role_arn(call: WireCall, name: str) -> str:
    """The role's ARN; without a path if the role does not exist."""
    role = find_role(backend("iam", call.account, call.region), name)
    path = role.path if role else "/"
    return f"arn:{partition(call)}:iam::{call.account}:role{path}{name}"
