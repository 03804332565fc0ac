"""What requests to the services that all others build on ask to be allowed: S3, IAM, KMS, Organizations, Account, STS.

For S3, whose actions have names of their own, this is from "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from typing import Final

from .. import iam
from ..actions import Acts, act, authorizes, named, partition
from ..ask import backend
from ..words import WireCall
from .kms import find_key
from .organizations import organization_of

# Operation → action, on the bucket.
S3_ACTIONS: Final = {
    "HeadBucket": "ListBucket",
    "CreateBucket": "CreateBucket",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketOwnershipControls": "GetBucketOwnershipControls",
    "PutBucketOwnershipControls": "PutBucketOwnershipControls",
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
    "GetBucketPolicy": "GetBucketPolicy",
    "PutBucketPolicy": "PutBucketPolicy",
}
# Operation → the parameter with the id of an account, an OU or the root.
_ABOUT: Final = {
    "DescribeAccount": "AccountId",
    "ListAccountsForParent": "ParentId",
    "ListOrganizationalUnitsForParent": "ParentId",
    "ListParents": "ChildId",
    "ListTagsForResource": "ResourceId",
}


@authorizes("s3")
def _s3(call: WireCall) -> Acts:
    if call.operation not in S3_ACTIONS:
        return
    bucket = f"arn:{partition(call)}:s3:::{call.params['Bucket']}"
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
        path = f"role/aws-service-role/{service}/{iam.linked_name(service)}"
        role = f"arn:{partition(call)}:iam::{call.account}:{path}"
        yield act(call, f"iam:{name}", role, iam__AWSServiceName=service)
    elif "RoleName" in params:
        context = {"iam__PolicyARN": params["PolicyArn"]} if "PolicyArn" in params else {}
        yield act(call, f"iam:{name}", role_arn(call, params["RoleName"]), **context)
    else:
        yield from named(call)


@authorizes("kms")
def _kms(call: WireCall) -> Acts:
    """KMS decides by the key, and knows by which of its names it was asked for."""
    if call.operation != "DescribeKey":
        return
    named = str(call.params["KeyId"])
    key = find_key(named, call.account, call.region)
    arn = key.arn if key else f"arn:{partition(call)}:kms:{call.region}:{call.account}:key/none"
    alias = named[named.index("alias/") :] if "alias/" in named else ""
    yield act(call, "kms:DescribeKey", arn, **({"kms__RequestAlias": alias} if alias else {}))


@authorizes("organizations")
def _organizations(call: WireCall) -> Acts:
    """Resources: the accounts, OUs and roots that are asked about."""
    if call.operation == "EnableAWSServiceAccess":
        service = call.params["ServicePrincipal"]
        yield act(call, f"organizations:{call.operation}", "*", organizations__ServicePrincipal=service)
    elif call.operation in _ABOUT:
        owner, org = organization_of(call.account, partition(call))
        target = str(call.params[_ABOUT[call.operation]])
        kind = "root" if target.startswith("r-") else "ou" if target.startswith("ou-") else "account"
        resource = f"arn:{partition(call)}:organizations::{owner}:{kind}/{org}/{target}"
        yield act(call, f"organizations:{call.operation}", resource)
    else:
        yield from named(call)


@authorizes("account")
def _account(call: WireCall) -> Acts:
    """Resource: the caller's own account, or a member of its organization."""
    resource = f"arn:{partition(call)}:account::{call.account}:account"
    if member := call.params.get("AccountId"):
        owner, org = organization_of(call.account, partition(call))
        resource = f"arn:{partition(call)}:account::{owner}:account/{org}/{member}"
    context = {"account__TargetRegion": name} if (name := call.params.get("RegionName")) else {}
    yield act(call, f"account:{call.operation}", resource, **context)


@authorizes("sts")
def _sts(call: WireCall) -> Acts:
    """Resource: the role. Tags and a source identity are asked for apart."""
    if call.operation != "AssumeRole":
        yield from named(call)
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
    """The role's ARN. As long as there is no such role, IAM cannot know its path."""
    role = next((r for r in backend("iam", call.account, call.region).roles.values() if r.name == name), None)
    path = role.path if role else "/"
    return f"arn:{partition(call)}:iam::{call.account}:role{path}{name}"
