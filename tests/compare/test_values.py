"""Tests of comparing values and named items, and of the text diff of documents."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.compare.text_diff import document_diff
from provisioner.compare.values import differences, merge_named
from provisioner.model import Difference

PURE = settings(max_examples=100)

SAME = {
    "equal": ({"a": 1}, {"a": 1}),
    "more than asked for": ({"a": 1, "b": 2}, {"a": 1}),
    "more inside": ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}),
    "more inside a list": ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}),
    "none is absent": ({}, {"a": None}),
    "absent is none": ({"a": None}, {"a": None}),
    "nothing asked of a mapping": ({"a": {"b": 1}}, {"a": {}}),
    "tuple and list": ({"a": [1, 2]}, {"a": (1, 2)}),
}

DIFFERENT = {
    "value": ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
    "absent": ({}, {"a": 1}, [("a", None, 1)]),
    "no resource": (None, {"a": 1}, [("a", None, 1)]),
    "to be absent": ({"a": 1}, {"a": None}, [("a", 1, None)]),
    "absent is not false": ({}, {"a": False}, [("a", None, False)]),
    "absent is not empty text": ({}, {"a": ""}, [("a", None, "")]),
    "absent is not an empty list": ({}, {"a": []}, [("a", None, [])]),
    "absent is not an empty mapping": ({}, {"a": {}}, [("a", None, {})]),
    "false is not zero": ({"a": 0}, {"a": False}, [("a", 0, False)]),
    "one is not true": ({"a": True}, {"a": 1}, [("a", True, 1)]),
    "text is not a number": ({"a": "1"}, {"a": 1}, [("a", "1", 1)]),
    "nested": ({"a": {"b": 1, "c": 1}}, {"a": {"b": 1, "c": 2}}, [("a.c", 1, 2)]),
    "nested and absent": ({}, {"a": {"b": {"c": 1}, "d": 2}}, [("a.b.c", None, 1), ("a.d", None, 2)]),
    "mapping of nones": ({}, {"a": {"b": None}}, [("a", None, {"b": None})]),
    "not a mapping": ({"a": "x"}, {"a": {"b": 1}}, [("a", "x", {"b": 1})]),
    "not a list": ({"a": "x"}, {"a": ["x"]}, [("a", "x", ["x"])]),
    "list order": ({"a": [1, 2]}, {"a": [2, 1]}, [("a", [1, 2], [2, 1])]),
    "list length": ({"a": [1, 1]}, {"a": [1]}, [("a", [1, 1], [1])]),
    "boolean in a list": ({"a": [1]}, {"a": [True]}, [("a", [1], [True])]),
    "order of fields": ({}, {"z": 1, "a": 2}, [("z", None, 1), ("a", None, 2)]),
}


@pytest.mark.parametrize(("have", "want"), SAME.values(), ids=SAME)
def test_no_difference(have: Any, want: Any) -> None:
    assert differences(have, want) == ()


@pytest.mark.parametrize(("have", "want", "expected"), DIFFERENT.values(), ids=DIFFERENT)
def test_difference(have: Any, want: Any, expected: Any) -> None:
    assert differences(have, want) == tuple(Difference(*each) for each in expected)


UNORDERED = [
    ([1, 2, 2], [2, 1], True),
    ([1, 2], [1], False),
    ([1], [1, 2], False),
    ([True], [1], False),
    ([{"t": "x", "more": 1}, {"t": "y"}], [{"t": "y"}, {"t": "x"}], True),
    ([{"t": "x"}, {"t": "z"}], [{"t": "x"}], False),
    ([], [], True),
    (None, [], False),
]


@pytest.mark.parametrize(("have", "want", "equal"), UNORDERED)
def test_unordered_fields_are_sets(have: Any, want: Any, equal: bool) -> None:
    assert bool(differences({"a": {"b": have}}, {"a": {"b": want}}, unordered=["a.b"])) is not equal


def test_unordered_fields_in_lists() -> None:
    have = {"s": [{"v": [1, 2]}, {"v": [3]}]}
    want = {"s": [{"v": [2, 1]}, {"v": [3]}]}
    assert differences(have, want)
    assert not differences(have, want, unordered=["s.v"])
    assert differences({"s": have["s"][::-1]}, want, unordered=["s.v"])


def test_long_unordered_lists() -> None:
    names = [f"AWS::Service::Type{number}" for number in range(5000)]
    assert not differences({"t": names}, {"t": names[::-1]}, unordered=["t"])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


def grown(value: Any, rnd: Random) -> Any:
    """The value with additional keys."""
    if isinstance(value, dict):
        more = {"aws": rnd.random()} if rnd.random() < 0.5 else {}
        return {
            key: grown(item, rnd) for key, item in value.items() if item is not None or rnd.random() < 0.5
        } | more
    return [grown(item, rnd) for item in value] if isinstance(value, list) else value


@PURE
@given(MAPPINGS, MAPPINGS)
def test_each_field_is_named_once_and_differs(have: Any, want: Any) -> None:
    found = differences(have, want)
    for one in found:
        assert differences({"x": one.have}, {"x": one.want})
    assert len({one.field for one in found}) == len(found)


@PURE
@given(MAPPINGS, st.randoms(use_true_random=False))
def test_additional_keys_are_ignored(want: Any, rnd: Random) -> None:
    assert differences(grown(want, rnd), want) == ()


# --- named items ---


def test_of_two_items_with_one_name_the_equal_one_is_kept() -> None:
    have = [("a", 1), ("a", 2), (None, 3), ("b", 4)]
    foreign, found = merge_named(have, [("a", 2)], name=lambda i: i[0], owned={"a"}, normal=lambda i: i[1])
    assert foreign == [(None, 3), ("b", 4)]
    assert found == [("a", ("a", 1), None)]


# --- documents ---

READ = {
    "Resource": ["b", "a"],
    "Action": ["s3:GetObject"],
    "Principal": "*",
    "Effect": "Allow",
    "Sid": "Read",
    "Condition": {"Bool": {"aws:SecureTransport": True}},
}
WRITE = {"Sid": "Write", "Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "a"}


def policy(*statements: Any) -> dict[str, Any]:
    return {"Statement": list(statements), "Version": "2012-10-17"}


def test_a_new_document() -> None:
    assert document_diff(None, policy(READ)) == [
        "+ {",
        '+   "Version": "2012-10-17",',
        '+   "Statement": [',
        "+     {",
        '+       "Sid": "Read",',
        '+       "Effect": "Allow",',
        '+       "Principal": "*",',
        '+       "Action": "s3:GetObject",',
        '+       "Resource": ["a", "b"],',
        '+       "Condition": {"Bool": {"aws:SecureTransport": "true"}}',
        "+     }",
        "+   ]",
        "+ }",
    ]
    assert document_diff(policy(READ), None) == [
        line.replace("+ ", "- ", 1) for line in document_diff(None, policy(READ))
    ]
    assert document_diff(None, None) == []


def test_context_of_a_change() -> None:
    other = {**WRITE, "Resource": ["a", "c"]}
    assert document_diff(policy(WRITE, READ), policy(READ, other)) == [
        '  ... "Sid": "Write"',
        '        "Principal": "*",',
        '        "Action": "s3:PutObject",',
        '-       "Resource": "a"',
        '+       "Resource": [',
        '+         "a",',
        '+         "c"',
        "+       ]",
        "      }",
        "    ]",
    ]


def test_comma_before_a_new_statement_is_no_difference() -> None:
    found = document_diff(policy(READ), policy(READ, WRITE))
    assert [line for line in found if line.startswith("- ")] == []
    assert len([line for line in found if line.startswith("+ ")]) == 7


def test_comma_before_a_new_item_is_no_difference() -> None:
    found = document_diff(policy(READ), policy({**READ, "Resource": ["a", "b", "c"]}))
    assert [line for line in found if not line.startswith("  ")] == ['+         "c"']


def test_what_has_no_meaning_in_a_policy_is_not_shown() -> None:
    same = {
        **READ,
        "Condition": {"Bool": {"aws:SecureTransport": ["true"]}},
        "Resource": ["a", "b", "a"],
        "Action": "s3:GetObject",
    }
    assert document_diff(policy(READ, WRITE), policy(WRITE, same)) == []
    assert document_diff({"Statement": READ}, {"Statement": [READ]}) == []


def test_lists_outside_policies_keep_their_order() -> None:
    assert document_diff({"Rules": ["b", "a"]}, {"Rules": ["a", "b"]}) != []
    assert document_diff({"Rules": [True]}, {"Rules": ["true"]}) != []


@PURE
@given(MAPPINGS, MAPPINGS)
def test_diff_of_any_documents(have: Any, want: Any) -> None:
    found = document_diff(have, want)
    assert found == document_diff(copy.deepcopy(have), copy.deepcopy(want))
    assert all(line[:2] in ("- ", "+ ", "  ") for line in found)
    assert (found == []) is (json.dumps(have, sort_keys=True) == json.dumps(want, sort_keys=True))
    assert document_diff(have, have) == []


@pytest.mark.parametrize("have", [True, 7, "Statement", ["Statement"]])
def test_diff_of_other_values(have: Any) -> None:
    shown = document_diff(have, {"Statement": []})
    assert shown[0] == f"- {json.dumps(have, indent=2)}".splitlines()[0]
    assert any(line.startswith("+ ") for line in shown)
