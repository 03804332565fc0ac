"""S3 buckets as the rules of every service see them: found by name, with the policy as a document."""

from __future__ import annotations

import json
from typing import Any

from .ask import Ask
from .words import Refused


def find_bucket(name: str) -> Any | None:
    """Moto's bucket of that name, whoever owns it."""
    from moto.s3.models import s3_backends

    if name not in s3_backends.bucket_accounts:
        return None
    partition, owner = s3_backends.bucket_accounts[name]
    return s3_backends[owner][partition].buckets.get(name)


def named_bucket(ask: Ask) -> Any:
    """The bucket the request names; raises `Refused` NoSuchBucket."""
    bucket = find_bucket(ask.params.get("Bucket", ""))
    if bucket is None:
        raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
    return bucket


def policy_of(bucket: Any) -> dict[str, Any] | None:
    """The bucket's policy document; None where there is none, or none that can be read."""
    try:
        document = json.loads(bucket.policy or b"null")
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
