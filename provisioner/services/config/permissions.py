"""The IAM permissions that the steps `config_role`, `config_recorder` and `config_rules` need."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...baseline import Baseline
from ...model import Target
from ...steps.delivery import sources_permissions
from ...steps.key_use import key_permissions, may_look
from ...steps.permission import (
    ANY_ACCOUNT,
    APPLY,
    VERIFY,
    Permission,
    allow,
    equals,
    linked_role,
    permission_notes,
    permits,
    permits_delivery,
    regional,
    with_or_without_path,
    within,
)
from ...steps.roles import named_roles, role_permissions
from .linked_roles import linked_roles, linked_roles_permissions
from .principal import principal
from .role import SERVICE_ROLE, managed_policy
from .section import Config


@permits("config_role")
def config_role_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read the role. The service-linked role is created, one of a name is created and repaired, one of an ARN is only read."""
    section = baseline[Config]
    if section.role_name:
        managed = managed_policy(target.partition)
        yield from role_permissions("ConfigRole", target, section.role_name, managed=managed, inline=True)
    elif section.role_arn:
        # A role of another account is not read.
        if target.account in {section.role_arn.split(":")[4], ANY_ACCOUNT}:
            yield from allow("ConfigRoleRead", "iam", "GetRole", on=with_or_without_path(section.role_arn))
    else:
        yield from allow("ConfigLinkedRoles", "iam", "GetRole", on=linked_roles(target))
        yield from linked_roles_permissions(target, baseline)


@permits("config_recorder")
def config_recorder_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create, repair and start the recorder, channel and retention of the Region, and read their status.

    Reads are about all recorders and so have no resource. Writes are for any recorder, because one that exists is
    adopted under its own name. AWS has no resource types for channel and retention.
    """
    section, in_region = baseline[Config], within(target)
    recorder, narrowed = regional(target, baseline, "config", "configuration-recorder/*")
    reads = "DescribeConfigurationRecorders DescribeConfigurationRecorderStatus DescribeDeliveryChannels"
    yield from allow("ConfigSettings", "config", reads, condition=in_region)
    status_reads = (
        "GetDiscoveredResourceCounts DescribeDeliveryChannelStatus DescribeConfigRules"
        " DescribeRemediationConfigurations"
    )
    yield from allow("ConfigSettings", "config", status_reads, condition=in_region, purposes=VERIFY)
    writes = "PutConfigurationRecorder StartConfigurationRecorder"
    yield from allow("ConfigRecorderWrite", "config", writes, on=recorder, condition=narrowed, purposes=APPLY)
    yield from allow("ConfigSettings", "config", "PutDeliveryChannel", condition=in_region, purposes=APPLY)
    if section.role_name:
        roles = named_roles(target, section.role_name)
        yield from allow("ConfigRoleRead", "iam", "GetRole", on=roles)
    else:
        roles = (section.role_arn or linked_role(target, principal(target.partition), SERVICE_ROLE),)
    channel = section.delivery_channel
    if may_look(target, channel.s3_kms_key_arn):
        yield from key_permissions("ConfigKeyRead", target, baseline, channel.s3_kms_key_arn)
    if (topic := channel.sns_topic_arn) and target.account in {topic.split(":")[4], ANY_ACCOUNT}:
        yield from allow("ConfigTopicRead", "sns", "GetTopicAttributes", on=(topic,))
    to_config = equals("iam:PassedToService", principal(target.partition))
    yield from allow("ConfigRolePass", "iam", "PassRole", on=roles, condition=to_config, purposes=APPLY)


@permits("config_recorder", disabling=True)
def config_stopping_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read the recorder and the channel, and stop the recorder."""
    reads = "DescribeConfigurationRecorders DescribeConfigurationRecorderStatus DescribeDeliveryChannels"
    yield from allow("ConfigRead", "config", reads, condition=within(target))
    recorder, narrowed = regional(target, baseline, "config", "configuration-recorder/*")
    stop = "StopConfigurationRecorder"
    yield from allow("ConfigRecorderWrite", "config", stop, on=recorder, condition=narrowed, purposes=APPLY)


@permits("config_retention")
def config_retention_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and set the retention, unless Control Tower set up the recorder or the channel. AWS has no resource type for it."""
    if baseline[Config].retention_period_in_days is None:
        return
    in_region = within(target)
    reads = (
        "DescribeConfigurationRecorders DescribeConfigurationRecorderStatus DescribeDeliveryChannels"
        " DescribeRetentionConfigurations"
    )
    yield from allow("ConfigSettings", "config", reads, condition=in_region)
    put = "PutRetentionConfiguration"
    yield from allow("ConfigSettings", "config", put, condition=in_region, purposes=APPLY)


@permits_delivery
def config_delivery_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read what the buckets' policy needs. AWS has no resource types for these.

    That is the organization's id, unless the policy lists the accounts, and the prefixes of the channels that exist,
    unless the file has the prefix.
    """
    if Config not in baseline:
        return
    if baseline[Config].delivery_channel.s3_key_prefix is None:
        yield from allow("ConfigSettings", "config", "DescribeDeliveryChannels", condition=within(target))
    yield from sources_permissions(baseline)


@permission_notes
def config_notes(baseline: Baseline, actions: Collection[str]) -> Iterator[str]:
    """Warn that permission to write a role's policies gives the role's permissions, and more."""
    name = baseline[Config].role_name if Config in baseline else None
    if name and "iam:PutRolePolicy" in actions:
        yield (
            f"whoever may write the policies of role {name} can give it any permission:"
            " leave `config.role_name` out, and AWS Config records with its service-linked role, which nobody can write"
        )
