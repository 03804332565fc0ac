"""Tests of the bucket policy statements that a trail needs."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.compare.policy import PolicyError
from provisioner.services.cloudtrail.delivery import cloudtrail_delivery

ACCOUNT = "123456789012"
BUCKET = "arn:aws:s3:::logs"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"


def by_sid(statements: Any) -> dict[str, Any]:
    assert len({s["Sid"] for s in statements}) == len(statements)
    return {s["Sid"]: s for s in statements}


def test_an_organization_trail_writes_for_its_owner_and_the_organization() -> None:
    found = by_sid(cloudtrail_delivery(BUCKET, "audit/", TRAIL, ACCOUNT, "o-abc"))
    assert set(found) == {
        "AWSCloudTrailAclCheck20150319",
        "AWSCloudTrailWrite20150319",
        "AWSCloudTrailOrganizationWrite20150319",
    }
    equals = {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": TRAIL}
    assert found["AWSCloudTrailWrite20150319"]["Resource"] == f"{BUCKET}/audit/AWSLogs/{ACCOUNT}/*"
    write = found["AWSCloudTrailOrganizationWrite20150319"]
    assert write["Resource"] == f"{BUCKET}/audit/AWSLogs/o-abc/*"
    assert write["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert write["Action"] == "s3:PutObject"
    assert write["Condition"] == {"StringEquals": equals}
    acl = found["AWSCloudTrailAclCheck20150319"]
    assert (acl["Action"], acl["Resource"]) == ("s3:GetBucketAcl", BUCKET)
    assert acl["Condition"] == {"StringEquals": {"aws:SourceArn": TRAIL}}


def test_trails_of_several_accounts_have_a_path_for_each_account() -> None:
    assert len(cloudtrail_delivery(BUCKET, None, TRAIL, ACCOUNT)) == 2
    _, write = cloudtrail_delivery(BUCKET, "", [TRAIL, "t2"], ["2", "1"])
    assert write["Resource"] == [f"{BUCKET}/AWSLogs/1/*", f"{BUCKET}/AWSLogs/2/*"]
    assert write["Condition"]["StringEquals"]["aws:SourceArn"] == [TRAIL, "t2"]


def test_at_least_one_trail_is_needed() -> None:
    with pytest.raises(PolicyError, match="at least one trail"):
        cloudtrail_delivery(BUCKET, None, [], ACCOUNT)
