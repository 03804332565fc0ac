"""IAM at the sandbox's gate: a caller that has one policy, and nothing else.

    world.interrupt(authorize(document))

Which actions on which resources a request asks for is told by AWS's Service Authorization Reference and, for S3, by
"Required permissions for Amazon S3 API operations". It is written from those pages alone, never from what the steps
declare, so that each proves the other. A request that is not in these tables is denied.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from . import authorize_accounts as accounts
from . import iam
from .act import Acts, act, partition
from .ask import backend
from .policy_eval import Act, decide_identity
from .rules.kms import find_key
from .words import Fault, Interrupt, Phase, WireCall

_QUERY: Final = {"s3", "iam", "sts"}  # these say AccessDenied, with status 403
_FREE: Final = {("sts", "GetCallerIdentity")}  # needs no permission, and a Deny does not take it away
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
# Operations whose action has their name, and no resource type: they need `*`.
_UNBOUND: Final = {
    "cloudtrail": {"DescribeTrails", "LookupEvents"},
    "config": {
        "DescribeDeliveryChannels",
        "DescribeDeliveryChannelStatus",
        "DescribeRetentionConfigurations",
        "DescribeConfigRules",
        "DescribeConfigRuleEvaluationStatus",
        "GetDiscoveredResourceCounts",
        "PutDeliveryChannel",
        "PutRetentionConfiguration",
        # They have one, the recorder; asked about all at once, they are held to need all.
        "DescribeConfigurationRecorders",
        "DescribeConfigurationRecorderStatus",
    },
    "iam": {"GetAccountPasswordPolicy", "UpdateAccountPasswordPolicy", "ListAccountAliases"},
    "organizations": {
        "DescribeOrganization",
        "ListAccounts",
        "ListAWSServiceAccessForOrganization",
        "ListDelegatedAdministrators",
        "ListRoots",
    },
    "ec2": {"DescribeRegions"},
}
# Operation → the parameter with the trail's name or ARN.
_TRAIL: Final = {
    "GetTrailStatus": "Name",
    "GetEventSelectors": "TrailName",
    "GetInsightSelectors": "TrailName",
    "CreateTrail": "Name",
    "UpdateTrail": "Name",
    "StartLogging": "Name",
    "PutEventSelectors": "TrailName",
    "PutInsightSelectors": "TrailName",
    "AddTags": "ResourceId",
}
_ROLE: Final = {
    *("GetRole", "CreateRole", "UpdateAssumeRolePolicy", "PutRolePolicy", "GetRolePolicy"),
    *("ListRolePolicies", "ListAttachedRolePolicies"),
}


def authorize(policy: Mapping[str, Any]) -> Interrupt:
    """An interrupt that denies what an identity with only *policy* may not do, before it has any effect."""
    text = json.dumps(policy)

    def gate(call: WireCall, phase: Phase) -> Fault | None:
        if phase != "before" or (call.service, call.operation) in _FREE:
            return None
        document = filled(text, call)
        asked = acts(call)
        for one in asked:
            if decide_identity([document], one) != "allow":
                return _denied(call, one)
        unknown = act(call, f"{call.service}:{call.operation}", "what the sandbox does not know")
        return None if asked else _denied(call, unknown)

    return gate


def filled(text: str, call: WireCall) -> Any:
    """A policy with what IAM knows of the caller; who is in no organization keeps a variable that fits nothing."""
    text = text.replace("${aws:PrincipalAccount}", call.account)
    _, org = accounts.organization(call.account, partition(call))
    return json.loads(text.replace("${aws:PrincipalOrgID}", org) if org else text)


def acts(call: WireCall) -> list[Act]:
    """Everything that AWS asks to be allowed for one request, what depends on it included; nothing if it is not known."""
    if call.operation in _UNBOUND.get(call.service, ()):
        return [act(call, f"{call.service}:{call.operation}", "*")]
    of_service = _SERVICES.get(call.service)
    return list(of_service(call)) if of_service else []


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


def _cloudtrail(call: WireCall) -> Acts:
    params = call.params
    if call.operation == "ListTags":
        for each in params["ResourceIdList"]:
            yield act(call, "cloudtrail:ListTags", each)
    if call.operation not in _TRAIL:
        return
    trail = _trail_arn(call, params[_TRAIL[call.operation]])
    yield act(call, f"cloudtrail:{call.operation}", trail)
    if params.get("TagsList") and call.operation == "CreateTrail":
        yield act(call, "cloudtrail:AddTags", trail)
    if role := params.get("CloudWatchLogsRoleArn"):
        yield act(call, "iam:PassRole", role, iam__PassedToService="cloudtrail.amazonaws.com")
    if params.get("IsOrganizationTrail"):
        yield from _organization_trail(call)


def _organization_trail(call: WireCall) -> Acts:
    """CloudTrail User Guide, "Prepare for creating a trail for your organization"."""
    for name in ("DescribeOrganization", "ListAccounts", "ListAWSServiceAccessForOrganization"):
        yield act(call, f"organizations:{name}", "*")
    service = "cloudtrail.amazonaws.com"
    name = iam.linked_name(service)
    yield act(call, "iam:GetRole", _role_arn(call, name))
    linked = f"arn:{partition(call)}:iam::{call.account}:role/aws-service-role/{service}/{name}"
    yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=service)


def _config(call: WireCall) -> Acts:
    name, params = call.operation, call.params
    here = f"arn:{partition(call)}:config:{call.region}:{call.account}"
    if name == "PutConfigurationRecorder":
        recorder = params["ConfigurationRecorder"]
        yield act(call, f"config:{name}", f"{here}:configuration-recorder/{recorder.get('name')}/a1b2c3d4")
        role = recorder.get("roleARN") or ""
        yield act(call, "iam:PassRole", role, iam__PassedToService="config.amazonaws.com")
    elif name == "StartConfigurationRecorder":
        recorder = params["ConfigurationRecorderName"]
        yield act(call, f"config:{name}", f"{here}:configuration-recorder/{recorder}/a1b2c3d4")
    elif name == "PutConfigRule":
        yield act(call, f"config:{name}", f"{here}:config-rule/config-rule-a1b2c3")
        if params.get("Tags"):
            yield act(call, "config:TagResource", f"{here}:config-rule/config-rule-a1b2c3")
    elif name in {"ListTagsForResource", "TagResource"}:
        yield act(call, f"config:{name}", params["ResourceArn"])


def _iam(call: WireCall) -> Acts:
    name, params = call.operation, call.params
    if name == "CreateServiceLinkedRole":
        service = params["AWSServiceName"]
        path = f"role/aws-service-role/{service}/{iam.linked_name(service)}"
        role = f"arn:{partition(call)}:iam::{call.account}:{path}"
        yield act(call, f"iam:{name}", role, iam__AWSServiceName=service)
    elif name == "AttachRolePolicy":
        role = _role_arn(call, params["RoleName"])
        yield act(call, f"iam:{name}", role, iam__PolicyARN=params["PolicyArn"])
    elif name in _ROLE:
        yield act(call, f"iam:{name}", _role_arn(call, params["RoleName"]))


def _kms(call: WireCall) -> Acts:
    """KMS decides by the key, and knows by which of its names it was asked for."""
    if call.operation != "DescribeKey":
        return
    named = str(call.params["KeyId"])
    key = find_key(named, call.account, call.region)
    arn = key.arn if key else f"arn:{partition(call)}:kms:{call.region}:{call.account}:key/none"
    alias = named[named.index("alias/") :] if "alias/" in named else ""
    yield act(call, "kms:DescribeKey", arn, **({"kms__RequestAlias": alias} if alias else {}))


_SERVICES: Final[Mapping[str, Callable[[WireCall], Acts]]] = {
    "s3": _s3,
    "cloudtrail": _cloudtrail,
    "config": _config,
    "iam": _iam,
    "kms": _kms,
    "account": accounts.account,
    "organizations": accounts.organizations,
    "sts": accounts.sts,
}


def _trail_arn(call: WireCall, name: str) -> str:
    """The trail of that name; an organization's belongs to the management account, whoever asks."""
    if name.startswith("arn:"):
        return name
    owner = call.account
    if call.params.get("IsOrganizationTrail"):
        held = backend("organizations", call.account, call.region)
        owner = held.org.master_account_id if held.org else owner
    return f"arn:{partition(call)}:cloudtrail:{call.region}:{owner}:trail/{name}"


def _role_arn(call: WireCall, name: str) -> str:
    """The role's ARN. As long as there is no such role, IAM cannot know its path."""
    role = next((r for r in backend("iam", call.account, call.region).roles.values() if r.name == name), None)
    path = role.path if role else "/"
    return f"arn:{partition(call)}:iam::{call.account}:role{path}{name}"


def _denied(call: WireCall, asked: Act) -> Fault:
    code, status = ("AccessDenied", 403) if call.service in _QUERY else ("AccessDeniedException", 400)
    why = f"because no identity-based policy allows the {asked.action} action"
    text = f"User: {asked.principal} is not authorized to perform: {asked.action} on resource: {asked.resource} {why}"
    return Fault(code, status, text)
