"""Resources that AWS Config must find before it accepts a delivery channel or starts to record."""

from __future__ import annotations

from collections.abc import Iterator

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rules.propagation import Resource, creates, needs, role
from .delivery import find_recorder


@creates("config:PutDeliveryChannel")
def _channel_made(request: Request) -> Iterator[Resource]:
    yield "channel", request.account, request.region


@needs("config:StartConfigurationRecorder")
def _start_needs(request: Request) -> Iterator[tuple[Resource, Refused]]:
    text = "Delivery channel is not available to start configuration recorder."
    yield ("channel", request.account, request.region), Refused("NoAvailableDeliveryChannelException", text)


@needs("config:PutDeliveryChannel")
def _channel_needs(request: Request) -> Iterator[tuple[Resource, Refused]]:
    name = (request.params.get("DeliveryChannel") or {}).get("s3BucketName", "")
    recorder = find_recorder(request)
    role_arn = recorder.role_arn if recorder is not None else ""
    yield ("bucket", name), Refused("NoSuchBucketException", f"Cannot find a S3 bucket with the name {name}")
    start = f"Insufficient delivery policy to s3 bucket: {name}, unable to"
    yield role(role_arn), Refused("InsufficientDeliveryPolicyException", f"{start} assume role: {role_arn}.")
    end = "provided s3 key prefix is 'null', provided kms key is 'null'."
    yield ("policy", name), Refused("InsufficientDeliveryPolicyException", f"{start} write to bucket, {end}")
