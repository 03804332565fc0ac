"""Where Macie stores the results of discovery: bucket and key are tried when they are put."""

from __future__ import annotations

from typing import Any

from ....compare.policy_eval import Act, decide
from ....sandbox.ask import Request
from ....sandbox.buckets import find_bucket, policy_of
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.kms import find_key, key_refuses
from ....sandbox.rules.organizations import find_organization
from .session import PRINCIPAL, session_of


@instead("macie2.export", "GetClassificationExportConfiguration", row="14 macie2 export")
def get(request: Request) -> dict[str, Any]:
    """A new session stores results nowhere."""
    found = session_of(request)["destination"]
    return {"configuration": {"s3Destination": dict(found)} if found else {}}


@instead("macie2.export_put", "PutClassificationExportConfiguration", row="8 PutClassificationExport")
def put(request: Request) -> dict[str, Any]:
    """The bucket must let Macie find and write to it, and the key, of the bucket's Region, let it encrypt."""
    found = session_of(request)
    destination = request.params["configuration"].get("s3Destination")
    if destination and (fault := _fault(request, destination)):
        raise Refused("ValidationException", f"The request failed because {fault}.")
    found["destination"] = dict(destination) if destination else None
    return {"configuration": request.params["configuration"]}


def _fault(request: Request, destination: dict[str, Any]) -> str:
    """Why Macie cannot store results there; an empty text if it can."""
    name, prefix = destination["bucketName"], destination.get("keyPrefix") or ""
    bucket = find_bucket(name)
    owner = destination.get("expectedBucketOwner")
    if bucket is None or owner not in {None, bucket.account_id}:
        return f"the bucket {name} doesn't exist, or belongs to another account"
    key = find_key(destination["kmsKeyArn"], request.account, bucket.region_name)
    if key is None or key.key_state != "Enabled":
        return "the KMS key isn't enabled in the bucket's Region"
    where = f"arn:{request.partition}:s3:::{name}"
    path = f"{prefix.rstrip('/')}/AWSLogs/{request.account}/Macie/{request.region}/test".lstrip("/")
    context = _context(request)
    headers = {
        "s3:x-amz-server-side-encryption": "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": destination["kmsKeyArn"],
    }
    acts = (
        Act("s3:GetBucketLocation", where, PRINCIPAL, context),
        Act("s3:PutObject", f"{where}/{path}", PRINCIPAL, {**context, **headers}),
    )
    if any(decide(policy_of(bucket), act) != "allow" for act in acts):
        return f"Macie isn't allowed to write to the bucket {name}"
    if key_refuses(key, PRINCIPAL, ("kms:GenerateDataKey", "kms:Encrypt"), context):
        return "Macie isn't allowed to use the KMS key"
    return ""


def _context(request: Request) -> dict[str, str]:
    """The condition keys of a request that Macie makes."""
    held = find_organization(request.account, request.partition)
    source = f"arn:{request.partition}:macie2:{request.region}:{request.account}:export-configuration:1"
    return {
        "aws:securetransport": "true",
        "aws:sourceaccount": request.account,
        "aws:sourcearn": source,
        "aws:principalisawsservice": "true",
        "aws:principalservicename": PRINCIPAL,
        **({"aws:sourceorgid": held.org.id} if held is not None else {}),
    }
