"""Tests of lifecycle rules: comparison by meaning, and merging with the rules of others."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.services.log_buckets.lifecycle_rules import merge_rules, normal_rule

PURE = settings(max_examples=100)


def rule(**elements: Any) -> dict[str, Any]:
    return {"ID": "r", "Status": "Enabled", **elements}


TAG = {"Key": "k", "Value": "v"}
IA, GLACIER = {"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}

EQUAL = {
    "empty filter": (rule(Filter={}), rule(Filter={"Prefix": ""})),
    "old prefix": (rule(Prefix=""), rule(Filter={})),
    "old prefix with text": (rule(Prefix="a/"), rule(Filter={"Prefix": "a/"})),
    "no filter at all": (rule(), rule(Filter={})),
    "and of one": (rule(Filter={"And": {"Tags": [TAG]}}), rule(Filter={"Tag": TAG})),
    "and of one prefix": (rule(Filter={"And": {"Prefix": "a"}}), rule(Filter={"Prefix": "a"})),
    "and with an empty prefix": (
        rule(Filter={"And": {"Prefix": "", "Tags": [TAG]}}),
        rule(Filter={"Tag": TAG}),
    ),
    "size as text": (rule(Filter={"ObjectSizeGreaterThan": "5"}), rule(Filter={"ObjectSizeGreaterThan": 5})),
    "order of transitions": (rule(Transitions=[IA, GLACIER]), rule(Transitions=[GLACIER, IA])),
    "days as text": (rule(Transitions=[{**IA, "Days": "30"}]), rule(Transitions=[IA])),
    "no transitions": (rule(Transitions=[]), rule()),
    "no marker": (
        rule(Expiration={"Days": 9, "ExpiredObjectDeleteMarker": False}),
        rule(Expiration={"Days": 9}),
    ),
    "nothing expires": (rule(Expiration={"ExpiredObjectDeleteMarker": False}), rule()),
    "date": (
        rule(Expiration={"Date": datetime(2030, 1, 2, tzinfo=UTC)}),
        rule(Expiration={"Date": "2030-01-02"}),
    ),
    "date of YAML": (
        rule(Expiration={"Date": date(2030, 1, 2)}),
        rule(Expiration={"Date": "2030-01-02T00:00:00Z"}),
    ),
    "date in another time zone": (
        rule(Expiration={"Date": datetime(2030, 1, 1, 19, tzinfo=timezone(timedelta(hours=-5)))}),
        rule(Expiration={"Date": "2030-01-02"}),
    ),
}

DIFFERENT = {
    "id": (rule(), rule(ID="s")),
    "status": (rule(), rule(Status="Disabled")),
    "prefix": (rule(Prefix="a"), rule(Prefix="A")),
    "prefix of digits": (rule(Prefix="01"), rule(Prefix="1")),
    "filter of digits": (rule(Filter={"Prefix": "01"}), rule(Filter={"Prefix": "1"})),
    "id of digits": (rule(ID="01"), rule(ID="1")),
    "tag": (rule(Filter={"Tag": TAG}), rule(Filter={"Tag": {**TAG, "Value": ""}})),
    "tag or all": (rule(Filter={"Tag": {"Key": "", "Value": ""}}), rule()),
    "size zero": (rule(Filter={"ObjectSizeGreaterThan": 0}), rule()),
    "days": (rule(Transitions=[IA]), rule(Transitions=[{**IA, "Days": 31}])),
    "day zero": (rule(Transitions=[{**IA, "Days": 0}]), rule(Transitions=[{"StorageClass": "STANDARD_IA"}])),
    "marker": (rule(Expiration={"ExpiredObjectDeleteMarker": True}), rule()),
    "versions": (
        rule(NoncurrentVersionExpiration={"NoncurrentDays": 5}),
        rule(NoncurrentVersionExpiration={"NoncurrentDays": 5, "NewerNoncurrentVersions": 3}),
    ),
    "current or not": (rule(Transitions=[IA]), rule(NoncurrentVersionTransitions=[IA])),
}


@pytest.mark.parametrize(("a", "b"), EQUAL.values(), ids=EQUAL)
def test_equal_rules(a: Any, b: Any) -> None:
    assert normal_rule(a) == normal_rule(b)
    assert hash(normal_rule(a)) == hash(normal_rule(b))


@pytest.mark.parametrize(("a", "b"), DIFFERENT.values(), ids=DIFFERENT)
def test_different_rules(a: Any, b: Any) -> None:
    assert normal_rule(a) != normal_rule(b)


# --- properties ---

DAYS = st.integers(0, 400)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "Prefix": st.sampled_from(["a/", "1", ""]),
        "Tags": st.lists(
            st.builds(lambda key: {"Key": key, "Value": "v"}, st.sampled_from("xyz")),
            min_size=1,
            max_size=2,
            unique_by=lambda tag: tag["Key"],
        ),
        "ObjectSizeGreaterThan": st.integers(0, 9),
    },
)
RULES = st.fixed_dictionaries(
    {
        "ID": st.sampled_from(["ours", "old", "theirs", "others", "12"]),
        "Status": st.sampled_from(["Enabled", "Disabled"]),
        "Filter": st.builds(lambda predicates: {"And": predicates}, FILTERS),
    },
    optional={
        "Transitions": st.lists(
            st.fixed_dictionaries(
                {"Days": DAYS, "StorageClass": st.sampled_from(["GLACIER", "STANDARD_IA"])}
            ),
            min_size=1,
            max_size=3,
        ),
        "Expiration": st.fixed_dictionaries({"Days": st.integers(1, 400)}),
        "NoncurrentVersionExpiration": st.fixed_dictionaries(
            {"NoncurrentDays": st.integers(1, 9)}, optional={"NewerNoncurrentVersions": st.integers(1, 9)}
        ),
        "AbortIncompleteMultipartUpload": st.fixed_dictionaries({"DaysAfterInitiation": st.integers(1, 9)}),
    },
)
RANDOM = st.randoms(use_true_random=False)


def as_s3_returns(one: dict[str, Any], rnd: Random) -> dict[str, Any]:
    new = copy.deepcopy(one)
    predicates = new.pop("Filter")["And"]
    count = sum(len(value) if key == "Tags" else value != "" for key, value in predicates.items())
    if set(predicates) <= {"Prefix"} and rnd.random() < 0.4:
        new["Prefix"] = predicates.get("Prefix", "")
    elif count <= 1:
        tags = predicates.pop("Tags", [])
        new["Filter"] = {**predicates, **({"Tag": tags[0]} if tags else {})}
    else:
        rnd.shuffle(predicates.get("Tags", []))
        new["Filter"] = {"And": predicates}
    rnd.shuffle(new.get("Transitions", []))
    for transition in new.get("Transitions", []):
        transition["Days"] = rnd.choice([str, int])(transition["Days"])
    if "Expiration" in new and rnd.random() < 0.5:
        new["Expiration"]["ExpiredObjectDeleteMarker"] = False
    new.setdefault(rnd.choice(["Transitions", "NoncurrentVersionTransitions"]), [])
    return new


def changed_meaning(one: dict[str, Any], rnd: Random) -> dict[str, Any]:
    new = copy.deepcopy(one)
    change = rnd.randrange(5)
    if change == 0:
        new["Status"] = {"Enabled": "Disabled", "Disabled": "Enabled"}[new["Status"]]
    elif change == 1:
        new["Filter"]["And"]["Prefix"] = new["Filter"]["And"].get("Prefix", "") + "z"
    elif change == 2:
        new.setdefault("Transitions", []).append({"Days": 500, "StorageClass": "GLACIER"})
    elif change == 3:
        new["Expiration"] = {"Days": new.get("Expiration", {}).get("Days", 0) + 1}
    else:
        new["Filter"]["And"].setdefault("Tags", []).append({"Key": "other", "Value": ""})
    return new


@PURE
@given(RULES, RANDOM)
def test_what_s3_rewrites_is_equal(one: dict[str, Any], rnd: Random) -> None:
    assert normal_rule(as_s3_returns(one, rnd)) == normal_rule(one)


@PURE
@given(RULES, RANDOM)
def test_another_meaning_is_different(one: dict[str, Any], rnd: Random) -> None:
    assert normal_rule(as_s3_returns(changed_meaning(one, rnd), rnd)) != normal_rule(one)


@PURE
@given(st.lists(RULES, max_size=5), RULES, RANDOM)
def test_merging_keeps_the_rules_of_others_and_is_idempotent(have: list[Any], own: Any, rnd: Random) -> None:
    own = {**own, "ID": "ours"}
    have = [as_s3_returns(one, rnd) for one in have]
    foreign = [one for one in have if one["ID"] != "ours"]
    before = copy.deepcopy(have)
    merged = merge_rules(have, [own])
    assert have == before
    assert merged.foreign == foreign
    first, *rest = merged.document["Rules"]
    assert first == own
    assert [normal_rule(one) for one in rest] == [normal_rule(one) for one in foreign]
    assert all("Prefix" not in one for one in rest)  # S3 refuses the old form beside the new one
    again = merge_rules(merged.document["Rules"], [own])
    assert again.differences == []
    assert again.document == merged.document
    assert merge_rules([as_s3_returns(own, rnd), *foreign], [own]).differences == []


def test_differences_are_of_our_rules_only() -> None:
    ours, drifted = rule(ID="ours", Expiration={"Days": 5}), rule(ID="ours", Expiration={"Days": 4})
    theirs = rule(ID="theirs", Prefix="a")
    merged = merge_rules([theirs, drifted], [ours])
    assert merged.differences == [("ours", drifted, ours)]
    assert merged.foreign == [theirs]
    assert merged.document == {"Rules": [ours, rule(ID="theirs", Filter={"Prefix": "a"})]}
    assert merge_rules([], [ours]).differences == [("ours", None, ours)]


def test_a_rule_of_others_in_the_old_form_needs_no_write() -> None:
    assert merge_rules([rule(ID="theirs", Prefix="")], []).differences == []
