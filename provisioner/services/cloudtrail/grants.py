"""What the trail needs of its bucket and of its key: statements of their policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ...aws import Aws
from ...aws.errors import BotoCoreError, ClientError
from ...baseline import Baseline
from ...model import Refused
from ...steps.delivery import Delivery, delivers
from ...steps.key_use import KeyUse, uses_key
from ...steps.organization import read_organization
from .delivery import bucket_key_statements, cloudtrail_delivery, trail_key_statements
from .section import Trail
from .state import trail_arn
from .trails import look_up_trail, read_trails

_Trail = Mapping[str, Any]


@delivers
def trail_delivery(aws: Aws, baseline: Baseline) -> Iterator[Delivery]:
    """The delivery of the trail: for its owner and, if it is an organization trail, for every account.

    What the file leaves to AWS is as AWS has it: an organization trail that stays so as the stricter, a prefix, and a
    home in another Region. A trail of another account is not seen here, unless it is the organization's.
    """
    if Trail not in baseline:
        return
    section = baseline[Trail]
    trail, arn = _trail(aws, baseline)
    for_organization = section.is_organization_trail
    if trail and not section.exact:
        for_organization |= bool(trail.get("IsOrganizationTrail"))
    prefix = section.s3_key_prefix
    if trail and "s3_key_prefix" not in section.model_fields_set:
        prefix = trail.get("S3KeyPrefix") or ""
    organization = read_organization(aws) if for_organization else None
    statements = partial(
        cloudtrail_delivery,
        prefix=prefix or None,
        trail_arn=arn,
        owner_account=arn.split(":")[4],
        organization_id=organization.id if organization else None,
    )
    headers = {"s3:x-amz-server-side-encryption": "aws:kms"} if section.kms_key_id else {}
    in_use = partial(_in_use, aws, "S3BucketName")
    key_statements = bucket_key_statements(arn)
    yield Delivery("cloudtrail", section.s3_bucket_name, statements, headers, in_use, key_statements)


@uses_key
def trail_key(aws: Aws, baseline: Baseline) -> Iterator[KeyUse]:
    """The key with which the trail encrypts its log files."""
    key = baseline[Trail].kms_key_id if Trail in baseline else None
    if key:
        _, arn = _trail(aws, baseline)
        yield KeyUse(key, trail_key_statements(arn), partial(_in_use, aws, "KmsKeyId"))


def _trail(aws: Aws, baseline: Baseline) -> tuple[_Trail | None, str]:
    """The trail of the file, if there is one that can be read, and its ARN."""
    arn = trail_arn(aws, baseline)
    try:
        trail, _ = look_up_trail(aws, arn, every_region=baseline[Trail].is_multi_region_trail)
    except (ClientError, BotoCoreError, Refused):
        trail = None  # the step `cloudtrail` reads it too, and fails; the buckets and keys need not
    return trail, str(trail["TrailARN"]) if trail else arn


def _in_use(aws: Aws, field: str, source: str, name: str) -> bool:
    """Whether the trail of the ARN *source* has the bucket or key *name* in that field now."""
    parts = source.split(":")
    if parts[2] != "cloudtrail" or parts[3] == "*" or parts[4] not in {aws.account, aws.central}:
        return False
    found = [each for each in read_trails(aws, parts[3]) if each["TrailARN"] == source]
    # The trail of another account is only listed here if it is the organization's.
    return parts[4] != aws.account if not found else found[0].get(field) == name
