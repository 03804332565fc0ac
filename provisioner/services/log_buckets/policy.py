"""S3: the policy of a log bucket. Our statements are known by their Sids; those of others stay as they are."""

from __future__ import annotations

from typing import Any

from ...compare import policy
from ...compare.policy import Statement
from ...model import Call, Changes, Wait
from ...steps.statements import statements
from .state import SEEN, Bucket


def bucket_policy(bucket: Bucket) -> Changes:
    """The policy carries our statements, beside those of others."""
    unknown = "S3 to know the new principal of the bucket policy"

    def put(document: dict[str, Any]) -> Call:
        call = bucket.put("put_bucket_policy", Policy=policy.compact(document))
        return call.waiting(Wait("MalformedPolicy", unknown, "Invalid principal", SEEN))

    yield from statements(
        bucket.title,
        bucket.have("get_bucket_policy"),
        bucket.statements,
        put,
        partition=bucket.aws.partition,
        most=policy.BUCKET_POLICY_BYTES,
    )


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
