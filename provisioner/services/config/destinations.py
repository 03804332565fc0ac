"""What the file names for deliveries of AWS Config and what others make: the KMS key and the SNS topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ...aws import Aws, Reading
from ...aws.errors import ClientError, code_of
from ...model import Finding
from .section import Config, region_of

_DENIED: Final = (
    "AccessDeniedException",
    "AccessDenied",
    "AuthorizationError",
    "AuthorizationErrorException",
)


class Destination(NamedTuple):
    """A key or topic. *ok* is None if nobody may look at it, as in another account."""

    field: str  # in `config.delivery_channel`
    what: str
    arn: str
    ok: bool | None
    detail: str

    @property
    def trouble(self) -> str:
        """Why AWS Config cannot deliver with it, with the remedy; an empty text if it can, or if that is unknown."""
        if self.ok is not False:
            return ""
        return f"`config.delivery_channel.{self.field}`: {self.arn} {self.detail}"

    def finding(self, title: str) -> Finding:
        """The finding for `verify`, about the channel of that title."""
        return Finding(title, self.what, self.ok, f"{self.arn} {self.detail}")


def read_destinations(aws: Aws, section: Config) -> list[Destination]:
    """Look at the key and the topic that the file names. The reads are made at the same time."""
    channel = section.delivery_channel
    key, topic = channel.s3_kms_key_arn, channel.sns_topic_arn
    asked_key = aws.read("kms", region_of(key)).describe_key(KeyId=key) if _may_read(aws, key) else None
    asked_topic = (
        aws.read("sns", region_of(topic)).get_topic_attributes(TopicArn=topic)
        if _may_read(aws, topic)
        else None
    )
    return [*_key(key, asked_key), *_topic(aws, topic, asked_topic)]


def _may_read(aws: Aws, arn: str | None) -> bool:
    return arn is not None and arn.split(":")[4] == aws.account


def _key(arn: str | None, asked: Reading | None) -> Iterator[Destination]:
    if arn is None:
        return
    ok, detail = _exists(asked, "NotFoundException")
    if ok and asked is not None:
        state = asked.get("KeyMetadata").get("KeyState", "Enabled")
        ok = state == "Enabled"
        detail = f"is {state}" if ok else f"is {state}, and encrypts nothing: enable it, or name another"
    yield Destination("s3_kms_key_arn", "KMS key", arn, ok, detail)


def _topic(aws: Aws, arn: str | None, asked: Reading | None) -> Iterator[Destination]:
    if arn is None:
        return
    ok, detail = _exists(asked, "NotFound")
    if (region := region_of(arn)) != aws.region:
        detail = (
            f"is in {region}, and AWS Config takes a topic of its own Region only, here {aws.region}:"
            " write `${region}` in the ARN, and make a topic in each Region"
        )
        ok = False
    yield Destination("sns_topic_arn", "SNS topic", arn, ok, detail)


def _exists(asked: Reading | None, absent: str) -> tuple[bool | None, str]:
    """Whether AWS has it, and that in words; None if it is in another account, or may not be read."""
    if asked is None:
        return None, "is in another account and cannot be looked at"
    try:
        found = asked.found(absent)
    except ClientError as error:
        if code_of(error) not in _DENIED:
            raise
        return None, "may not be looked at"
    return found is not None, "exists" if found else "does not exist: make it, or name another"
