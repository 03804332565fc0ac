"""Find a key of the file in AWS: by its alias, or by the tag that `provision` gives to its keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ...aws import Aws, Reading
from ...model import PENDING
from ...steps.references import locates
from ...steps.tags import from_pairs
from .section import MARK

Metadata = Mapping[str, Any]

ABSENT: Final = "NotFoundException"
# The states in the order in which a key is preferred, where several have the tag.
_STATES: Final = ("Enabled", "Disabled")


class Found(NamedTuple):
    """What AWS has: the *key*, its *tags*, and the id of the key that the alias names; None or empty if there is none."""

    key: Metadata | None
    tags: Mapping[str, str]
    named: str


Finder = Callable[[], Found]


def look_for_key(aws: Aws, alias_arn: str, region: str) -> Finder:
    """Start to look for the key of an alias, and return a function that waits for the answer.

    A key with the tag and without the alias is one whose alias somebody deleted or moved, or a run was killed before it
    made it. So a second key is never created.
    """
    read, alias = aws.read("kms", region), alias_arn.split(":", 5)[5]
    by_alias = read.describe_key(KeyId=alias_arn)

    def tags_of(reading: Reading) -> dict[str, str]:
        return from_pairs(reading.value("Tags", ABSENT), "TagKey", "TagValue")

    def find() -> Found:
        named = by_alias.value("KeyMetadata", ABSENT)
        tags = tags_of(read.list_resource_tags(KeyId=named["KeyId"])) if named else {}
        if named and tags.get(MARK) == alias:
            return Found(named, tags, named["KeyId"])
        ids = [each["KeyId"] for each in read.list_keys().get("Keys")]
        asked = {each: read.list_resource_tags(KeyId=each) for each in ids}
        marked = {each: found for each, one in asked.items() if (found := tags_of(one)).get(MARK) == alias}
        described = {each: read.describe_key(KeyId=each) for each in marked}
        keys = [key for one in described.values() if (key := one.value("KeyMetadata", ABSENT))]
        key = min(keys, key=_preference, default=named)
        if key is None:
            return Found(None, {}, "")
        return Found(key, marked.get(key["KeyId"], tags), named["KeyId"] if named else "")

    return find


def _preference(key: Metadata) -> tuple[int, str, str]:
    state = key["KeyState"]
    order = _STATES.index(state) if state in _STATES else len(_STATES)
    return order, str(key.get("CreationDate")), key["KeyId"]


@locates("key")
def locate_key(aws: Aws, alias_arn: str, region: str) -> Callable[[], str]:
    """The ARN of the key of an alias. In another account, the alias alone tells."""
    if made := aws.made.get(alias_arn):
        return lambda: made
    if alias_arn.split(":")[4] != aws.account:
        reading = aws.read("kms", region).describe_key(KeyId=alias_arn)
        return lambda: _arn(reading.value("KeyMetadata", ABSENT))
    find = look_for_key(aws, alias_arn, region)
    return lambda: _arn(find().key)


def _arn(key: Metadata | None) -> str:
    return str(key["Arn"]) if key else PENDING
