"""Policies of a key and a topic that other people would make: what the tests' surroundings have."""

from __future__ import annotations

from typing import Final

from provisioner.compare.policy import Statement, arn
from provisioner.services.cloudtrail.delivery import CLOUDTRAIL
from provisioner.services.config.delivery import CONFIG
from provisioner.steps.delivery import Names, allow_service, one_or_sorted

CLOUDWATCH: Final = "cloudwatch.amazonaws.com"


def kms_log_key(
    partition: str,
    key_account: str,
    *,
    trail_arn: Names = (),
    config_accounts: Names = (),
    alarm_accounts: Names = (),
) -> list[Statement]:
    """The account administers the key, and the services named here, where given, encrypt logs under it.

    The key lives in the Region of what it encrypts. Those who read the logs need kms:Decrypt besides.
    """
    root = arn(partition, "iam", "", key_account, "root")
    owner = {"Sid": "EnableRoot", "Effect": "Allow", "Principal": {"AWS": root}}
    found: list[Statement] = [{**owner, "Action": "kms:*", "Resource": "*"}]
    if trail_arn:
        source = {"aws:SourceArn": one_or_sorted(trail_arn, "trail")}
        trail_arns = [trail_arn] if isinstance(trail_arn, str) else trail_arn
        owners = {name.split(":")[4] for name in trail_arns}
        trails = one_or_sorted(
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
        source = {"AWS:SourceAccount": one_or_sorted(config_accounts, "account")}
        found.append(
            allow_service("ConfigDelivery", CONFIG, ["kms:Decrypt", "kms:GenerateDataKey"], "*", source)
        )
    if alarm_accounts:
        source = {"aws:SourceAccount": one_or_sorted(alarm_accounts, "account")}
        actions = ["kms:Decrypt", "kms:GenerateDataKey*"]
        found.append(allow_service("AlarmsToEncryptedTopic", CLOUDWATCH, actions, "*", source))
    return found


def sns_topic(
    topic_arn: str,
    *,
    trail_arn: Names = (),
    config_accounts: Names = (),
    alarm_accounts: Names = (),
) -> list[Statement]:
    """The services named here publish to the topic.

    A topic is born with a statement for its owner (`__default_statement_ID`); merging keeps it.
    """
    wanted = (
        ("CloudTrailPublish", CLOUDTRAIL, "aws:SourceArn", trail_arn),
        ("ConfigPublish", CONFIG, "AWS:SourceAccount", config_accounts),
        ("AlarmsPublish", CLOUDWATCH, "aws:SourceAccount", alarm_accounts),
    )
    return [
        allow_service(sid, service, "sns:Publish", topic_arn, {key: one_or_sorted(names, "source")})
        for sid, service, key, names in wanted
        if names
    ]
