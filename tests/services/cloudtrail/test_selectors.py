"""Tests of the comparison of event and insight selectors by the events that they select."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.services.cloudtrail.selectors import (
    DEFAULT,
    compare,
    compare_insights,
    describe,
    selects_writes_to,
)

KMS, RDS = "kms.amazonaws.com", "rdsdata.amazonaws.com"
ARNS = st.sampled_from(["arn:aws:s3", "arn:aws:s3:::a/", "arn:aws:s3:::b/", "arn:aws:s3:::b/x"])
KINDS = st.sampled_from(["AWS::S3::Object", "AWS::Lambda::Function"])
RESOURCES = st.fixed_dictionaries({"Type": KINDS, "Values": st.lists(ARNS, min_size=1, max_size=3)})
BASIC = st.fixed_dictionaries(
    {
        "ReadWriteType": st.sampled_from(["All", "ReadOnly", "WriteOnly"]),
        "IncludeManagementEvents": st.booleans(),
        "ExcludeManagementEventSources": st.lists(st.sampled_from([KMS, RDS]), max_size=2),
        "DataResources": st.lists(RESOURCES, max_size=3),
    }
)
OPERATORS = ["Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"]
VALUES = st.lists(st.sampled_from(["Management", "Data", "x", "y"]), min_size=1, max_size=3)
CONDITION = st.fixed_dictionaries(
    {
        "Field": st.sampled_from(["eventCategory", "readOnly", "eventName", "resources.ARN"]),
        **dict.fromkeys(OPERATORS[:2], VALUES),
    }
)
ADVANCED = st.fixed_dictionaries(
    {
        "Name": st.sampled_from(["", "a", "b"]),
        "FieldSelectors": st.lists(CONDITION, min_size=1, max_size=4),
    }
)
SELECTORS = st.one_of(
    st.fixed_dictionaries({"EventSelectors": st.lists(BASIC, min_size=1, max_size=4)}),
    st.fixed_dictionaries({"AdvancedEventSelectors": st.lists(ADVANCED, min_size=1, max_size=4)}),
)


PDF_EVENTS = (
    "events where eventCategory Equals Data and resources.ARN EndsWith .pdf"
    " and resources.type Equals AWS::S3::Object"
)


def shuffled(data: st.DataObject, value: Any) -> Any:
    """The value with every list in another order, and some of its items twice."""
    if isinstance(value, dict):
        return {key: shuffled(data, each) for key, each in data.draw(st.permutations(list(value.items())))}
    if isinstance(value, list):
        again = [each for each in value if data.draw(st.booleans())]
        return [shuffled(data, each) for each in data.draw(st.permutations([*value, *again]))]
    return value


def basic(**given: Any) -> dict[str, Any]:
    return {"EventSelectors": [given]}


def data(*values: str, kind: str = "AWS::S3::Object") -> list[dict[str, Any]]:
    return [{"Type": kind, "Values": list(values)}]


def advanced(*selectors: dict[str, dict[str, list[str]]], name: str = "") -> dict[str, Any]:
    return {
        "AdvancedEventSelectors": [
            {"Name": name, "FieldSelectors": [{"Field": field, **how} for field, how in each.items()]}
            for each in selectors
        ]
    }


MANAGEMENT = {"eventCategory": {"Equals": ["Management"]}}
VAULT = {
    "eventCategory": {"Equals": ["Data"]},
    "resources.type": {"Equals": ["AWS::S3::Object"]},
    "resources.ARN": {"StartsWith": ["arn:aws:s3:::vault/"]},
}


ALL_OBJECTS = {name: operators for name, operators in VAULT.items() if name != "resources.ARN"}
FUNCTION = {
    "eventCategory": {"Equals": ["Data"]},
    "resources.type": {"Equals": ["AWS::Lambda::Function"]},
    "resources.ARN": {"Equals": ["arn:aws:lambda:::f"]},
}


@given(SELECTORS, st.data())
def test_order_and_repetition_mean_nothing(selectors: Any, draw: st.DataObject) -> None:
    other = shuffled(draw, selectors)
    found = compare(selectors, other)
    assert (found.same, found.missing, found.extra) == (True, frozenset(), frozenset())


@given(SELECTORS, SELECTORS)
def test_comparison_is_symmetric(a: Any, b: Any) -> None:
    one, other = compare(a, b), compare(b, a)
    assert (one.same, one.missing, one.extra) == (other.same, other.extra, other.missing)
    if one.same:
        assert not one.missing | one.extra


@given(BASIC, st.data())
def test_any_other_value_of_a_data_resource_is_a_difference(selector: Any, draw: st.DataObject) -> None:
    selector["DataResources"] = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::one/"]}]
    value = draw.draw(st.text(min_size=1).filter(lambda each: each != "arn:aws:s3:::one/"))
    other = {**selector, "DataResources": data(value)}
    found = compare({"EventSelectors": [selector]}, {"EventSelectors": [other]})
    assert not found.same
    assert found.missing
    assert found.extra


@given(ADVANCED, st.sampled_from(OPERATORS), st.integers(0, 3), st.text(min_size=1))
def test_any_other_value_of_a_condition_is_a_difference(
    selector: Any, operator: str, place: int, value: str
) -> None:
    conditions = selector["FieldSelectors"]
    index = place % len(conditions)
    more = {**conditions[index], operator: [*conditions[index].get(operator, ()), f"new {value}"]}
    other = {**selector, "FieldSelectors": [*conditions[:index], more, *conditions[index + 1 :]]}
    assert not compare({"AdvancedEventSelectors": [selector]}, {"AdvancedEventSelectors": [other]}).same


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({}, DEFAULT),
        ({"EventSelectors": []}, DEFAULT),
        (basic(), DEFAULT),
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}]}, DEFAULT),
        (advanced(MANAGEMENT), DEFAULT),
        (advanced({**MANAGEMENT, "readOnly": {"Equals": ["false"]}}), basic(ReadWriteType="WriteOnly")),
        (
            advanced({**MANAGEMENT, "eventSource": {"NotEquals": [RDS, KMS]}}),
            basic(ExcludeManagementEventSources=[KMS, RDS]),
        ),
        # What one selector leaves out, another lets through.
        ({"EventSelectors": [{"ExcludeManagementEventSources": [KMS]}, {}]}, DEFAULT),
        (basic(DataResources=[*data("a"), *data("b")]), basic(DataResources=data("b", "a"))),
        # Advanced selectors that have an equivalent basic one.
        (advanced(MANAGEMENT, VAULT), basic(DataResources=data("arn:aws:s3:::vault/"))),
        (
            advanced(MANAGEMENT, {**VAULT, "readOnly": {"Equals": ["false"]}}),
            {
                "EventSelectors": [
                    {},
                    {
                        "ReadWriteType": "WriteOnly",
                        "IncludeManagementEvents": False,
                        "DataResources": data("arn:aws:s3:::vault/"),
                    },
                ]
            },
        ),
        (advanced(MANAGEMENT, ALL_OBJECTS), basic(DataResources=data("arn:aws:s3"))),
        (advanced(MANAGEMENT, ALL_OBJECTS), basic(DataResources=data("arn:aws-cn:s3:::"))),
        (
            advanced(MANAGEMENT, FUNCTION),
            basic(DataResources=data("arn:aws:lambda:::f", kind="AWS::Lambda::Function")),
        ),
    ],
)
def test_selectors_of_the_same_events_are_equal(a: Any, b: Any) -> None:
    assert compare(a, b).same


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (basic(ReadWriteType="WriteOnly"), DEFAULT),
        (basic(IncludeManagementEvents=False, DataResources=data("a")), basic(DataResources=data("a"))),
        (basic(ExcludeManagementEventSources=[KMS]), DEFAULT),
        (basic(ExcludeManagementEventSources=[KMS]), basic(ExcludeManagementEventSources=[RDS])),
        (advanced({**MANAGEMENT, "eventName": {"Equals": ["x"]}}), DEFAULT),
        (advanced({**MANAGEMENT, "eventSource": {"Equals": [KMS]}}), DEFAULT),
        (advanced({**MANAGEMENT, "eventSource": {"NotEquals": [KMS]}}), DEFAULT),
        (advanced(MANAGEMENT, VAULT), DEFAULT),
        (advanced(VAULT, name="a"), advanced(VAULT, name="b")),
        (advanced(MANAGEMENT, VAULT), basic(DataResources=data("arn:aws:s3"))),
        (
            advanced(MANAGEMENT, {**VAULT, "resources.ARN": {"Equals": ["arn:aws:s3:::vault/"]}}),
            basic(DataResources=data("arn:aws:s3:::vault/")),
        ),
        (
            advanced(MANAGEMENT, {**FUNCTION, "resources.ARN": {"StartsWith": ["arn:aws:lambda:::f"]}}),
            basic(DataResources=data("arn:aws:lambda:::f", kind="AWS::Lambda::Function")),
        ),
    ],
)
def test_selectors_of_other_events_are_different(a: Any, b: Any) -> None:
    assert not compare(a, b).same


@pytest.mark.parametrize(
    ("have", "want", "only_extra"),
    [
        (DEFAULT, basic(ReadWriteType="WriteOnly"), True),
        (DEFAULT, basic(ExcludeManagementEventSources=[KMS]), True),
        (advanced(MANAGEMENT, VAULT), DEFAULT, True),
        (basic(ReadWriteType="WriteOnly", DataResources=data("a")), DEFAULT, False),
        (advanced(VAULT), DEFAULT, False),
        (advanced(VAULT, name="a"), advanced(VAULT, name="b"), False),
    ],
)
def test_extra_and_missing_events_are_distinguished(have: Any, want: Any, only_extra: bool) -> None:
    found = compare(have, want)
    assert (bool(found.extra) and not found.missing) is only_extra


@pytest.mark.parametrize(
    ("have", "want", "text"),
    [
        (DEFAULT, basic(ReadWriteType="WriteOnly"), "management events (read)"),
        (DEFAULT, basic(ExcludeManagementEventSources=[KMS]), f"management events of {KMS}"),
        (basic(DataResources=data("a")), DEFAULT, "AWS::S3::Object of a"),
        (basic(DataResources=data("arn:aws:s3")), DEFAULT, "AWS::S3::Object"),
        (advanced(MANAGEMENT, VAULT), DEFAULT, "AWS::S3::Object of arn:aws:s3:::vault/"),
        (advanced(MANAGEMENT, {**VAULT, "resources.ARN": {"EndsWith": [".pdf"]}}), DEFAULT, PDF_EVENTS),
    ],
)
def test_kinds_of_events_are_described(have: Any, want: Any, text: str) -> None:
    assert describe(compare(have, want).extra) == text


@pytest.mark.parametrize(
    ("selectors", "selected"),
    [
        (DEFAULT, False),
        (basic(DataResources=data("arn:aws:s3")), True),
        (basic(DataResources=data("arn:aws:s3:::logs/")), True),
        (basic(DataResources=data("arn:aws:s3:::logs-of-others/")), False),
        (basic(ReadWriteType="ReadOnly", DataResources=data("arn:aws:s3")), False),
        (advanced(VAULT), False),
        (advanced(ALL_OBJECTS), True),
        (advanced({**VAULT, "resources.ARN": {"NotStartsWith": ["arn:aws:s3:::logs/"]}}), False),
        (advanced({**VAULT, "resources.ARN": {"NotStartsWith": ["arn:aws:s3:::x/"]}}), True),
        (
            advanced({**ALL_OBJECTS, "readOnly": {"Equals": ["true"]}}),
            False,
        ),
    ],
)
def test_selectors_of_writes_to_a_bucket_are_found(selectors: Any, selected: bool) -> None:
    assert selects_writes_to(selectors, "arn:aws:s3:::logs") is selected


@pytest.mark.parametrize(
    ("have", "want", "same"),
    [
        ([], [], True),
        ([("ApiCallRateInsight", None)], [("ApiCallRateInsight", ["Management"])], True),
        ([("ApiCallRateInsight", ["Data", "Management"])], [("ApiCallRateInsight", None)], False),
        ([("ApiErrorRateInsight", None)], [("ApiCallRateInsight", None)], False),
    ],
)
def test_an_insight_without_a_category_is_for_management_events(have: Any, want: Any, same: bool) -> None:
    def as_api(pairs: Any) -> list[dict[str, Any]]:
        return [
            {"InsightType": kind, **({"EventCategories": categories} if categories else {})}
            for kind, categories in pairs
        ]

    assert compare_insights(as_api(have), as_api(want)).same is same
