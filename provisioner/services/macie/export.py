"""Ensure that Macie stores the results of discovery in a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...aws import Aws
from ...baseline import Baseline
from ...model import Call, Changes, Difference, Finding, Kind, Note, Refused, Wait
from ...steps.references import resolve, resource_key
from ...steps.settings import Strictness, settings
from .delivery import look_at_key
from .section import ClassificationExport, Macie
from .state import ENABLED, SERVICE, TITLE, read_destination


def ensure_export(aws: Aws, baseline: Baseline, export: ClassificationExport) -> Changes:
    """Bring the destination of results to the baseline, in one request that holds all its fields.

    Raises Refused if the key does not exist or cannot be used.
    """
    look, have = look_at_key(aws, export), read_destination(aws)
    if (key := look()).ok is False:
        raise Refused(f"`macie.classification_export.kms_key_arn`: {key.text}")
    want = _destination(aws, baseline, export)
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
        return call.using(resource_key("bucket", bucket)).based_on(reading.at("configuration"))

    def warn(repairs: Mapping[str, Difference]) -> Iterator[Note]:
        old = repairs["bucketName"].have if "bucketName" in repairs else None
        if old:
            # This needs no consent: who stores the results in their own bucket must not stop the repair.
            text = f"results so far stay in `{old}`; its readers get nothing new there"
            yield Note(Kind.WARNING, TITLE, text)

    yield from settings(TITLE, have, want, put, Strictness({}, exact=False), whole=True, warn=warn)


def _destination(aws: Aws, baseline: Baseline, export: ClassificationExport) -> dict[str, Any]:
    """The fields of S3Destination that the file asks for. The owner of the log buckets is always one of them."""
    bucket = resolve(aws, baseline, "bucket", export.bucket_name).name
    want = {"bucketName": bucket, "expectedBucketOwner": aws.archive, "kmsKeyArn": export.kms_key_arn}
    return want if export.key_prefix is None else {**want, "keyPrefix": export.key_prefix or None}


def verify_export(aws: Aws, baseline: Baseline) -> Iterator[Finding]:
    """Find whether results are stored in the bucket, and whether the key can be used."""
    export = baseline[Macie].classification_export
    if export is None:
        return
    look, have, want = look_at_key(aws, export), read_destination(aws), _destination(aws, baseline, export)
    bucket, key = have.get("bucketName"), look()
    ok = all(have.get(name) == each for name, each in want.items())
    yield Finding(TITLE, "results stored", ok, f"in {bucket}" if bucket else "for 90 days only")
    yield Finding(TITLE, "KMS key", key.ok, key.text)
