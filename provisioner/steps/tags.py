"""Ensure the tags of the file, and convert tags between mappings and the shapes of AWS's APIs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field, WithJsonSchema

from ..baseline import InvalidValue

if TYPE_CHECKING:
    from ..model import Call, Change, Changes


# "Tag naming limits and requirements" in the guide of tagging; `\w` has the letters and digits of all languages.
_CHARACTERS: Final = re.compile(r"[\w +\-=.:/@]*")


def _allowed(tags: dict[str, str]) -> dict[str, str]:
    reserved = "keys that begin with `aws:` are AWS's own: choose another"
    length = "want a key of 1 to 128 characters, and a value of up to 256"
    other = "want letters, digits, spaces and `+ - = . _ : / @` only, in the key and in the value"
    problems = [(key, reserved) for key in tags if key.lower().startswith("aws:")]
    problems += [(k, length) for k, v in tags.items() if not 1 <= len(k) <= 128 or len(v) > 256]
    problems += [(k, other) for k, v in tags.items() if not _CHARACTERS.fullmatch(k + v)]
    if problems:
        raise InvalidValue.several(problems)
    return tags


_Value = Annotated[str, WithJsonSchema({"type": "string", "maxLength": 256})]  # as `_allowed` checks
Tags = Annotated[
    dict[str, _Value],
    AfterValidator(_allowed),
    Field(max_length=50, description="Tags to have; others stay."),
]
"""The type of a section's field `tags`."""


def to_pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Convert tags to the shape of most AWS APIs: `[{"Key": …, "Value": …}]`."""
    return [{key: name, value: each} for name, each in tags.items()]


def from_pairs(
    pairs: Iterable[Mapping[str, Any]] | None, key: str = "Key", value: str = "Value"
) -> dict[str, str]:
    """Convert AWS's pairs to a mapping. The value of a tag without one is an empty text."""
    return {each[key]: each.get(value) or "" for each in pairs or ()}


def tags(
    resource: str,
    have: Mapping[str, str],
    want: Mapping[str, str],
    put: Callable[[dict[str, str]], Call],
    *,
    whole: bool = False,
) -> Changes:
    """Ensure the tags *want*. *put* makes the request for the missing tags, or with *whole* for all tags.

    AWS's own tags, `aws:…`, are not reported as foreign; a request for all tags contains them, as it replaces all.
    """
    from ..model import Difference, Kind, Note, update  # not needed to read a file

    foreign = [key for key in have if key not in want and not key.lower().startswith("aws:")]
    if foreign:
        yield Note(Kind.FOREIGN, resource, f"tags of others are kept: {', '.join(foreign)}")
    missing = {key: value for key, value in want.items() if have.get(key) != value}

    def repair(missing: Mapping[str, str]) -> Change | None:
        if not missing:
            return None
        changed = tuple(Difference(f"tag {key}", have.get(key), value) for key, value in missing.items())
        return replace(
            update(resource, changed, put({**have, **missing} if whole else dict(missing))), without=without
        )

    def without(fields: Collection[str]) -> Change | None:
        return repair({key: value for key, value in missing.items() if f"tag {key}" not in fields})

    if change := repair(missing):
        yield change
