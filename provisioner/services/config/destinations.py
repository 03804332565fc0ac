"""What the file names for deliveries of AWS Config and what others make: the KMS key and the SNS topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...aws import Aws
from ...model import Finding
from ...steps import existing
from ...steps.existing import Existing, Look, is_foreign
from .section import Config, region_of


class Destination(NamedTuple):
    """A key or topic. *ok* is None if nobody may look at it, as in another account."""

    field: str  # in `config.delivery_channel`
    what: str
    found: Existing

    @property
    def trouble(self) -> str:
        """Why AWS Config cannot deliver with it, with the remedy; an empty text if it can, or if that is unknown."""
        return f"`config.delivery_channel.{self.field}`: {self.found.text}" if self.found.ok is False else ""

    def finding(self, title: str) -> Finding:
        """The finding for `verify`, about the channel of that title."""
        return Finding(title, self.what, self.found.ok, self.found.text)


def read_destinations(aws: Aws, section: Config) -> list[Destination]:
    """Look at the key and the topic that the file names. The reads are made at the same time."""
    channel = section.delivery_channel
    key, topic = channel.s3_kms_key_arn, channel.sns_topic_arn
    looks = [
        (
            "s3_kms_key_arn",
            "KMS key",
            _look(aws, "key", key, lambda arn: existing.key(aws, arn, region_of(arn))),
        ),
        ("sns_topic_arn", "SNS topic", _look(aws, "topic", topic, lambda arn: existing.topic(aws, arn))),
    ]
    found = [Destination(field, what, look()) for field, what, look in looks if look]
    return [each if each.what == "KMS key" else _in_region(aws, each) for each in found]


def _look(aws: Aws, what: str, arn: str | None, start: Callable[[str], Look]) -> Look | None:
    """Start to look at the thing, if the file names it. Its owner alone may."""
    if arn is None:
        return None
    if is_foreign(aws, arn):
        return lambda: Existing(what, arn, None, "is in another account and cannot be looked at")
    return start(arn)


def _in_region(aws: Aws, topic: Destination) -> Destination:
    if (region := region_of(topic.found.name)) == aws.region:
        return topic
    detail = f"is in {region}, and AWS Config takes a topic of its own Region only, here {aws.region}"
    remedy = "write `${region}` in the ARN, and make a topic in each Region"
    return topic._replace(found=topic.found.but(detail, remedy))
