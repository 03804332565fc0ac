"""Tests of tags: those of the file, those of others, those of AWS."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from provisioner.model import Call, Change, Note
from provisioner.steps.tags import Tags, from_pairs, tags, to_pairs

HAVE = {"owner": "me", "old": "1", "bill": "7", "aws:cloudformation:stack": "s"}


def done(have: dict[str, str], want: dict[str, str], *, whole: bool = False) -> tuple[list[str], list[Any]]:
    """The notes, and what is put."""
    found = list(tags("thing", have, want, lambda put: Call("s", "put", put), whole=whole))
    notes = [each.text for each in found if isinstance(each, Note)]
    return notes, [dict(each.call.params) for each in found if isinstance(each, Change)]


def test_those_that_are_missing_are_put_and_those_of_others_are_told() -> None:
    want = {"owner": "you", "new": "", "old": "1"}
    missing = {"owner": "you", "new": ""}
    assert done(HAVE, want) == (["tags of others are kept: bill"], [missing])
    assert done(HAVE, want, whole=True)[1] == [{**HAVE, **missing}]


def test_nothing_is_put_where_nothing_is_missing() -> None:
    assert done({"a": "b"}, {"a": "b"}) == ([], [])
    assert done({}, {}) == ([], [])


def test_case_counts() -> None:
    assert done({"Name": "x"}, {"name": "x"})[1] == [{"name": "x"}]


def test_pairs_are_aws_s_shape_of_the_same() -> None:
    assert from_pairs(to_pairs(HAVE)) == HAVE
    assert from_pairs([{"TagKey": "a", "TagValue": "b"}], "TagKey", "TagValue") == {"a": "b"}
    assert from_pairs(None) == {}


@pytest.mark.parametrize(
    "tag", [{"aws:x": "y"}, {"AWS:x": "y"}, {"": "y"}, {"a" * 129: ""}, {"a": "b" * 257}]
)
def test_what_aws_refuses_is_refused(tag: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Tags).validate_python(tag)
