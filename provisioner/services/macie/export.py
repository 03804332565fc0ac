"""The step `macie_export`: Macie stores the results of discovery in a bucket, encrypted with a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...aws import Aws
from ...baseline import Baseline
from ...model import Call, Changes, Difference, Finding, Findings, Kind, Note, Refused, Scope, Wait
from ...steps.existing import Existing
from ...steps.key_use import look_at_own_key
from ...steps.references import resolve, resource_key
from ...steps.registry import step, verify
from ...steps.settings import Strictness, settings
from .section import ClassificationExport, Macie
from .state import ENABLED, SERVICE, TITLE, read_destination


@step(
    "macie_export",
    Macie,
    Scope.REGION,
    needs=("macie", "log_buckets"),
    clients=(SERVICE,),
    refers_to=("key",),
    field="classification_export",
)
def ensure_macie_export(aws: Aws, baseline: Baseline) -> Changes:
    """Bring the destination of results to the baseline, in one request that holds all its fields.

    Raises Refused if the key does not exist or cannot be used.
    """
    export = baseline[Macie].classification_export
    if export is None or not aws.offers(SERVICE):
        return
    aws.read(SERVICE).get_classification_export_configuration()  # beside the key
    look, have = look_at_own_key(aws, baseline, export.kms_key_arn), read_destination(aws)
    if (key := look()).ok is False:
        raise Refused(f"`macie.classification_export.kms_key_arn`: {key.text}")
    want = _destination(aws, baseline, export, key)
    bucket = str(want["bucketName"])
    reading = aws.read(SERVICE).get_classification_export_configuration()

    def put(full: dict[str, Any]) -> Call:
        given = {name: each for name, each in full.items() if each is not None}
        write = aws.write(SERVICE).put_classification_export_configuration
        until = f"Macie to be allowed to write to bucket {bucket}"
        call = write(configuration={"s3Destination": given}).waiting(
            ENABLED,
            Wait("ValidationException", until, seconds=60),
            Wait("ConflictException", until, seconds=60),
        )
        return call.using(f"macie/{TITLE}", resource_key("bucket", bucket), *key.uses).based_on(
            reading.at("configuration")
        )

    def warn(repairs: Mapping[str, Difference]) -> Iterator[Note]:
        old = repairs["bucketName"].have if "bucketName" in repairs else None
        if old:
            # This needs no consent: who stores the results in their own bucket must not stop the repair.
            text = f"results so far stay in `{old}`; its readers get nothing new there"
            yield Note(Kind.WARNING, TITLE, text)

    yield from settings(TITLE, have, want, put, Strictness({}, exact=False), whole=True, warn=warn)


def _destination(aws: Aws, baseline: Baseline, export: ClassificationExport, key: Existing) -> dict[str, Any]:
    """The fields of S3Destination that the file asks for. The owner of the log buckets is always one of them."""
    bucket = resolve(aws, baseline, "bucket", export.bucket_name).name
    key_arn = (key.answer or {}).get("Arn", export.kms_key_arn)
    want = {"bucketName": bucket, "expectedBucketOwner": aws.archive, "kmsKeyArn": key_arn}
    return want if export.key_prefix is None else {**want, "keyPrefix": export.key_prefix or None}


@verify("macie_export")
def verify_macie_export(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether results are stored in the bucket, and whether the key can be used."""
    export = baseline[Macie].classification_export
    if export is None or not aws.offers(SERVICE):
        return
    look, have = look_at_own_key(aws, baseline, export.kms_key_arn), read_destination(aws)
    bucket, key = have.get("bucketName"), look()
    want = _destination(aws, baseline, export, key)
    ok = all(have.get(name) == each for name, each in want.items())
    yield Finding(TITLE, "results stored", ok, f"in {bucket}" if bucket else "for 90 days only")
    yield Finding(TITLE, "KMS key", key.ok, key.text)
