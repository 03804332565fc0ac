"""Tests of the bucket policy statements of several deliveries to one bucket."""

from __future__ import annotations

import json
from functools import partial

import pytest

from provisioner.compare import policy
from provisioner.compare.policy import PolicyError
from provisioner.compare.policy_check import check
from provisioner.services.cloudtrail.delivery import cloudtrail_delivery
from provisioner.services.config.delivery import config_delivery
from provisioner.services.log_buckets.policy import deny_insecure_transport
from provisioner.steps.delivery import all_statements

ACCOUNT = "123456789012"
BUCKET = "arn:aws:s3:::logs"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"


def test_all_statements_of_several_deliveries_have_unique_sids() -> None:
    trail = cloudtrail_delivery(BUCKET, "trail", TRAIL, ACCOUNT, "o-abc")
    config = partial(config_delivery, BUCKET, account_ids=ACCOUNT)
    parts = [deny_insecure_transport(BUCKET), trail, config(prefixes=[""])]
    sids = [each["Sid"] for each in all_statements(*parts, trail)]
    assert len(sids) == len(set(sids)) == sum(map(len, parts))
    assert all(sid.isascii() and sid.isalnum() for sid in sids)
    with pytest.raises(PolicyError, match="`AWSConfigBucketDelivery`: two deliveries want one Sid"):
        all_statements(*parts, config(prefixes=["a/b"]))


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-eusc"])
def test_arns_are_in_the_partition(partition: str) -> None:
    bucket = policy.arn(partition, "s3", "", "", "logs")
    trail = policy.arn(partition, "cloudtrail", "r-1", ACCOUNT, "trail/main")
    every = json.dumps(
        [
            *deny_insecure_transport(bucket),
            *cloudtrail_delivery(bucket, None, trail, ACCOUNT, "o-a"),
            *config_delivery(bucket, [""], ACCOUNT),
        ]
    )
    assert every.count("arn:") == every.count(f"arn:{partition}:")


def test_our_statements_pass_our_check() -> None:
    every = [
        *deny_insecure_transport(BUCKET),
        *cloudtrail_delivery(BUCKET, "p", TRAIL, ACCOUNT, "o-abc"),
        *config_delivery(BUCKET, ["c"], ACCOUNT),
    ]
    assert check(policy.document(every), bucket_arn=BUCKET) == []
