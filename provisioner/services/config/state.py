"""Read what AWS Config has in one Region, name it in plans and messages, and ensure its tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...aws import Aws, Reading
from ...compare.spelling import CONTROL_TOWER
from ...model import Changes, Kind, Note
from ...steps.tags import from_pairs, tags, to_pairs
from .recording_section import OF_SERVICES

JsonObject = Mapping[str, Any]  # as AWS answers or takes it


class ConfigState(NamedTuple):
    """What AWS Config has in one Region: the recorder that users manage, its status, and the channel.

    *service_recorders* are the names of the recorders that belong to AWS services.
    """

    recorder: JsonObject | None
    status: JsonObject
    channel: JsonObject | None
    service_recorders: tuple[str, ...]
    recorders_read: Reading | None = None
    channels_read: Reading | None = None

    @property
    def control_tower(self) -> str | None:
        """The title of what AWS Control Tower set up here, or None. Its service control policies forbid changes."""
        for title, have in ((recorder_title, self.recorder), (channel_title, self.channel)):
            if have and str(have["name"]).startswith(CONTROL_TOWER):
                return title(have["name"])
        return None


def read_config(aws: Aws) -> ConfigState:
    """Read the state of the Region, all requests at once."""
    read = aws.read("config")
    recorders_asked = read.describe_configuration_recorders()
    channels_asked = read.describe_delivery_channels()
    status_asked = read.describe_configuration_recorder_status()
    recorders = recorders_asked.get("ConfigurationRecorders")
    channels = channels_asked.get("DeliveryChannels")
    statuses = status_asked.get("ConfigurationRecordersStatus")
    recorder = next((each for each in recorders if not _of_a_service(each)), None)
    return ConfigState(
        recorder=recorder,
        status=next((each for each in statuses if recorder and each["name"] == recorder["name"]), {}),
        channel=channels[0] if channels else None,
        service_recorders=tuple(str(each["name"]) for each in recorders if _of_a_service(each)),
        recorders_read=recorders_asked,
        channels_read=channels_asked,
    )


def _of_a_service(recorder: JsonObject) -> bool:
    """Tell whether a recorder is linked to an AWS service or to another cloud, so that no call of ours may change it."""
    linked = recorder.get("servicePrincipal") or recorder.get("connectorArn")
    return bool(linked) or str(recorder["name"]).startswith(OF_SERVICES)


def recorder_title(name: str) -> str:
    """The recorder in plans and messages."""
    return f"configuration recorder {name}"


def channel_title(name: str) -> str:
    """The delivery channel in plans and messages."""
    return f"delivery channel {name}"


def adopted(title: str, have: JsonObject | None, name: str) -> Iterator[Note]:
    """Yield a note if what is there has another name than *name*, the baseline's: AWS cannot rename it."""
    if have is not None and have["name"] != name:
        text = f"was there, and is adopted under its own name; the baseline's is {name}"
        yield Note(Kind.FOREIGN, title, text)


def read_tags(aws: Aws, arn: str) -> dict[str, str]:
    """The tags of a rule, a pack or an aggregator."""
    return from_pairs(aws.read("config").list_tags_for_resource(ResourceArn=arn).all().get("Tags"))


def ensure_tags(aws: Aws, title: str, arn: str, have: Mapping[str, str], want: Mapping[str, str]) -> Changes:
    """Ensure the tags *want* of a rule, a pack or an aggregator that exists."""
    write = aws.write("config")
    yield from tags(
        title, have, want, lambda missing: write.tag_resource(ResourceArn=arn, Tags=to_pairs(missing))
    )
