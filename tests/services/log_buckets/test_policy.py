"""Tests of the bucket policy statement that every log bucket has."""

from __future__ import annotations

from provisioner.services.log_buckets.policy import deny_insecure_transport

BUCKET = "arn:aws:s3:::logs"


def test_tls_is_denied_with_the_text_false() -> None:
    (found,) = deny_insecure_transport(BUCKET)
    assert found == {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, f"{BUCKET}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
