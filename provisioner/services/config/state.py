"""What AWS Config has in one Region, in the shape that we write it in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...aws import Aws
from ...compare.spelling import CONTROL_TOWER
from ...model import Kind, Note

Thing = Mapping[str, Any]


class Found(NamedTuple):
    """The customer-managed recorder and what belongs to it. *others* names the recorders of AWS services."""

    recorder: Thing | None
    status: Thing
    channel: Thing | None
    retention: int | None  # days; None where never set, or not asked for
    others: tuple[str, ...]

    @property
    def control_tower(self) -> str | None:
        """What Control Tower set up here, where it did; its service control policies keep it so."""
        recorder = str(self.recorder["name"]) if self.recorder else ""
        if recorder.startswith(CONTROL_TOWER):
            return recorder_title(recorder)
        channel = str(self.channel["name"]) if self.channel else ""
        return channel_title(channel) if channel.startswith(CONTROL_TOWER) else None


def read_config(aws: Aws, *, retention: bool) -> Found:
    """What there is in the Region, all asked for at once. *retention* asks how long history is kept too."""
    read = aws.read("config")
    recorders_asked = read.describe_configuration_recorders()
    channels_asked = read.describe_delivery_channels()
    status_asked = read.describe_configuration_recorder_status()
    kept = read.describe_retention_configurations().get("RetentionConfigurations") if retention else []
    recorders = recorders_asked.get("ConfigurationRecorders")
    channels = channels_asked.get("DeliveryChannels")
    statuses = status_asked.get("ConfigurationRecordersStatus")
    ours = next((each for each in recorders if not _of_a_service(each)), None)
    return Found(
        recorder=ours,
        status=next((each for each in statuses if ours and each["name"] == ours["name"]), {}),
        channel=channels[0] if channels else None,
        retention=kept[0]["RetentionPeriodInDays"] if kept else None,
        others=tuple(str(each["name"]) for each in recorders if _of_a_service(each)),
    )


def _of_a_service(recorder: Thing) -> bool:
    """It is linked to an AWS service, or records another cloud: no call of ours may change it."""
    linked = recorder.get("servicePrincipal") or recorder.get("connectorArn")
    return bool(linked) or str(recorder["name"]).startswith("AWSConfigurationRecorderFor")


def recorder_title(name: str) -> str:
    """The recorder in plans and messages."""
    return f"configuration recorder {name}"


def channel_title(name: str) -> str:
    """The delivery channel in plans and messages."""
    return f"delivery channel {name}"


def adopted(resource: str, have: Thing | None, name: str) -> Iterator[Note]:
    """A note where the thing that is there has another *name* than the baseline's; no call can rename it."""
    if have is not None and have["name"] != name:
        text = f"was there, and is adopted under its own name; the baseline's is {name}"
        yield Note(Kind.FOREIGN, resource, text)
