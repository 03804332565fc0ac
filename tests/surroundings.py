"""Policies of a KMS key and an SNS topic that exist before a test, as other users would write them."""

from __future__ import annotations

from provisioner.compare.policy import Statement, arn
from provisioner.services.cloudtrail.delivery import CLOUDTRAIL
from provisioner.services.config.principal import CONFIG
from provisioner.steps.delivery import OneOrMany, allow_service, one_or_list


def kms_log_key(
    partition: str,
    key_account: str,
    *,
    trail_arn: OneOrMany = (),
    config_accounts: OneOrMany = (),
) -> list[Statement]:
    """Statements of a key that its account administers, and with which the services named here may encrypt."""
    root = arn(partition, "iam", "", key_account, "root")
    owner = {"Sid": "EnableRoot", "Effect": "Allow", "Principal": {"AWS": root}}
    found: list[Statement] = [{**owner, "Action": "kms:*", "Resource": "*"}]
    if trail_arn:
        source = {"aws:SourceArn": one_or_list(trail_arn, "trail")}
        trail_arns = [trail_arn] if isinstance(trail_arn, str) else trail_arn
        owners = {name.split(":")[4] for name in trail_arns}
        trails = one_or_list(
            [arn(partition, "cloudtrail", "*", owner, "trail/*") for owner in owners], "trail"
        )
        context = {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trails}}
        encrypt = allow_service("CloudTrailEncrypt", CLOUDTRAIL, "kms:GenerateDataKey*", "*", source)
        found += [
            {**encrypt, "Condition": {**encrypt["Condition"], **context}},
            allow_service("CloudTrailDescribe", CLOUDTRAIL, "kms:DescribeKey", "*", source),
            allow_service("CloudTrailDecryptForBucketKeys", CLOUDTRAIL, "kms:Decrypt", "*", source),
        ]
    if config_accounts:
        source = {"AWS:SourceAccount": one_or_list(config_accounts, "account")}
        found.append(
            allow_service("ConfigDelivery", CONFIG, ["kms:Decrypt", "kms:GenerateDataKey"], "*", source)
        )
    return found


def sns_topic(
    topic_arn: str,
    *,
    trail_arn: OneOrMany = (),
    config_accounts: OneOrMany = (),
) -> list[Statement]:
    """Statements of a topic to which the services named here may publish."""
    publishers = (
        ("CloudTrailPublish", CLOUDTRAIL, "aws:SourceArn", trail_arn),
        ("ConfigPublish", CONFIG, "AWS:SourceAccount", config_accounts),
    )
    return [
        allow_service(sid, service, "sns:Publish", topic_arn, {key: one_or_list(names, "source")})
        for sid, service, key, names in publishers
        if names
    ]
