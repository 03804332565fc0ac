"""The key `logging` of a log bucket, and what must be true of the bucket that gets the access logs."""

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from pydantic import Field

from ...baseline import Section, Text
from ...baseline.problem import Path, did_you_mean
from .names import BUCKET_NAME

_PATH: Final = ("logging", "target_bucket")


class AccessLogging(Section):
    """A record of each request to the bucket, written by S3 into another bucket, some hours later and without a promise."""

    target_bucket: Text = Field(
        description="A key of `log_buckets`, or the name of a bucket there, whose policy then lets S3 write; or else the name "
        "of another bucket of the account, in `home_region`, whose policy you care for. Not one that is itself logged, nor "
        "one whose Object Lock has a default retention; AWS supports only AES256 in it.",
    )
    target_prefix: str | None = Field(
        None,
        max_length=1024,
        description="What the keys of the logs begin with. If left out, AWS's is kept; a bucket that was not logged gets "
        "its own name and `/`.",
    )


class Logged(Protocol):
    """What access logging asks of a bucket of the file."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def logging(self) -> AccessLogging | None:
        """Where access to it is logged."""

    @property
    def object_lock(self) -> Section | None:
        """Its default retention."""


def target_name(buckets: Mapping[str, Logged], logging: AccessLogging | None) -> str:
    """The name of the bucket that gets the access logs; empty if access is not logged."""
    if logging is None:
        return ""
    return buckets[logging.target_bucket].name if logging.target_bucket in buckets else logging.target_bucket


def logging_problems(bucket: Logged, buckets: Mapping[str, Logged]) -> Iterator[tuple[Path, str]]:
    """Why S3 cannot log access to the bucket as the file says, or would never come to an end with it."""
    if bucket.logging is None:
        return
    name = target_name(buckets, bucket.logging)
    target = next((each for each in buckets.values() if each.name == name), None)
    if target is None:
        hint = did_you_mean(name, buckets)
        if hint or not BUCKET_NAME.fullmatch(name):
            hint = hint or "add it there, or name another"
            yield _PATH, f"`log_buckets` has no bucket `{name}`; {hint}"
    elif target is bucket:
        yield _PATH, "is the bucket itself, whose logs would be logged without an end: name another"
    elif target.logging is not None:
        yield (
            _PATH,
            f"`{name}` is itself logged, and so would its logs be: take its `logging` out, or name another",
        )
    if target is not None and target.object_lock is not None:
        text = "S3 cannot write access logs into a bucket whose Object Lock has a default retention: name another"
        yield _PATH, text
