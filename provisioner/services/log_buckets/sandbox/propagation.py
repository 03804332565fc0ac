"""What S3 needs to see before it changes a bucket or its policy."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ....sandbox.ask import Ask
from ....sandbox.policy_eval import many
from ....sandbox.rules.propagation import Thing, made, needs, role
from ....sandbox.words import READS, Refused


@made("s3:CreateBucket")
def _bucket_made(ask: Ask) -> Iterator[Thing]:
    yield from (("bucket in S3", ask.params["Bucket"]), ("bucket", ask.params["Bucket"]))


@made("s3:PutBucketPolicy")
def _policy_made(ask: Ask) -> Iterator[Thing]:
    yield "policy", ask.params["Bucket"]


@needs("s3:*")
def _write_needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    if ask.operation.startswith(READS):
        return
    missing = Refused("NoSuchBucket", "The specified bucket does not exist", 404)
    yield ("bucket in S3", ask.params.get("Bucket", "")), missing
    try:
        document = json.loads(ask.params.get("Policy") or "{}")
    except ValueError:
        return
    if isinstance(document, dict):
        for statement in many(document.get("Statement")):
            principal = statement.get("Principal")
            for arn in many(principal.get("AWS")) if isinstance(principal, dict) else []:
                yield role(str(arn)), Refused("MalformedPolicy", "Invalid principal in policy")
