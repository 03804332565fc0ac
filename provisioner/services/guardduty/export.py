"""The step `guardduty_export`: where a detector exports its findings to, and the proof that it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...compare.policy import arn
from ...model import (
    PENDING,
    Call,
    Changes,
    Difference,
    Exists,
    Finding,
    Findings,
    Kind,
    Note,
    Refused,
    Scope,
    Wait,
    create,
)
from ...steps.existing import Existing
from ...steps.key_use import look_at_own_key
from ...steps.references import resolve, resource_key
from ...steps.regions import is_opt_in
from ...steps.registry import step, verify
from ...steps.settings import Strictness, settings
from .section import GuardDuty, PublishingDestination
from .state import BAD_REQUEST, DETECTOR, SERVICE, detector_id, read_destination

TITLE: Final = "publishing destination"
# "The request failed because the GuardDuty service principal does not have permission to the KMS key or the resource
# specified by destinationArn parameter": the policy of a bucket takes effect with a delay.
_LET_IN: Final = Wait(BAD_REQUEST, "GuardDuty to be let into the bucket", "does not have permission", 60)
_PROOFS: Final = {"PUBLISHING": True, "PENDING_VERIFICATION": None}


@step(
    "guardduty_export",
    GuardDuty,
    Scope.REGION,
    needs=("guardduty", "log_buckets"),
    clients=(SERVICE,),
    refers_to=("key",),
    field="publishing_destination",
)
def ensure_guardduty_export(aws: Aws, baseline: Baseline) -> Changes:
    """Export the findings of the Region to the bucket of the file, encrypted with its key."""
    section = baseline[GuardDuty].publishing_destination
    if section is None:
        return
    look = look_at_own_key(aws, baseline, section.kms_key_arn)
    detector = detector_id(aws)
    reading = read_destination(aws, detector) if detector else None
    key = look()
    bucket = resolve(aws, baseline, "bucket", section.s3_bucket_name).name
    bucket_arn = arn(aws.partition, "s3", "", "", bucket)
    have = dict(reading.get("DestinationProperties")) if reading else {}
    want = {
        "DestinationArn": _destination(section, bucket_arn, have),
        "KmsKeyArn": (key.answer or {}).get("Arn", section.kms_key_arn),
    }
    owner = {"ExpectedBucketOwner": aws.archive}
    if any(have.get(key) != value for key, value in want.items()):
        _check_key(key)
        _check_region(aws, baseline.general.home_region)

    def using(call: Call) -> Call:
        call = call.waiting(_LET_IN).using(resource_key("bucket", bucket), *key.uses)
        return call if detector else call.using(f"guardduty/{DETECTOR}")

    write = aws.write(SERVICE)
    if reading is None:
        call = write.create_publishing_destination(
            DetectorId=detector or PENDING, DestinationType="S3", DestinationProperties={**want, **owner}
        )
        yield create(TITLE, want, using(call).or_done(BAD_REQUEST, text="already"))
        return
    yield Exists(TITLE)

    def put(changed: dict[str, Any]) -> Call:
        destination = {"DetectorId": detector, "DestinationId": reading.get("DestinationId")}
        call = write.update_publishing_destination(**destination, DestinationProperties={**changed, **owner})
        return using(call).based_on(reading.at("DestinationProperties"))

    # One that is older than the field has no owner in it.
    asked = {**want, **{key: value for key, value in owner.items() if have.get(key)}}
    yield from settings(
        TITLE, have, asked, put, Strictness({}, exact=False), whole=True, warn=_warn_of_a_move
    )


def _destination(section: PublishingDestination, bucket_arn: str, have: Mapping[str, Any]) -> str:
    """The ARN of the bucket with the prefix of the file, or with AWS's where the file leaves it out."""
    present = str(have.get("DestinationArn", ""))
    if section.s3_key_prefix is None:
        return present if present.partition("/")[0] == bucket_arn else bucket_arn
    asked = f"{bucket_arn}/{section.s3_key_prefix}".rstrip("/")
    return present if present.rstrip("/") == asked else asked


def _warn_of_a_move(repairs: Mapping[str, Difference]) -> Iterator[Note]:
    # A note, not a consent: somebody who exports elsewhere must not stop the repair.
    if moved := repairs.get("DestinationArn"):
        yield Note(
            Kind.WARNING, TITLE, f"findings so far stay in `{moved.have}`; its readers get nothing new there"
        )


def _check_key(found: Existing) -> None:
    """Raise Refused where GuardDuty cannot use the key, and the error of a look that is denied."""
    if found.ok is False:
        raise Refused(f"`guardduty.publishing_destination.kms_key_arn`: {found.text}")
    if found.error:
        raise found.error


def _check_region(aws: Aws, home: str) -> None:
    """Raise Refused where GuardDuty does not export to the home Region, in which the bucket is."""
    if aws.region != home and is_opt_in(home, aws.partition):
        raise Refused(
            f"GuardDuty exports no findings of {aws.region} to a bucket in {home}, which accounts must enable first: set"
            f" `home_region` to a Region that is enabled by default, or take {aws.region} from `regions`"
        )


@verify("guardduty_export")
def verify_guardduty_export(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether GuardDuty exports findings, and whether the key can be used."""
    section = baseline[GuardDuty].publishing_destination
    if section is None:
        return
    look = look_at_own_key(aws, baseline, section.kms_key_arn)
    detector = detector_id(aws)
    reading = read_destination(aws, detector) if detector else None
    if reading is None:
        yield Finding(TITLE, "publishing", False, "not there")
    else:
        status = reading.get("Status")
        yield Finding(TITLE, "publishing", _PROOFS.get(status, False), status)
    key = look()
    yield Finding(TITLE, "KMS key", key.ok, key.text)
