"""What a trail records besides goes on: a repair records the union, in whatever words AWS takes it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.services.cloudtrail.selectors import DEFAULT, compare, compare_insights, excluded, records
from provisioner.services.cloudtrail.union import union, union_insights

from .test_selectors import ALL_OBJECTS, BASIC, FUNCTION, KMS, MANAGEMENT, RDS, VAULT, advanced, basic, data

SENSIBLE = st.sampled_from(
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
TAKEN = BASIC.filter(lambda each: each["IncludeManagementEvents"] or each["DataResources"])
ANY = st.one_of(
    st.fixed_dictionaries({"EventSelectors": st.lists(TAKEN, min_size=1, max_size=4)}),
    st.lists(SENSIBLE, min_size=1, max_size=4).map(lambda each: advanced(*each)),
)


@given(ANY, ANY)
def test_it_records_what_either_does_and_no_more(have: Any, want: Any) -> None:
    both = union(have, want, partition="aws")
    assert both is not None
    assert len(both) == 1, "one kind"
    assert not compare(both, have).missing
    assert not compare(both, want).missing
    sources = excluded(have, want)
    assert records(both, sources) == records(have, sources) | records(want, sources)
    again = union(both, want, partition="aws")
    assert again is not None
    found = compare(again, both)
    assert not found.missing | found.extra


@given(ANY)
def test_it_is_what_aws_takes(have: Any) -> None:
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
def test_basic_stays_basic(have: Any, want: Any, expected: Any) -> None:
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


def test_the_files_advanced_selectors_stay_as_they_are() -> None:
    want = advanced(VAULT, name="the vault")
    both = union(basic(), want, partition="aws")
    assert both == {
        "AdvancedEventSelectors": [
            *want["AdvancedEventSelectors"],
            {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
        ]
    }


def test_there_is_one_selector_of_management_events_not_two() -> None:
    want = advanced({**MANAGEMENT, "eventSource": {"NotEquals": [KMS]}}, VAULT, name="x")
    both = union(DEFAULT, want, partition="aws")
    assert both is not None
    fields = [[f["Field"] for f in each["FieldSelectors"]] for each in both["AdvancedEventSelectors"]]
    assert fields == [["eventCategory", "resources.type", "resources.ARN"], ["eventCategory"]]


def test_what_only_conditions_can_say_is_kept_as_it_is() -> None:
    get = {**VAULT, "eventName": {"Equals": ["GetObject"]}}
    have = advanced(get, name="theirs")
    both = union(have, basic(DataResources=data("arn:aws:s3:::vault/")), partition="aws")
    assert both is not None
    assert both["AdvancedEventSelectors"][-1] == have["AdvancedEventSelectors"][0]
    assert not compare(both, DEFAULT).missing


def test_what_is_beyond_the_limits_of_aws_is_none() -> None:
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
def test_insights_go_on_too(have: Any, want: Any, expected: Any) -> None:
    def spelled(each: Any) -> dict[str, Any]:
        return (
            {"InsightType": each}
            if isinstance(each, str)
            else {"InsightType": each[0], "EventCategories": each[1]}
        )

    there, asked = [*map(spelled, have)], [*map(spelled, want)]
    both = union_insights(there, asked)
    assert both == expected
    assert not compare_insights(both, there).missing | compare_insights(both, asked).missing
