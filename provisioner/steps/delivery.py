"""The policies that let AWS deliver logs: to a bucket, under a key, to a topic, and through a role.

Shapes and Sids are those of AWS's own pages (CloudTrail, Config, KMS, SNS user guides). Every function gives
statements, to be merged into the policy of a resource that has statements of others too; the two that belong
to a role, which is ours alone, give a document.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..compare.policy import PolicyError, Statement, arn, document

Names = str | Sequence[str]  # one, or several

# The Sids that stand in a log bucket's policy without a mark.
TLS_SIDS: Final = frozenset({"DenyInsecureTransport"})
CLOUDTRAIL_SIDS: Final = frozenset(
    {
        "AWSCloudTrailAclCheck20150319",
        "AWSCloudTrailWrite20150319",
        "AWSCloudTrailOrganizationWrite20150319",
    }
)
CONFIG_SIDS: Final = frozenset(
    {"AWSConfigBucketPermissionsCheck", "AWSConfigBucketExistenceCheck", "AWSConfigBucketDelivery"}
)
BUCKET_SIDS: Final = TLS_SIDS | CLOUDTRAIL_SIDS | CONFIG_SIDS
KEY_SIDS: Final = frozenset(
    {
        *("EnableRoot", "CloudTrailEncrypt", "CloudTrailDescribe", "CloudTrailDecryptForBucketKeys"),
        *("ConfigDelivery", "AlarmsToEncryptedTopic"),
    }
)
TOPIC_SIDS: Final = frozenset({"CloudTrailPublish", "ConfigPublish", "AlarmsPublish"})

CLOUDTRAIL: Final = "cloudtrail.amazonaws.com"
CONFIG: Final = "config.amazonaws.com"
CLOUDWATCH: Final = "cloudwatch.amazonaws.com"
_FULL_CONTROL: Final = {"s3:x-amz-acl": "bucket-owner-full-control"}


def deny_insecure_transport(bucket_arn: str) -> list[Statement]:
    """Nobody uses the bucket without TLS."""
    return [
        {
            "Sid": "DenyInsecureTransport",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            # Text: scanners do not take a JSON boolean for it.
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def cloudtrail_delivery(
    bucket_arn: str,
    prefix: str | None,
    trail_arn: Names,
    owner_account: Names,
    organization_id: str | None = None,
    *,
    mark: str = "",
) -> list[Statement]:
    """The trails deliver below *prefix*, for their own accounts and, given its id, for the organization.

    An organization trail needs both: CreateTrail tries the management account's path too. *mark* goes to the
    end of each Sid, see `mark_of`.
    """
    source = {"aws:SourceArn": _names(trail_arn, "trail")}
    writes = {**_FULL_CONTROL, **source}
    accounts = sorted({owner_account} if isinstance(owner_account, str) else set(owner_account))
    paths = {"AWSCloudTrailWrite20150319": [_path(bucket_arn, prefix, account) for account in accounts]}
    if organization_id:
        paths["AWSCloudTrailOrganizationWrite20150319"] = [_path(bucket_arn, prefix, organization_id)]
    return [
        _allow(f"AWSCloudTrailAclCheck20150319{mark}", CLOUDTRAIL, "s3:GetBucketAcl", bucket_arn, source),
        *(
            _allow(f"{sid}{mark}", CLOUDTRAIL, "s3:PutObject", _names(below, "account"), writes)
            for sid, below in paths.items()
        ),
    ]


def config_delivery(
    bucket_arn: str,
    prefix: str | None,
    account_ids: Names,
    organization_id: str | None = None,
    *,
    mark: str = "",
) -> list[Statement]:
    """AWS Config delivers below *prefix*, as itself, for these accounts or for a whole organization.

    With an organization the two checks carry no condition, as in Control Tower's own log bucket. A standalone
    account has no aws:SourceOrgID and needs the list, which reaches S3's limit at 100 to 150 accounts.
    """
    if organization_id:
        source: dict[str, Any] = {}
        objects: Names = _path(bucket_arn, prefix, "*")
        writes: dict[str, Any] = {"aws:SourceOrgID": organization_id}
    else:
        accounts = [account_ids] if isinstance(account_ids, str) else sorted(set(account_ids))
        source = writes = {"AWS:SourceAccount": _names(accounts, "account")}
        objects = _names([_path(bucket_arn, prefix, account, "Config/") for account in accounts], "account")
    return [
        _allow(f"AWSConfigBucketPermissionsCheck{mark}", CONFIG, "s3:GetBucketAcl", bucket_arn, source),
        _allow(f"AWSConfigBucketExistenceCheck{mark}", CONFIG, "s3:ListBucket", bucket_arn, source),
        _allow(f"AWSConfigBucketDelivery{mark}", CONFIG, "s3:PutObject", objects, _FULL_CONTROL | writes),
    ]


def mark_of(prefix: str | None) -> str:
    """The end of the Sids of a second delivery into one bucket: letters and digits, another for each prefix.

    The first delivery of a kind goes without, so that its Sids are those AWS documents.
    """
    clean = (prefix or "").rstrip("/")
    words = "".join(word.capitalize() for word in re.findall("[A-Za-z0-9]+", clean))
    return f"{words}{hashlib.sha256(clean.encode()).hexdigest()[:6]}"


def union(*groups: Sequence[Statement]) -> list[Statement]:
    """All statements in one list, each Sid once; raises PolicyError where one Sid would say two things."""
    found: dict[str, Statement] = {}
    for statement in (statement for group in groups for statement in group):
        sid = statement["Sid"]
        if found.setdefault(sid, statement) != statement:
            raise PolicyError(f"policy: `{sid}`: want another Sid for a second delivery, give it a mark")
    return list(found.values())


def config_trust(account_id: str) -> dict[str, Any]:
    """AWS Config, acting for this account only, may assume the role."""
    return document(
        [
            {
                "Sid": "AWSConfigAssumeRole",
                "Effect": "Allow",
                "Principal": {"Service": CONFIG},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
            }
        ]
    )


def config_delivery_role_policy(
    bucket_arn: str,
    prefix: str | None,
    account_id: str,
    kms_key_arn: str | None = None,
    sns_topic_arn: str | None = None,
) -> dict[str, Any]:
    """The role delivers what Config records to the bucket, under the key and to the topic where given."""

    def allow(sid: str, action: Names, resource: str, **condition: Any) -> Statement:
        statement = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}
        return {**statement, "Condition": condition} if condition else statement

    objects = _path(bucket_arn, prefix, account_id, "Config/")
    statements = [
        allow("ConfigBucketAcl", "s3:GetBucketAcl", bucket_arn),
        allow("ConfigDelivery", ["s3:PutObject", "s3:PutObjectAcl"], objects, StringLike=dict(_FULL_CONTROL)),
    ]
    if kms_key_arn:
        statements.append(allow("ConfigEncrypt", ["kms:Decrypt", "kms:GenerateDataKey"], kms_key_arn))
    if sns_topic_arn:
        statements.append(allow("ConfigPublish", "sns:Publish", sns_topic_arn))
    return document(statements)


def kms_log_key(
    partition: str,
    key_account: str,
    *,
    trail_arn: Names = (),
    config_accounts: Names = (),
    alarm_accounts: Names = (),
) -> list[Statement]:
    """The account administers the key, and the services named here, where given, encrypt logs under it.

    The key lives in the Region of what it encrypts. Those who read the logs need kms:Decrypt besides.
    """
    root = arn(partition, "iam", "", key_account, "root")
    owner = {"Sid": "EnableRoot", "Effect": "Allow", "Principal": {"AWS": root}}
    found: list[Statement] = [{**owner, "Action": "kms:*", "Resource": "*"}]
    if trail_arn:
        source = {"aws:SourceArn": _names(trail_arn, "trail")}
        trail_arns = [trail_arn] if isinstance(trail_arn, str) else trail_arn
        owners = {name.split(":")[4] for name in trail_arns}
        trails = _names([arn(partition, "cloudtrail", "*", owner, "trail/*") for owner in owners], "trail")
        context = {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trails}}
        encrypt = _allow("CloudTrailEncrypt", CLOUDTRAIL, "kms:GenerateDataKey*", "*", source)
        found += [
            {**encrypt, "Condition": {**encrypt["Condition"], **context}},
            _allow("CloudTrailDescribe", CLOUDTRAIL, "kms:DescribeKey", "*", source),
            _allow("CloudTrailDecryptForBucketKeys", CLOUDTRAIL, "kms:Decrypt", "*", source),
        ]
    if config_accounts:
        source = {"AWS:SourceAccount": _names(config_accounts, "account")}
        found.append(_allow("ConfigDelivery", CONFIG, ["kms:Decrypt", "kms:GenerateDataKey"], "*", source))
    if alarm_accounts:
        source = {"aws:SourceAccount": _names(alarm_accounts, "account")}
        actions = ["kms:Decrypt", "kms:GenerateDataKey*"]
        found.append(_allow("AlarmsToEncryptedTopic", CLOUDWATCH, actions, "*", source))
    return found


def sns_topic(
    topic_arn: str,
    *,
    trail_arn: Names = (),
    config_accounts: Names = (),
    alarm_accounts: Names = (),
) -> list[Statement]:
    """The services named here publish to the topic.

    A topic is born with a statement for its owner (`__default_statement_ID`); merging keeps it.
    """
    wanted = (
        ("CloudTrailPublish", CLOUDTRAIL, "aws:SourceArn", trail_arn),
        ("ConfigPublish", CONFIG, "AWS:SourceAccount", config_accounts),
        ("AlarmsPublish", CLOUDWATCH, "aws:SourceAccount", alarm_accounts),
    )
    return [
        _allow(sid, service, "sns:Publish", topic_arn, {key: _names(names, "source")})
        for sid, service, key, names in wanted
        if names
    ]


def _allow(
    sid: str, service: str, action: Names, resource: Names, equals: Mapping[str, Names]
) -> dict[str, Any]:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
    }
    return {**statement, "Condition": {"StringEquals": dict(equals)}} if equals else statement


def _path(bucket_arn: str, prefix: str | None, owner: str, below: str = "") -> str:
    clean = (prefix or "").rstrip("/")
    return f"{bucket_arn}/{clean}{'/' if clean else ''}AWSLogs/{owner}/{below}*"


def _names(names: Names, what: str) -> Names:
    """One name as itself, several sorted and once each: what AWS gives back."""
    found = [names] if isinstance(names, str) else sorted(set(names))
    if not found:
        raise PolicyError(f"policy: want at least one {what}, got none")
    return found[0] if len(found) == 1 else found
