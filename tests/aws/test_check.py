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
