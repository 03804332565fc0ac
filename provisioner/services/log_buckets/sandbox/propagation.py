"""Resources that S3 must find before it changes a bucket or its policy."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ....compare.policy_eval import as_list
from ....sandbox.ask import Request
from ....sandbox.model import READS, Refused
from ....sandbox.rules.propagation import Resource, creates, needs, role


@creates("s3:CreateBucket")
def _bucket_made(request: Request) -> Iterator[Resource]:
    yield from (("bucket in S3", request.params["Bucket"]), ("bucket", request.params["Bucket"]))


@creates("s3:PutBucketPolicy")
def _policy_made(request: Request) -> Iterator[Resource]:
    yield "policy", request.params["Bucket"]


@needs("s3:*")
def _write_needs(request: Request) -> Iterator[tuple[Resource, Refused]]:
    if request.operation.startswith(READS):
        return
    missing = Refused("NoSuchBucket", "The specified bucket does not exist", 404)
    yield ("bucket in S3", request.params.get("Bucket", "")), missing
    try:
        document = json.loads(request.params.get("Policy") or "{}")
    except ValueError:
        return
    if isinstance(document, dict):
        for statement in as_list(document.get("Statement")):
            principal = statement.get("Principal")
            for arn in as_list(principal.get("AWS")) if isinstance(principal, dict) else []:
                yield role(str(arn)), Refused("MalformedPolicy", "Invalid principal in policy")
