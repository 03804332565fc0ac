"""How AWS Config delivers to a bucket: the bucket's policy statements, and the policies of a role of its own.

Source: AWS Config Developer Guide, "Permissions for the Amazon S3 bucket" and "Permissions for the IAM role".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from ...aws import Aws
from ...aws.errors import BotoCoreError, ClientError
from ...baseline import Baseline
from ...compare.policy import Statement
from ...steps.delivery import (
    FULL_CONTROL,
    Delivery,
    OneOrMany,
    allow_service,
    delivers,
    log_path,
    one_or_list,
    sources,
)
from ...steps.key_use import KeyUse, uses_key
from ...steps.regions import enabled_regions
from .principal import principal
from .section import Config


@delivers
def config_deliveries(aws: Aws, baseline: Baseline) -> Iterator[Delivery]:
    """AWS Config delivers what it records in this account, or in every account of the file."""
    if Config not in baseline:
        return
    channel, found = baseline[Config].delivery_channel, sources(aws, baseline)
    statements = partial(
        config_delivery,
        prefixes=delivery_prefixes(aws, baseline),
        account_ids=found.accounts,
        organization_id=found.organization_id,
    )
    key = channel.s3_kms_key_arn
    headers = {"s3:x-amz-server-side-encryption": "aws:kms"} if key else {}
    encrypts = key_statements(aws.partition, found.accounts, found.organization_id)
    yield Delivery("config", channel.s3_bucket_name, statements, headers, key_statements=encrypts)


@uses_key
def config_key(aws: Aws, baseline: Baseline) -> Iterator[KeyUse]:
    """The key with which AWS Config encrypts what it delivers."""
    key = baseline[Config].delivery_channel.s3_kms_key_arn if Config in baseline else None
    if key:
        [delivery] = config_deliveries(aws, baseline)
        yield KeyUse(key, delivery.key_statements)


def key_statements(
    partition: str, account_ids: OneOrMany, organization_id: str | None = None
) -> list[Statement]:
    """Allow AWS Config to encrypt with a key what it delivers for these accounts, or for a whole organization."""
    source: dict[str, Any] = {"aws:SourceOrgID": organization_id}
    if not organization_id:
        source = {"AWS:SourceAccount": one_or_list(account_ids, "account")}
    actions = ["kms:Decrypt", "kms:GenerateDataKey"]
    return [allow_service("ConfigDelivery", principal(partition), actions, "*", source)]


def delivery_prefixes(aws: Aws, baseline: Baseline) -> list[str]:
    """The prefixes below which AWS Config delivers in this account; an empty text is none.

    If the file leaves the prefix out, they are those of the channels that exist, and none for a new one, which accounts
    that are not looked at here may need. A Region whose channel cannot be read counts as without one: the step that makes
    the channel fails there.
    """
    stated = baseline[Config].delivery_channel.s3_key_prefix
    if stated is not None:
        return [stated]
    general = baseline.general
    regions = general.named_regions or enabled_regions(aws, general.home_region)[0]
    asked = [aws.read("config", region).describe_delivery_channels() for region in regions]
    found = {""} if general.accounts else set[str]()
    for each in asked:
        channels: list[dict[str, Any]] = []
        with suppress(ClientError, BotoCoreError):
            channels = each.get("DeliveryChannels")
        found |= {channel.get("s3KeyPrefix", "") for channel in channels} or {""}
    return sorted(found)


def config_delivery(
    bucket_arn: str, prefixes: Sequence[str], account_ids: OneOrMany, organization_id: str | None = None
) -> list[Statement]:
    """The statements that let AWS Config deliver below *prefixes*, for these accounts or for a whole organization.

    With an organization the two checks have no condition, as in Control Tower's own log bucket. A standalone
    account has no aws:SourceOrgID and needs the list, which reaches S3's limit at 100 to 150 accounts.
    Raises PolicyError if there is neither an account nor an organization.
    """
    if organization_id:
        source: dict[str, Any] = {}
        paths = [log_path(bucket_arn, prefix, "*") for prefix in prefixes]
        writes: dict[str, Any] = {"aws:SourceOrgID": organization_id}
    else:
        accounts = [account_ids] if isinstance(account_ids, str) else account_ids
        source = writes = {"AWS:SourceAccount": one_or_list(accounts, "account")}
        paths = [
            log_path(bucket_arn, prefix, account, "Config/") for account in accounts for prefix in prefixes
        ]
    objects = one_or_list(paths, "path")
    service = principal(bucket_arn.split(":")[1])
    return [
        allow_service("AWSConfigBucketPermissionsCheck", service, "s3:GetBucketAcl", bucket_arn, source),
        allow_service("AWSConfigBucketExistenceCheck", service, "s3:ListBucket", bucket_arn, source),
        allow_service("AWSConfigBucketDelivery", service, "s3:PutObject", objects, FULL_CONTROL | writes),
    ]
