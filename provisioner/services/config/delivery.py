"""The statements with which AWS Config delivers to a bucket, and the policies of a role of its own.

AWS Config Developer Guide, "Permissions for the Amazon S3 bucket" and "Permissions for the IAM role".
"""

from __future__ import annotations

from typing import Any, Final

from ...compare.policy import Statement, document
from ...steps.delivery import FULL_CONTROL, Names, allow_service, log_path, one_or_sorted

CONFIG: Final = "config.amazonaws.com"


def config_delivery(
    bucket_arn: str,
    prefix: str | None,
    account_ids: Names,
    organization_id: str | None = None,
) -> list[Statement]:
    """AWS Config delivers below *prefix*, as itself, for these accounts or for a whole organization.

    With an organization the two checks carry no condition, as in Control Tower's own log bucket. A standalone
    account has no aws:SourceOrgID and needs the list, which reaches S3's limit at 100 to 150 accounts.
    """
    if organization_id:
        source: dict[str, Any] = {}
        objects: Names = log_path(bucket_arn, prefix, "*")
        writes: dict[str, Any] = {"aws:SourceOrgID": organization_id}
    else:
        accounts = [account_ids] if isinstance(account_ids, str) else sorted(set(account_ids))
        source = writes = {"AWS:SourceAccount": one_or_sorted(accounts, "account")}
        objects = one_or_sorted(
            [log_path(bucket_arn, prefix, account, "Config/") for account in accounts], "account"
        )
    return [
        allow_service("AWSConfigBucketPermissionsCheck", CONFIG, "s3:GetBucketAcl", bucket_arn, source),
        allow_service("AWSConfigBucketExistenceCheck", CONFIG, "s3:ListBucket", bucket_arn, source),
        allow_service("AWSConfigBucketDelivery", CONFIG, "s3:PutObject", objects, FULL_CONTROL | writes),
    ]


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

    objects = log_path(bucket_arn, prefix, account_id, "Config/")
    statements = [
        allow("ConfigBucketAcl", "s3:GetBucketAcl", bucket_arn),
        allow("ConfigDelivery", ["s3:PutObject", "s3:PutObjectAcl"], objects, StringLike=dict(FULL_CONTROL)),
    ]
    if kms_key_arn:
        statements.append(allow("ConfigEncrypt", ["kms:Decrypt", "kms:GenerateDataKey"], kms_key_arn))
    if sns_topic_arn:
        statements.append(allow("ConfigPublish", "sns:Publish", sns_topic_arn))
    return document(statements)
