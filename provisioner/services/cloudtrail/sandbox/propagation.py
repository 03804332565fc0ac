"""What CloudTrail needs to see before it makes or starts a trail."""

from __future__ import annotations

from collections.abc import Iterator

from ....sandbox.ask import Ask
from ....sandbox.rules.propagation import Thing, made, needs, role
from ....sandbox.words import Refused
from .trails import PRINCIPAL


@made("cloudtrail:CreateTrail")
def _trail_made(ask: Ask) -> Iterator[Thing]:
    yield "trail", ask.params["Name"]


@needs("cloudtrail:StartLogging", "cloudtrail:PutEventSelectors")
def _logging_needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    name = str(ask.params.get("Name") or ask.params.get("TrailName"))
    yield ("trail", name.rpartition("/")[2]), Refused("TrailNotFoundException", f"Unknown trail: {name}")


@needs("cloudtrail:CreateTrail", "cloudtrail:UpdateTrail")
def _trail_needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    if ask.params.get("IsOrganizationTrail"):
        text = "Trusted access for CloudTrail is not enabled in the organization."
        yield ("trust", PRINCIPAL), Refused("CloudTrailAccessNotEnabledException", text)
    name = ask.params.get("S3BucketName", "")
    yield ("bucket", name), Refused("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")
    text = f"Incorrect S3 bucket policy is detected for bucket: {name}"
    yield ("policy", name), Refused("InsufficientS3BucketPolicyException", text)
    text = "Access denied. Check the trust relationships for your role."
    denied = Refused("InvalidCloudWatchLogsRoleArnException", text)
    yield role(ask.params.get("CloudWatchLogsRoleArn")), denied
