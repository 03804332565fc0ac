"""Resources that CloudTrail must find before it creates, updates or starts a trail."""

from __future__ import annotations

from collections.abc import Iterator

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rules.propagation import Resource, creates, needs, role
from .trails import PRINCIPAL


@creates("cloudtrail:CreateTrail")
def _trail_made(request: Request) -> Iterator[Resource]:
    yield "trail", request.params["Name"]


@needs("cloudtrail:StartLogging", "cloudtrail:PutEventSelectors", "cloudtrail:UpdateTrail")
def _logging_needs(request: Request) -> Iterator[tuple[Resource, Refused]]:
    name = str(request.params.get("Name") or request.params.get("TrailName"))
    yield ("trail", name.rpartition("/")[2]), Refused("TrailNotFoundException", f"Unknown trail: {name}")


@needs("cloudtrail:CreateTrail", "cloudtrail:UpdateTrail")
def _trail_needs(request: Request) -> Iterator[tuple[Resource, Refused]]:
    if request.params.get("IsOrganizationTrail"):
        text = "Trusted access for CloudTrail is not enabled in the organization."
        yield ("trust", PRINCIPAL), Refused("CloudTrailAccessNotEnabledException", text)
    name = request.params.get("S3BucketName", "")
    yield ("bucket", name), Refused("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")
    text = f"Incorrect S3 bucket policy is detected for bucket: {name}"
    yield ("policy", name), Refused("InsufficientS3BucketPolicyException", text)
    text = "Access denied. Check the trust relationships for your role."
    denied = Refused("InvalidCloudWatchLogsRoleArnException", text)
    yield role(request.params.get("CloudWatchLogsRoleArn")), denied
