"""Tests of the union of selectors: it selects what either does, in the form that AWS takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.services.cloudtrail.selectors import (
    DEFAULT,
    compare,
    compare_insights,
    event_kinds,
    excluded_sources,
)
from provisioner.services.cloudtrail.union import union, union_insights

from .test_selectors import ALL_OBJECTS, BASIC, FUNCTION, KMS, MANAGEMENT, RDS, VAULT, advanced, basic, data

ADVANCED = st.sampled_from(
    [
        MANAGEMENT,
        {**MANAGEMENT, "readOnly": {"Equals": ["false"]}},
        {**MANAGEMENT, "eventSource": {"NotEquals": [KMS]}},
        VAULT,
        {**VAULT, "readOnly": {"Equals": ["true"]}},
        {**VAULT, "eventName": {"Equals": ["GetObject"]}},
        ALL_OBJECTS,
        FUNCTION,
    ]
)
VALID = BASIC.filter(lambda each: each["IncludeManagementEvents"] or each["DataResources"])
ANY = st.one_of(
    st.fixed_dictionaries({"EventSelectors": st.lists(VALID, min_size=1, max_size=4)}),
    st.lists(ADVANCED, min_size=1, max_size=4).map(lambda each: advanced(*each)),
)


@given(ANY, ANY)
def test_the_union_selects_what_either_does_and_no_more(have: Any, want: Any) -> None:
    both = union(have, want, partition="aws")
    assert both is not None
    assert len(both) == 1, "one kind"
    assert not compare(both, have).missing
    assert not compare(both, want).missing
    sources = excluded_sources(have, want)
    assert event_kinds(both, sources) == event_kinds(have, sources) | event_kinds(want, sources)
    again = union(both, want, partition="aws")
    assert again is not None
    found = compare(again, both)
    assert not found.missing | found.extra


@given(ANY)
def test_the_union_is_valid(have: Any) -> None:
    both = union(have, DEFAULT, partition="aws")
    assert both is not None
    assert len(both.get("EventSelectors", ())) <= 3
    for each in both.get("EventSelectors", ()):
        assert each["IncludeManagementEvents"] or each["DataResources"]
        assert each["IncludeManagementEvents"] or not each["ExcludeManagementEventSources"]


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        (
            basic(ReadWriteType="WriteOnly", DataResources=data("arn:aws:s3:::a/")),
            DEFAULT,
            [
                ("All", True, [], []),
                ("WriteOnly", False, [], data("arn:aws:s3:::a/")),
            ],
        ),
        (
            basic(ExcludeManagementEventSources=[KMS], DataResources=data("arn:aws-cn:s3:::")),
            basic(ExcludeManagementEventSources=[KMS, RDS], ReadWriteType="All"),
            [("All", True, [KMS], data("arn:aws-cn:s3"))],
        ),
    ],
)
def test_basic_selectors_give_basic_selectors(have: Any, want: Any, expected: Any) -> None:
    both = union(have, want, partition="aws-cn")
    assert both is not None
    assert [
        (
            each["ReadWriteType"],
            each["IncludeManagementEvents"],
            each["ExcludeManagementEventSources"],
            each["DataResources"],
        )
        for each in both["EventSelectors"]
    ] == expected


def test_advanced_selectors_of_the_file_stay_as_they_are() -> None:
    want = advanced(VAULT, name="the vault")
    both = union(basic(), want, partition="aws")
    assert both == {
        "AdvancedEventSelectors": [
            *want["AdvancedEventSelectors"],
            {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
        ]
    }


def test_there_is_one_selector_of_management_events() -> None:
    want = advanced({**MANAGEMENT, "eventSource": {"NotEquals": [KMS]}}, VAULT, name="x")
    both = union(DEFAULT, want, partition="aws")
    assert both is not None
    fields = [[f["Field"] for f in each["FieldSelectors"]] for each in both["AdvancedEventSelectors"]]
    assert fields == [["eventCategory", "resources.type", "resources.ARN"], ["eventCategory"]]


def test_a_selector_without_a_basic_equivalent_stays_as_it_is() -> None:
    get = {**VAULT, "eventName": {"Equals": ["GetObject"]}}
    have = advanced(get, name="theirs")
    both = union(have, basic(DataResources=data("arn:aws:s3:::vault/")), partition="aws")
    assert both is not None
    assert both["AdvancedEventSelectors"][-1] == have["AdvancedEventSelectors"][0]
    assert not compare(both, DEFAULT).missing


def test_a_union_beyond_the_limits_of_aws_is_none() -> None:
    def many(start: int, count: int) -> Any:
        return basic(DataResources=data(*(f"arn:aws:s3:::b{n}/" for n in range(start, start + count))))

    assert union(many(0, 125), many(125, 125), partition="aws") is not None
    assert union(many(0, 125), many(125, 126), partition="aws") is None
    wide = advanced({**VAULT, "resources.ARN": {"StartsWith": [f"x{n}" for n in range(490)]}})
    assert union(wide, basic(DataResources=data(*map(str, range(20)))), partition="aws") is None


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        ([], ["A"], [{"InsightType": "A"}]),
        (["B"], ["A"], [{"InsightType": "A"}, {"InsightType": "B"}]),
        (
            [("A", ["Data"])],
            ["A", "B"],
            [
                {"InsightType": "A", "EventCategories": ["Data", "Management"]},
                {"InsightType": "B", "EventCategories": ["Management"]},
            ],
        ),
    ],
)
def test_the_union_of_insight_selectors(have: Any, want: Any, expected: Any) -> None:
    def as_api(each: Any) -> dict[str, Any]:
        return (
            {"InsightType": each}
            if isinstance(each, str)
            else {"InsightType": each[0], "EventCategories": each[1]}
        )

    have, want = [*map(as_api, have)], [*map(as_api, want)]
    both = union_insights(have, want)
    assert both == expected
    assert not compare_insights(both, have).missing | compare_insights(both, want).missing
