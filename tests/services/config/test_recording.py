"""Tests of the conversion between AWS's recording groups and modes and sets of resource types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.services.config.recording import (
    EVERYTHING,
    IAM_TYPES,
    WITHOUT_IAM,
    Types,
    continuous_types,
    recorded_types,
    recording_group,
    recording_mode,
    without_empty_lists,
)

from .sample import EC2, IAM, RDS, S3

names = st.frozensets(st.sampled_from([*IAM, S3, EC2, RDS]))
types = st.builds(Types, names, st.booleans())
UNIVERSE = [*IAM_TYPES, S3, EC2, RDS, "AWS::New::Thing"]


@given(types, types)
def test_union(a: Types, b: Types) -> None:
    assert all((each in (a | b)) == (each in a or each in b) for each in UNIVERSE)


@given(types, st.booleans())
def test_recording_group_round_trip(a: Types, by_exclusion: bool) -> None:
    group = recording_group(a, by_exclusion=by_exclusion)
    assert recorded_types(group) == a
    assert recorded_types(without_empty_lists(group)) == a


@given(types)
def test_recording_mode_round_trip(a: Types) -> None:
    mode = recording_mode(a, "why")
    assert continuous_types(mode) == a
    assert continuous_types(without_empty_lists(mode)) == a
    assert len(mode["recordingModeOverrides"]) <= 1


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (None, WITHOUT_IAM),
        ({"allSupported": True}, WITHOUT_IAM),
        ({"allSupported": True, "includeGlobalResourceTypes": True}, EVERYTHING),
        ({"allSupported": False, "resourceTypes": [S3]}, Types(frozenset([S3]))),
        (
            {
                "exclusionByResourceTypes": {"resourceTypes": IAM},
                "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
            },
            WITHOUT_IAM,
        ),
        # Empty lists that AWS keeps from an earlier strategy.
        (
            {
                "allSupported": True,
                "resourceTypes": [],
                "exclusionByResourceTypes": {"resourceTypes": []},
            },
            WITHOUT_IAM,
        ),
    ],
)
def test_recorded_types(group: dict[str, Any] | None, expected: Types) -> None:
    assert recorded_types(group) == expected


@pytest.mark.parametrize(
    ("some", "text"),
    [
        (EVERYTHING, "every type"),
        (Types(frozenset([S3, EC2]), all_but=True), f"every type but {EC2}, {S3}"),
        (Types(frozenset([S3])), S3),
        (Types(), "nothing"),
        (
            Types(frozenset([*IAM, S3, EC2, RDS])),
            "AWS::EC2::Instance, AWS::IAM::Group, AWS::IAM::Policy, AWS::IAM::Role, AWS::IAM::User, 2 more",
        ),
    ],
)
def test_text(some: Types, text: str) -> None:
    assert str(some) == text
