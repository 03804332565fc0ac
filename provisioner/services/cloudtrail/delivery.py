"""The statements that a trail needs in the policies of its bucket and of its key.

Source: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail" and "Configure AWS KMS key policies for CloudTrail".
"""

from __future__ import annotations

from typing import Final

from ...compare.policy import Statement, arn
from ...steps.delivery import FULL_CONTROL, SOURCE, OneOrMany, allow_service, log_path, one_or_list

CLOUDTRAIL: Final = "cloudtrail.amazonaws.com"


def cloudtrail_delivery(
    bucket_arn: str,
    prefix: str | None,
    trail_arn: OneOrMany,
    owner_account: OneOrMany,
    organization_id: str | None = None,
) -> list[Statement]:
    """Allow the trails to write below *prefix*, for their owners and, if *organization_id* is given, the organization.

    An organization trail needs both: CreateTrail tries the management account's path too.
    """
    source = {"aws:SourceArn": one_or_list(trail_arn, "trail")}
    accounts = sorted({owner_account} if isinstance(owner_account, str) else set(owner_account))
    paths = {"AWSCloudTrailWrite20150319": [log_path(bucket_arn, prefix, account) for account in accounts]}
    if organization_id:
        paths["AWSCloudTrailOrganizationWrite20150319"] = [log_path(bucket_arn, prefix, organization_id)]
    return [
        allow_service("AWSCloudTrailAclCheck20150319", CLOUDTRAIL, "s3:GetBucketAcl", bucket_arn, source),
        *(
            allow_service(
                sid, CLOUDTRAIL, "s3:PutObject", one_or_list(below, "account"), {**FULL_CONTROL, **source}
            )
            for sid, below in paths.items()
        ),
    ]


def trail_key_statements(trail_arn: str) -> list[Statement]:
    """Allow the trail to encrypt its log files with a key. Decrypt is for a bucket that has an S3 Bucket Key."""
    partition, owner = trail_arn.split(":")[1], trail_arn.split(":")[4]
    source, every = {SOURCE: trail_arn}, "*"
    encrypt = allow_service("CloudTrailEncrypt", CLOUDTRAIL, "kms:GenerateDataKey*", every, source)
    context = {
        "kms:EncryptionContext:aws:cloudtrail:arn": arn(partition, "cloudtrail", "*", owner, "trail/*")
    }
    encrypt["Condition"]["StringLike"] = context
    return [
        encrypt,
        allow_service("CloudTrailDescribe", CLOUDTRAIL, "kms:DescribeKey", every, source),
        allow_service("CloudTrailDecryptForBucketKeys", CLOUDTRAIL, "kms:Decrypt", every, source),
    ]


def bucket_key_statements(trail_arn: str) -> list[Statement]:
    """Allow the trail to deliver to a bucket that encrypts with a key by default."""
    actions = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"]
    return [allow_service("CloudTrailBucketDefault", CLOUDTRAIL, actions, "*", {SOURCE: trail_arn})]
