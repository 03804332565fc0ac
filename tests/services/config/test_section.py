"""Tests of the errors in the section `config`."""

from __future__ import annotations

import pytest

from provisioner.baseline import BaselineError

from ...conftest import Bench
from .sample import EC2, ROLE, S3, config_file, recorder_file


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            recorder_file({"all_supported": True, "resource_types": [S3]}),
            "all_supported: goes without `resource_types`",
        ),
        (recorder_file({"all_supported": False}), "all_supported: nothing would be recorded"),
        (
            recorder_file({"resource_types": [S3], "exclusion_by_resource_types": [EC2]}),
            "exclusion_by_resource_types: goes without `resource_types`",
        ),
        (
            recorder_file({"resource_types": [S3], "include_global_resource_types": True}),
            "include_global_resource_types: goes with `all_supported` only: list the IAM types",
        ),
        (recorder_file({"resource_types": []}), "resource_types: want a list of at least 1 item"),
        (recorder_file({"resource_types": ["s3"]}), "resource_types[0]: want a resource type such as"),
        (
            recorder_file(
                None,
                {"recording_mode_overrides": [{"resource_types": [S3], "recording_frequency": "CONTINUOUS"}]},
            ),
            "recording_mode_overrides[0].recording_frequency: is CONTINUOUS anyway",
        ),
        (
            recorder_file(
                None,
                {
                    "recording_mode_overrides": [
                        {
                            "resource_types": ["AWS::Config::ResourceCompliance"],
                            "recording_frequency": "DAILY",
                        }
                    ]
                },
            ),
            "AWS records AWS::Config::ResourceCompliance continuously only",
        ),
        (
            recorder_file(
                {"resource_types": ["AWS::Config::ResourceCompliance"]}, {"recording_frequency": "DAILY"}
            ),
            "recording_frequency: AWS records AWS::Config::ResourceCompliance continuously only",
        ),
        (config_file({"retention_period_in_days": 29}), "want a whole number from 30 to 2557, got 29"),
        (config_file(s3_bucket_name="confg"), "`log_buckets` has no bucket `confg`; did you mean 'config'?"),
        (config_file(s3_bucket_name="acme-else"), "`log_buckets` has no bucket `acme-else`"),
        (
            config_file(s3_bucket_name="locked").replace(
                "other: {name: acme-other}",
                "locked: {name: acme-locked, object_lock: {mode: GOVERNANCE, days: 1}}",
            ),
            "AWS Config cannot deliver to a bucket with Object Lock",
        ),
        (
            recorder_file({"include_global_resource_types": True}, regions=["eu-west-1"]),
            "include_global_resource_types: is for `home_region`, which is none of `regions`",
        ),
        (
            config_file(
                {
                    "rules": {
                        "root": {"source_identifier": "IAM_ROOT_ACCESS_KEY_CHECK", "home_region_only": True}
                    }
                },
                regions=["eu-west-1"],
            ),
            "rules.root.home_region_only: is for `home_region`",
        ),
        (config_file(s3_key_prefix="aws/"), "want a prefix without / at its ends"),
        (
            config_file(s3_kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/k"),
            "s3_kms_key_arn: the key is in eu-west-1; it has to be where the bucket is, in us-east-1",
        ),
        (config_file(s3_kms_key_arn="alias/config"), "want the ARN of a KMS key"),
        (
            config_file(sns_topic_arn="arn:aws:sns:eu-west-1:123456789012:config"),
            "sns_topic_arn: the topic is in eu-west-1, and AWS Config takes a topic of its own Region only",
        ),
        (
            config_file(
                regions=["us-east-1", "eu-west-1"], sns_topic_arn="arn:aws:sns:us-east-1:123456789012:config"
            ),
            "takes a topic of its own Region only, such as eu-west-1: write `${region}` in the ARN",
        ),
        (
            "home_region: cn-northwest-1\n" + config_file(regions=["cn-northwest-1", "cn-north-1"]),
            "s3_bucket_name: AWS Config in cn-north-1 delivers to a bucket in cn-north-1 only",
        ),
        (
            "home_region: cn-northwest-1\n" + config_file().replace('["us-east-1"]', "all"),
            "s3_bucket_name: AWS Config in cn-north-1 delivers to a bucket in cn-north-1 only",
        ),
        (
            "accounts: {all: true}\n" + config_file({"role_arn": f"{ROLE}/a".replace("1234", "9999")}),
            "config.role_arn: the role is in account 999956789012, and AWS Config takes a role of its own account",
        ),
        (
            "allowed_account_ids: ['111122223333']\n"
            + config_file({"role_arn": f"{ROLE}/a".replace("1234", "9999")}),
            "write `${account_id}` in the ARN",
        ),
        (config_file(delivery_frequency="Hourly"), "delivery_frequency: want one of 'One_Hour'"),
        (
            config_file({"role_name": "a", "role_arn": f"{ROLE}/a"}),
            "config.role_arn: goes without `role_name`",
        ),
        (config_file({"role_name": "a b"}), "config.role_name: want the name of a role"),
        (config_file({"role_arn": "recorder"}), "config.role_arn: want the ARN of an IAM role"),
    ],
)
def test_error(bench: Bench, text: str, words: str) -> None:
    with pytest.raises(BaselineError) as error:
        bench.baseline(text)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "home_region: cn-north-1\n" + config_file(regions=["cn-northwest-1", "cn-north-1"]),
        "home_region: cn-northwest-1\n" + config_file(regions=["cn-northwest-1"]),
        config_file().replace('["us-east-1"]', "all"),
        config_file(
            regions=["us-east-1", "eu-west-1"], sns_topic_arn="arn:aws:sns:${region}:123456789012:config"
        ),
        "accounts: {all: true}\n" + config_file({"role_arn": "arn:aws:iam::${account_id}:role/a"}),
        "accounts: {all: true}\noverrides:\n- ids: ['999956789012']\n  config: {role_arn: 'arn:aws:iam::999956789012:role/a'}\n"
        + config_file(),
        "accounts: {ids: ['999956789012']}\n" + config_file({"role_arn": "arn:aws:iam::999956789012:role/a"}),
    ],
)
def test_valid(bench: Bench, text: str) -> None:
    assert "config" in bench.baseline(text).sections
