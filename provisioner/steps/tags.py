"""Tags: those of the file are set, those of others stay. AWS has them in several shapes; here they are plain mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from ..baseline import Wrong

if TYPE_CHECKING:
    from ..model import Call, Changes


def _allowed(tags: dict[str, str]) -> dict[str, str]:
    wrong = [
        (key, "keys that begin with `aws:` are AWS's own: choose another")
        for key in tags
        if key.lower().startswith("aws:")
    ]
    wrong += [
        (key, "want a key of 1 to 128 characters, and a value of up to 256")
        for key, value in tags.items()
        if not 1 <= len(key) <= 128 or len(value) > 256
    ]
    if wrong:
        raise Wrong.several(wrong)
    return tags


Tags = Annotated[
    dict[str, str],
    AfterValidator(_allowed),
    Field(max_length=50, description="Tags to have; others stay."),
]
"""The field `tags` of a section."""


def to_pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most AWS services write them: `[{"Key": …, "Value": …}]`."""
    return [{key: name, value: each} for name, each in tags.items()]


def from_pairs(
    pairs: Iterable[Mapping[str, Any]] | None, key: str = "Key", value: str = "Value"
) -> dict[str, str]:
    """Tags as a mapping, from AWS's pairs. One without a value has an empty one."""
    return {each[key]: each.get(value) or "" for each in pairs or ()}


def tags(
    resource: str,
    have: Mapping[str, str],
    want: Mapping[str, str],
    put: Callable[[dict[str, str]], Call],
    *,
    whole: bool = False,
) -> Changes:
    """The tags of *want* are there. *put* makes the request for those that are missing, or where *whole* for all.

    `aws:` tags belong to AWS: they are not told, and go back with the rest in a request that replaces all.
    """
    from ..model import Difference, Kind, Note, update  # a file is read without it

    foreign = [key for key in have if key not in want and not key.lower().startswith("aws:")]
    if foreign:
        yield Note(Kind.FOREIGN, resource, f"tags of others are kept: {', '.join(foreign)}")
    missing = {key: value for key, value in want.items() if have.get(key) != value}
    if missing:
        changed = tuple(Difference(f"tag {key}", have.get(key), value) for key, value in missing.items())
        yield update(resource, changed, put({**have, **missing} if whole else missing))
