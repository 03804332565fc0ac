"""Tests of the offline check of a request's parameters."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from botocore.session import get_session

from provisioner.aws.check import check

MODEL = get_session().get_service_model("s3").operation_model("PutBucketVersioning")


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"Bukket": "b"}, "Bukket"),
        ({"Bucket": "b", "VersioningConfiguration": {"Status": "On"}}, "Status"),
        ({"Bucket": "b", "VersioningConfiguration": {"Status": "Enable"}}, "did you mean `Enabled`"),
        ({"Bucket": "b", "VersioningConfiguration": 7}, "VersioningConfiguration"),
    ],
)
def test_wrong_parameters_are_refused(params: Any, problem: str) -> None:
    with pytest.raises(ParamValidationError, match=problem):
        check(params, MODEL)


TAGS = get_session().get_service_model("securityhub").operation_model("TagResource")


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_an_arn_may_be_of_each_partition(partition: str) -> None:
    check({"ResourceArn": f"arn:{partition}:securityhub:us-east-1:1:hub/default", "Tags": {"a": "b"}}, TAGS)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"ResourceArn": "arn:aws:s3:::b", "Tags": {"a": "b"}}, "does not match"),
        ({"ResourceArn": "arn:aws:securityhub:a", "Tags": {"team": "b" * 257}}, "Tags.team: at most 256"),
        ({"ResourceArn": "arn:aws:securityhub:a", "Tags": {"a" * 129: "b"}}, "at most 128 characters"),
    ],
)
def test_the_keys_and_values_of_mappings_are_checked(params: Any, problem: str) -> None:
    with pytest.raises(ParamValidationError, match=problem):
        check(params, TAGS)
