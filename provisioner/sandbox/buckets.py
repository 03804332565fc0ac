"""Find S3 buckets by name, and read their policies, for the rules of every service."""

from __future__ import annotations

import json
from typing import Any

from .ask import Request
from .model import Refused


def find_bucket(name: str) -> Any | None:
    """Moto's bucket of that name, in whichever account."""
    from moto.s3.models import s3_backends

    if name not in s3_backends.bucket_accounts:
        return None
    partition, owner = s3_backends.bucket_accounts[name]
    return s3_backends[owner][partition].buckets.get(name)


def requested_bucket(request: Request) -> Any | None:
    """The bucket in the request's parameters; None if it does not exist."""
    return find_bucket(request.params.get("Bucket", ""))


def named_bucket(request: Request) -> Any:
    """The bucket in the request's parameters. Raises `Refused` (NoSuchBucket)."""
    bucket = requested_bucket(request)
    if bucket is None:
        raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
    return bucket


def default_key(bucket: Any) -> str | None:
    """The id or ARN of the KMS key in the bucket's default encryption; None if it has no key of the owner's choice."""
    rule: Any = (bucket.encryption or {}).get("Rule") or {}
    for each in rule if isinstance(rule, list) else [rule]:
        if key := (each.get("ApplyServerSideEncryptionByDefault") or {}).get("KMSMasterKeyID"):
            return str(key)
    return None


def policy_of(bucket: Any) -> dict[str, Any] | None:
    """The bucket's policy as a document; None if there is none, or it is no JSON object."""
    try:
        document = json.loads(bucket.policy or b"null")
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
