"""What is recorded, as sets of types: what AWS says, and what it means."""

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
    continuous,
    recorded,
    recording_group,
    recording_mode,
    sendable,
)

IAM = sorted(IAM_TYPES)
S3, EC2, RDS = "AWS::S3::Bucket", "AWS::EC2::Instance", "AWS::RDS::DBInstance"


some_types = st.frozensets(st.sampled_from([*sorted(IAM_TYPES), S3, EC2, RDS]))
types = st.builds(Types, some_types, st.booleans())
UNIVERSE = [*IAM_TYPES, S3, EC2, RDS, "AWS::New::Thing"]


@given(types, types)
def test_they_are_sets(a: Types, b: Types) -> None:
    assert all((each in (a | b)) == (each in a or each in b) for each in UNIVERSE)
    assert (a >= b) == all(each in a for each in UNIVERSE if each in b)


@given(types, st.booleans())
def test_a_group_says_what_it_records(a: Types, by_exclusion: bool) -> None:
    group = recording_group(a, by_exclusion=by_exclusion)
    assert recorded(group) == a
    assert recorded(sendable(group)) == a


@given(types)
def test_a_mode_says_what_it_records_continuously(a: Types) -> None:
    mode = recording_mode(a, "why")
    assert continuous(mode) == a
    assert continuous(sendable(mode)) == a
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
        # What AWS leaves of an earlier strategy.
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
def test_what_aws_answers(group: dict[str, Any] | None, expected: Types) -> None:
    assert recorded(group) == expected


@pytest.mark.parametrize(
    ("these", "text"),
    [
        (EVERYTHING, "every type"),
        (Types(frozenset([S3, EC2]), but=True), f"every type but {EC2}, {S3}"),
        (Types(frozenset([S3])), S3),
        (Types(), "nothing"),
        (
            Types(frozenset([*IAM, S3, EC2, RDS])),
            "AWS::EC2::Instance, AWS::IAM::Group, AWS::IAM::Policy, AWS::IAM::Role, AWS::IAM::User, 2 more",
        ),
    ],
)
def test_in_words(these: Types, text: str) -> None:
    assert str(these) == text
