"""Tests of tags: those of the file, foreign ones, and AWS's own."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from provisioner.model import Call, Change, Note
from provisioner.steps.tags import Tags, from_pairs, tags, to_pairs

HAVE = {"owner": "me", "old": "1", "bill": "7", "aws:cloudformation:stack": "s"}


def run(have: dict[str, str], want: dict[str, str], *, whole: bool = False) -> tuple[list[str], list[Any]]:
    """The notes, and the parameters of the requests."""
    found = list(tags("thing", have, want, lambda put: Call("s", "put", put), whole=whole))
    notes = [each.text for each in found if isinstance(each, Note)]
    return notes, [dict(each.call.params) for each in found if isinstance(each, Change)]


def test_missing_tags_are_put_and_foreign_ones_are_noted() -> None:
    want = {"owner": "you", "new": "", "old": "1"}
    missing = {"owner": "you", "new": ""}
    assert run(HAVE, want) == (["tags of others are kept: bill"], [missing])
    assert run(HAVE, want, whole=True)[1] == [{**HAVE, **missing}]


def test_no_change_without_missing_tags() -> None:
    assert run({"a": "b"}, {"a": "b"}) == ([], [])
    assert run({}, {}) == ([], [])


def test_keys_are_case_sensitive() -> None:
    assert run({"Name": "x"}, {"name": "x"})[1] == [{"name": "x"}]


def test_pairs() -> None:
    assert from_pairs(to_pairs(HAVE)) == HAVE
    assert from_pairs([{"TagKey": "a", "TagValue": "b"}], "TagKey", "TagValue") == {"a": "b"}
    assert from_pairs(None) == {}


@pytest.mark.parametrize(
    "tag", [{"aws:x": "y"}, {"AWS:x": "y"}, {"": "y"}, {"a" * 129: ""}, {"a": "b" * 257}]
)
def test_invalid_tags(tag: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Tags).validate_python(tag)
