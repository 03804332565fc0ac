"""What AWS Config needs to see before it takes a delivery channel or starts to record."""

from __future__ import annotations

from collections.abc import Iterator

from ....sandbox.ask import Ask
from ....sandbox.rules.propagation import Thing, made, needs, role
from ....sandbox.words import Refused


@made("config:PutDeliveryChannel")
def _channel_made(ask: Ask) -> Iterator[Thing]:
    yield "channel", ask.account, ask.region


@needs("config:StartConfigurationRecorder")
def _start_needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    text = "Delivery channel is not available to start configuration recorder."
    yield ("channel", ask.account, ask.region), Refused("NoAvailableDeliveryChannelException", text)


@needs("config:PutDeliveryChannel")
def _channel_needs(ask: Ask) -> Iterator[tuple[Thing, Refused]]:
    name = (ask.params.get("DeliveryChannel") or {}).get("s3BucketName", "")
    recorder = next(iter(ask.store().recorders.values()), None)
    role_arn = recorder.role_arn if recorder is not None else ""
    yield ("bucket", name), Refused("NoSuchBucketException", f"Cannot find a S3 bucket with the name {name}")
    start = f"Insufficient delivery policy to s3 bucket: {name}, unable to"
    yield role(role_arn), Refused("InsufficientDeliveryPolicyException", f"{start} assume role: {role_arn}.")
    end = "provided s3 key prefix is 'null', provided kms key is 'null'."
    yield ("policy", name), Refused("InsufficientDeliveryPolicyException", f"{start} write to bucket, {end}")
