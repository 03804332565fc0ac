"""The IAM action that an operation needs, which hints name. IAM's names are not always those of the operations.

The prefix is the service's signing name; the renamed actions are those of "Required permissions for Amazon S3 API
operations" in the S3 user guide. A test holds all of them against the Service Authorization Reference.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import botocore.session
from botocore.exceptions import UnknownServiceError

NOT_THE_SIGNING_NAME: Final = {"cloudwatch": "cloudwatch"}  # it is `monitoring`
# S3's settings of a bucket, of which IAM's names leave out `Bucket` and always end in `Configuration`.
_BUCKET_SETTING: Final = re.compile(
    r"(Get|Put|Delete|List)Bucket(Accelerate|Analytics|Encryption|IntelligentTiering|Inventory|Lifecycle|Metrics"
    r"|Replication)(?:Configurations?)?"
)
_RENAMED: Final = {
    "s3": {
        "CompleteMultipartUpload": "PutObject",
        "CopyObject": "PutObject",
        "CreateBucketMetadataConfiguration": "CreateBucketMetadataTableConfiguration",
        "CreateMultipartUpload": "PutObject",
        "DeleteBucketCors": "PutBucketCORS",
        "DeleteBucketMetadataConfiguration": "DeleteBucketMetadataTableConfiguration",
        "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
        "DeleteBucketTagging": "PutBucketTagging",
        "DeleteObjects": "DeleteObject",
        "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
        "GetBucketCors": "GetBucketCORS",
        "GetBucketMetadataConfiguration": "GetBucketMetadataTableConfiguration",
        "GetBucketNotificationConfiguration": "GetBucketNotification",
        "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
        "HeadBucket": "ListBucket",
        "HeadObject": "GetObject",
        "ListBuckets": "ListAllMyBuckets",
        "ListMultipartUploads": "ListBucketMultipartUploads",
        "ListObjectVersions": "ListBucketVersions",
        "ListObjects": "ListBucket",
        "ListObjectsV2": "ListBucket",
        "ListParts": "ListMultipartUploadParts",
        "PutBucketCors": "PutBucketCORS",
        "PutBucketNotificationConfiguration": "PutBucketNotification",
        "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
        "RenameObject": "PutObject",
        "SelectObjectContent": "GetObject",
        "UploadPart": "PutObject",
        "UploadPartCopy": "PutObject",
    },
    "s3control": {
        "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
        "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
        "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    },
    "iam": {"UpdateOpenIDConnectProvider": "UpdateOpenIDConnectProviderThumbprint"},
    "sns": {"PublishBatch": "Publish"},
    "lambda": {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"},
}


def iam_action(service: str, operation: str) -> str:
    """Return the action, such as `s3:GetEncryptionConfiguration`, of an operation in AWS's spelling.

    *service* is botocore's name, or empty where it is not known.
    """
    if not service:
        return operation
    name = _RENAMED.get(service, {}).get(operation, operation)
    if service == "s3" and (setting := _BUCKET_SETTING.fullmatch(name)):
        verb = {"Delete": "Put", "List": "Get"}.get(setting[1], setting[1])
        name = f"{verb}{setting[2]}Configuration"
    return f"{action_prefix(service)}:{name}"


@cache
def action_prefix(service: str) -> str:
    """Return the prefix of a service's actions."""
    if known := NOT_THE_SIGNING_NAME.get(service):
        return known
    try:
        return str(botocore.session.get_session().get_service_model(service).signing_name)
    except UnknownServiceError:
        return service
