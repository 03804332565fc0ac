"""Tests of the operations that take away what a request has made."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from provisioner.aws.opposites import deletion


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("cloudtrail", "CreateTrail", {"Name": "main"}, "cloudtrail:DeleteTrail with Name main"),
        ("s3", "CreateBucket", {"Bucket": "b"}, "s3:DeleteBucket with Bucket b"),
        (
            "config",
            "PutConfigRule",
            {"ConfigRule": {"ConfigRuleName": "rule"}},
            "config:DeleteConfigRule with ConfigRuleName rule",
        ),
        ("guardduty", "CreateDetector", {}, "guardduty:DeleteDetector with DetectorId"),
        ("macie2", "EnableMacie", {}, "macie2:DisableMacie"),
        ("kms", "CreateKey", {}, ""),  # which is deleted by a schedule
    ],
)
def test_what_is_made_is_deleted_by(
    service: str, operation: str, params: dict[str, Any], expected: str
) -> None:
    model = botocore.session.get_session().get_service_model(service)
    found = deletion(service, operation, params, "eu-west-1", model)
    assert found == (f"{expected} in eu-west-1" if expected else "")
