"""Tests of the bucket policy statements for AWS Config, and of its role's policies."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.compare.policy import PolicyError
from provisioner.services.config.delivery import config_delivery
from provisioner.services.config.role_policies import config_delivery_role_policy, config_trust

from .sample import ACCOUNT

BUCKET = "arn:aws:s3:::logs"


def by_sid(statements: Any) -> dict[str, Any]:
    assert len({s["Sid"] for s in statements}) == len(statements)
    return {s["Sid"]: s for s in statements}


@pytest.mark.parametrize(
    ("accounts", "organization", "resource", "key", "value"),
    [
        (ACCOUNT, None, f"{BUCKET}/c/AWSLogs/{ACCOUNT}/Config/*", "AWS:SourceAccount", ACCOUNT),
        (
            ["2", "1", "2"],
            None,
            [f"{BUCKET}/c/AWSLogs/1/Config/*", f"{BUCKET}/c/AWSLogs/2/Config/*"],
            "AWS:SourceAccount",
            ["1", "2"],
        ),
        (ACCOUNT, "o-abc", f"{BUCKET}/c/AWSLogs/*/*", "aws:SourceOrgID", "o-abc"),
    ],
    ids=["account", "list", "organization"],
)
def test_bucket_policy_statements(
    accounts: Any, organization: Any, resource: Any, key: str, value: Any
) -> None:
    found = by_sid(config_delivery(BUCKET, ["c"], accounts, organization))
    assert set(found) == {
        "AWSConfigBucketPermissionsCheck",
        "AWSConfigBucketExistenceCheck",
        "AWSConfigBucketDelivery",
    }
    write = found["AWSConfigBucketDelivery"]
    assert write["Resource"] == resource
    assert write["Condition"]["StringEquals"] == {"s3:x-amz-acl": "bucket-owner-full-control", key: value}
    for sid, action in (("Permissions", "s3:GetBucketAcl"), ("Existence", "s3:ListBucket")):
        one = found[f"AWSConfigBucket{sid}Check"]
        assert (one["Action"], one["Resource"]) == (action, BUCKET)
        assert one.get("Condition") == (None if organization else {"StringEquals": {key: value}})


def test_role_policies() -> None:
    trust = config_trust(ACCOUNT)
    (statement,) = trust["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert statement["Principal"] == {"Service": "config.amazonaws.com"}
    plain = config_delivery_role_policy(BUCKET, "p", ACCOUNT)
    full = config_delivery_role_policy(BUCKET, "p", ACCOUNT, "key", ["topic"])
    assert [s["Resource"] for s in full["Statement"]] == [
        BUCKET,
        f"{BUCKET}/p/AWSLogs/{ACCOUNT}/Config/*",
        "key",
        "topic",
    ]
    assert plain["Statement"] == full["Statement"][:2]
    assert full["Version"] == "2012-10-17"


def test_no_account_is_an_error() -> None:
    with pytest.raises(PolicyError, match="at least one account"):
        config_delivery(BUCKET, [""], [])
