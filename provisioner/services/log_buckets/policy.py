"""The policy of a log bucket. Statements are ours by their Sid; those of others stay."""

from __future__ import annotations

from typing import Any

from ...compare import policy
from ...compare.policy import Statement
from ...model import Call, Changes, Wait
from ...steps.statements import statements
from .state import PROPAGATION, Bucket


def bucket_policy(bucket: Bucket) -> Changes:
    """Add or repair our statements."""

    def put(document: dict[str, Any]) -> Call:
        call = bucket.put("put_bucket_policy", Policy=policy.compact(document))
        until = "S3 to know the new principal of the bucket policy"
        return call.waiting(Wait("MalformedPolicy", until, "Invalid principal", PROPAGATION))

    yield from statements(
        bucket.title,
        bucket.have("get_bucket_policy"),
        bucket.statements,
        put,
        partition=bucket.aws.partition,
        most=policy.BUCKET_POLICY_BYTES,
    )


def deny_insecure_transport(bucket_arn: str) -> list[Statement]:
    """Deny every request to the bucket without TLS."""
    return [
        {
            "Sid": "DenyInsecureTransport",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            # Text, because scanners do not accept a JSON boolean.
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
