"""What the file names for deliveries of AWS Config and what others make: the KMS key and the SNS topic."""

from __future__ import annotations

from typing import NamedTuple

from ...aws import Aws
from ...baseline import Baseline
from ...baseline.partitions import region_of
from ...model import Finding
from ...steps import existing
from ...steps.existing import Existing, Look, is_foreign
from ...steps.key_use import look_at_own_key
from .section import Config


class Destination(NamedTuple):
    """A key or topic. *ok* is None if nobody may look at it, as in another account."""

    field: str  # in `config.delivery_channel`
    what: str
    found: Existing

    @property
    def is_key(self) -> bool:
        """It is the key, not the topic."""
        return self.field == "s3_kms_key_arn"

    @property
    def trouble(self) -> str:
        """Why AWS Config cannot deliver with it, with the remedy; an empty text if it can, or if that is unknown."""
        return f"`config.delivery_channel.{self.field}`: {self.found.text}" if self.found.ok is False else ""

    def finding(self, title: str) -> Finding:
        """The finding for `verify`, about the channel of that title."""
        return Finding(title, self.what, self.found.ok, self.found.text)


def look_at_delivery_key(aws: Aws, baseline: Baseline) -> Look | None:
    """Start to look at the key, if the file names one. Of one in another account, its owner alone may."""
    name = baseline[Config].delivery_channel.s3_kms_key_arn
    return look_at_own_key(aws, baseline, name) if name else None


def read_destinations(aws: Aws, baseline: Baseline) -> list[Destination]:
    """Look at the key and the topic that the file names. The reads are made at the same time."""
    channel = baseline[Config].delivery_channel
    topic = channel.sns_topic_arn
    looks = [
        ("s3_kms_key_arn", "KMS key", look_at_delivery_key(aws, baseline)),
        ("sns_topic_arn", "SNS topic", _look_at_topic(aws, topic) if topic else None),
    ]
    found = [Destination(field, what, look()) for field, what, look in looks if look]
    return [each if each.is_key else _in_region(aws, each) for each in found]


def _look_at_topic(aws: Aws, arn: str) -> Look:
    """Start to look at the topic. Its owner alone may."""
    if is_foreign(aws, arn):
        return lambda: Existing("topic", arn, None, "is in another account and cannot be looked at")
    return existing.topic(aws, arn)


def _in_region(aws: Aws, topic: Destination) -> Destination:
    if (region := region_of(topic.found.name)) == aws.region:
        return topic
    detail = f"is in {region}, and AWS Config takes a topic of its own Region only, here {aws.region}"
    remedy = "write `${region}` in the ARN, and make a topic in each Region"
    return topic._replace(found=topic.found.but(detail, remedy))
