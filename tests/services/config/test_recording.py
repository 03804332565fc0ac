"""Tests of the conversion between AWS's recording groups and modes and sets of resource types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.services.config import resource_types
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
from provisioner.services.config.recording_section import Recorder, RecordingGroup
from provisioner.services.config.resource_types import intended, known_types
from provisioner.services.config.rule_section import Scope

from ...sandbox.cases import Aws, outcome
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


KNOWN = known_types()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("AWS::S3::Bukket", "AWS::S3::Bucket"),
        ("AWS::S3::Buckets", "AWS::S3::Bucket"),
        ("AWS::S3::Buckte", "AWS::S3::Bucket"),
        ("AWS::EC2::Securitygroup", "AWS::EC2::SecurityGroup"),
        ("AWS::Lamda::Function", "AWS::Lambda::Function"),
        ("AWS::DynamoDb::Table", "AWS::DynamoDB::Table"),
        ("AWS::IAM::Usr", "AWS::IAM::User"),
        ("AWS::QuantumLedger::Journal", ""),
        ("AWS::S3::Object", ""),
        ("AWS::S3::Bucket", ""),
    ],
)
def test_a_misspelt_resource_type_is_a_mistake_wherever_it_stands(written: str, meant: str) -> None:
    for model, lines in (
        (RecordingGroup, {"resource_types": [written]}),
        (RecordingGroup, {"exclusion_by_resource_types": [written]}),
        (Scope, {"compliance_resource_types": [written]}),
    ):
        if meant:
            with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
                model.model_validate(lines)
        else:
            model.model_validate(lines)


def test_a_resource_type_that_is_new_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each type in turn is taken out of the list: fewer than one in a hundred looks like another one, misspelt."""
    refused = []
    for each in KNOWN:
        monkeypatch.setattr(
            resource_types, "known_types", lambda new=each: [one for one in KNOWN if one != new]
        )
        if intended(each):
            refused.append(each)
    assert len(refused) * 100 < len(KNOWN), refused


NAME = "AWSConfigurationRecorderForAudit"


def test_a_recorder_has_no_name_of_a_service_linked_one() -> None:
    with pytest.raises(ValueError, match="the recorders of its services"):
        Recorder.model_validate({"name": NAME})


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": NAME}, "InvalidConfigurationRecorderNameException"),
        ({"recordingGroup": {"resourceTypes": ["AWS::S3::Bukket"]}}, "ValidationException"),
        ({"recordingGroup": {"resourceTypes": ["AWS::S3::Bucket"]}}, ""),
    ],
)
def test_the_sandbox_refuses_them_too(aws: Aws, given: dict[str, Any], code: str) -> None:
    role = "arn:aws:iam::123456789012:role/r"
    recorder = {"name": "default", "roleARN": role, **given}
    put = outcome(
        lambda aws: aws.config.put_configuration_recorder(ConfigurationRecorder=recorder) and "", aws
    )
    assert put == code
