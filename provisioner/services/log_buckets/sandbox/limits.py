"""Limits of a bucket's tags and of its Object Lock."""

from __future__ import annotations

import re

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import before

_MOST_DAYS = 36500
# "Tag naming limits and requirements": letters, numbers and spaces of any language, and these.
_CHARACTERS = re.compile(r"[\w\s+\-=.:/@]*")


@before("s3.tag_limits", "PutBucketTagging", row="1.8 50 user tags per resource")
def tag_limits(request: Request) -> None:
    """More than 50 tags is BadRequest; a key or value that is too long, or of other characters, is InvalidTag."""
    tags = request.params.get("Tagging", {}).get("TagSet") or []
    if sum(not tag["Key"].startswith("aws:") for tag in tags) > 50:
        raise Refused("BadRequest", "Bucket tag count cannot be greater than 50")
    for tag in tags:
        key, value = tag["Key"], tag.get("Value") or ""
        if not 1 <= len(key) <= 128 or not _CHARACTERS.fullmatch(key):
            raise Refused("InvalidTag", "The TagKey you have provided is invalid")
        if len(value) > 256 or not _CHARACTERS.fullmatch(value):
            raise Refused("InvalidTag", "The TagValue you have provided is invalid")


@before("s3.lock_limits", "PutObjectLockConfiguration", row="16.G DefaultRetention")
def lock_limits(request: Request) -> None:
    """A default retention of no day, or of more than 100 years, is InvalidRetentionPeriod."""
    rule = request.params.get("ObjectLockConfiguration", {}).get("Rule") or {}
    retention = rule.get("DefaultRetention") or {}
    for key, most in (("Days", _MOST_DAYS), ("Years", 100)):
        if key in retention and not 1 <= int(retention[key]) <= most:
            text = f"Default retention period must be a positive integer of at most {most} {key.lower()}"
            raise Refused("InvalidRetentionPeriod", text)
