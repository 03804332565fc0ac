"""How GuardDuty exports findings to a bucket: the bucket's policy statements.

Source: GuardDuty User Guide, "Exporting generated GuardDuty findings to Amazon S3 buckets". GuardDuty tries the prefix
itself before it accepts a bucket, so the folder `AWSLogs/ACCOUNT/` below it is not enough. The id of a detector is AWS's,
so its account stands for it in the condition against a confused deputy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from ...aws import Aws
from ...aws.errors import BotoCoreError, ClientError
from ...baseline import Baseline
from ...compare.policy import Statement
from ...steps.delivery import Delivery, OneOrMany, Sources, allow_service, delivers, one_or_list, sources
from ...steps.key_use import KeyUse, uses_key
from ...steps.regions import enabled_regions, is_opt_in
from .section import GuardDuty
from .state import SERVICE, detector_id, read_destination

PRINCIPAL: Final = "guardduty.amazonaws.com"


@delivers
def guardduty_deliveries(aws: Aws, baseline: Baseline) -> Iterator[Delivery]:
    """GuardDuty exports the findings of this account, or of every account of the file."""
    destination = baseline[GuardDuty].publishing_destination if GuardDuty in baseline else None
    if destination is None:
        return
    statements = partial(
        guardduty_delivery,
        prefixes=_prefixes(aws, baseline),
        found=sources(aws, baseline),
        principals=_principals(aws, baseline),
    )
    headers = {"s3:x-amz-server-side-encryption": "aws:kms"}
    if destination.kms_key_arn.startswith("arn:"):
        headers["s3:x-amz-server-side-encryption-aws-kms-key-id"] = destination.kms_key_arn
    yield Delivery(SERVICE, destination.s3_bucket_name, statements, headers)


@uses_key
def guardduty_key(aws: Aws, baseline: Baseline) -> Iterator[KeyUse]:
    """The key with which GuardDuty encrypts the findings that it exports."""
    destination = baseline[GuardDuty].publishing_destination if GuardDuty in baseline else None
    if destination:
        source, action = _source(sources(aws, baseline)), "kms:GenerateDataKey"
        allow = allow_service("GuardDutyExport", _principals(aws, baseline), action, "*", source)
        yield KeyUse(destination.kms_key_arn, [allow])


def _principals(aws: Aws, baseline: Baseline) -> OneOrMany:
    """As whom GuardDuty exports: in a Region that must be enabled first, as a principal of that Region.

    Source: GuardDuty User Guide, "Exporting generated GuardDuty findings to Amazon S3 buckets", for key and bucket.
    """
    general = baseline.general
    regions = general.named_regions or enabled_regions(aws, general.home_region)[0]
    there = [each for each in regions if is_opt_in(each, aws.partition)]
    return one_or_list([PRINCIPAL, *(f"guardduty.{each}.amazonaws.com" for each in there)], "principal")


def _prefixes(aws: Aws, baseline: Baseline) -> list[str]:
    """The prefixes below which GuardDuty exports; an empty text is none.

    If the file leaves the prefix out, they are those of the destinations that exist in this account, and none for a new
    one, which accounts that are not looked at here may need. A Region that cannot be read counts as without one: the
    step `guardduty_export` fails there.
    """
    general, section = baseline.general, baseline[GuardDuty].publishing_destination
    if section is not None and section.s3_key_prefix is not None:
        return [section.s3_key_prefix]
    regions = general.named_regions or enabled_regions(aws, general.home_region)[0]
    for region in regions:  # start these reads before waiting for one
        aws.read(SERVICE, region).list_detectors()
    found = {""} if general.accounts else set[str]()
    for region in regions:
        present = ""
        with suppress(ClientError, BotoCoreError):
            detector = detector_id(aws, region)
            reading = read_destination(aws, detector, region) if detector else None
            arn = str(reading.get("DestinationProperties")["DestinationArn"]) if reading else ""
            present = arn.partition("/")[2].rstrip("/")
        found.add(present)
    return sorted(found)


def guardduty_delivery(
    bucket_arn: str, prefixes: Sequence[str], found: Sources, principals: OneOrMany = PRINCIPAL
) -> list[Statement]:
    """The statements that let GuardDuty of these accounts find the bucket and export below *prefixes*."""
    source = _source(found)
    paths = [f"{bucket_arn}/{prefix}/*" if prefix else f"{bucket_arn}/*" for prefix in prefixes]
    objects = one_or_list(paths, "path")
    return [
        allow_service("GuardDutyBucketLocation", principals, "s3:GetBucketLocation", bucket_arn, source),
        allow_service("GuardDutyExport", principals, "s3:PutObject", objects, source),
    ]


def _source(found: Sources) -> Mapping[str, OneOrMany]:
    """The condition against a confused deputy: the accounts for which GuardDuty acts, or their organization."""
    if found.organization_id:
        return {"aws:SourceOrgID": found.organization_id}
    return {"aws:SourceAccount": one_or_list(found.accounts, "account")}
