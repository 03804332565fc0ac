"""The bucket policy statements that a trail needs (CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail")."""

from __future__ import annotations

from typing import Final

from ...compare.policy import Statement
from ...steps.delivery import FULL_CONTROL, OneOrMany, allow_service, log_path, one_or_list

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
