"""Tests of the offline check of a request: what it says is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from botocore.session import get_session

from provisioner.aws.check import check

MODEL = get_session().get_service_model("s3").operation_model("PutBucketVersioning")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"Bukket": "b"}, "Bukket"),
        ({"Bucket": "b", "VersioningConfiguration": {"Status": "On"}}, "Status"),
        ({"Bucket": "b", "VersioningConfiguration": {"Status": "Enable"}}, "did you mean `Enabled`"),
        ({"Bucket": "b", "VersioningConfiguration": 7}, "VersioningConfiguration"),
    ],
)
def test_what_aws_would_refuse_is_told(params: Any, says: str) -> None:
    with pytest.raises(ParamValidationError, match=says):
        check(params, MODEL)
