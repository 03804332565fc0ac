"""What the steps `config_role`, `config_recorder` and `config_rules` ask to be allowed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.permission import (
    ANY_ACCOUNT,
    APPLY,
    VERIFY,
    Condition,
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
from .channel import by_name
from .delivery import CONFIG
from .role import SERVICE_ROLE
from .section import Config

_OWN_READ = "ListAttachedRolePolicies ListRolePolicies GetRolePolicy"
_OWN_WRITE = "UpdateAssumeRolePolicy PutRolePolicy"


@permits("config_role")
def config_role_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Find the role. The service's own is made, one of a name is made and set right, one of an ARN stays as it is."""
    section = baseline[Config]
    if section.role_name:
        yield from _own_role(target, section.role_name)
    elif section.role_arn:
        # Of another account's role `verify` says only that it cannot look at it.
        if target.account in {section.role_arn.split(":")[4], ANY_ACCOUNT}:
            yield from allow(
                "ConfigRoleRead", "iam", "GetRole", on=with_or_without_path(section.role_arn), purposes=VERIFY
            )
    else:
        role = linked_role(target, CONFIG, SERVICE_ROLE)
        yield from allow("ConfigRoleRead", "iam", "GetRole", on=with_or_without_path(role))
        yield from allow(
            "ConfigRoleMake",
            "iam",
            "CreateServiceLinkedRole",
            on=(role,),
            condition=equals("iam:AWSServiceName", CONFIG),
            purposes=APPLY,
        )


def _own_role(target: Target, name: str) -> Iterator[Permission]:
    roles = _named(target, name)
    managed = arn(target.partition, "iam", "", "aws", "policy/service-role/AWS_ConfigRole")
    yield from allow("ConfigRoleRead", "iam", f"GetRole {_OWN_READ}", on=roles)
    yield from allow("ConfigRoleMake", "iam", "CreateRole", on=roles[:1], purposes=APPLY)
    yield from allow("ConfigRoleWrite", "iam", _OWN_WRITE, on=roles, purposes=APPLY)
    yield from allow(
        "ConfigRoleAttach",
        "iam",
        "AttachRolePolicy",
        on=roles,
        condition=Condition("ArnEquals", "iam:PolicyARN", (managed,)),
        purposes=APPLY,
    )


def _named(target: Target, name: str) -> tuple[str, ...]:
    """A role of that name: as we make it, and as somebody may have made it, under a path of theirs."""
    return (
        arn(target.partition, "iam", "", target.account, f"role/{name}"),
        arn(target.partition, "iam", "", target.account, f"role/*/{name}"),
    )


@permits("config_recorder")
def config_recorder_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """See, make and start the recorder, the channel and the retention of the Region, and see what they deliver.

    The reads name no recorder, so that they ask about all. A recorder that is there is adopted under its own name;
    AWS knows no resources for channel and retention.
    """
    section, here = baseline[Config], within(target)
    recorder, pinned = regional(target, baseline, "config", "configuration-recorder/*")
    reads = "DescribeConfigurationRecorders DescribeConfigurationRecorderStatus DescribeDeliveryChannels"
    yield from allow("ConfigRead", "config", reads, condition=here)
    proofs = "GetDiscoveredResourceCounts DescribeDeliveryChannelStatus"
    yield from allow("ConfigRead", "config", proofs, condition=here, purposes=VERIFY)
    starts = "PutConfigurationRecorder StartConfigurationRecorder"
    yield from allow("ConfigRecorderWrite", "config", starts, on=recorder, condition=pinned, purposes=APPLY)
    yield from allow("ConfigDeliveryWrite", "config", "PutDeliveryChannel", condition=here, purposes=APPLY)
    if section.retention_period_in_days is not None:
        yield from allow("ConfigRead", "config", "DescribeRetentionConfigurations", condition=here)
        yield from allow(
            "ConfigDeliveryWrite", "config", "PutRetentionConfiguration", condition=here, purposes=APPLY
        )
    if section.role_name:
        roles = _named(target, section.role_name)
        yield from allow("ConfigRoleRead", "iam", "GetRole", on=roles)
    else:
        roles = (section.role_arn or linked_role(target, CONFIG, SERVICE_ROLE),)
    to_config = equals("iam:PassedToService", CONFIG)
    yield from allow("ConfigRolePass", "iam", "PassRole", on=roles, condition=to_config, purposes=APPLY)


@permits_delivery
def config_delivery_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """The buckets' policy names the organization, unless it names the accounts. AWS knows no resource for it."""
    if (
        Config in baseline
        and baseline.general.accounts is not None
        and not by_name(baseline.general.accounts)
    ):
        yield from allow("OrganizationRead", "organizations", "DescribeOrganization")


@permits("config_rules")
def config_rules_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """See, make and set right the rules of the Region, and see that they are evaluated.

    A rule's ARN ends in an id that AWS makes up, so a policy cannot name the rules of the file; the reads know no
    resources at all.
    """
    section, here = baseline[Config], within(target)
    rules = [each for each in section.rules.values() if target.home or not each.home_region_only]
    if not rules:
        return
    every, pinned = regional(target, baseline, "config", "config-rule/*")
    yield from allow("ConfigRead", "config", "DescribeConfigRules", condition=here)
    yield from allow(
        "ConfigRead", "config", "DescribeConfigRuleEvaluationStatus", condition=here, purposes=VERIFY
    )
    writes = {"PutConfigRule": True, "TagResource": any(each.tags for each in rules)}
    asked = [name for name, asked in writes.items() if asked]
    yield from allow("ConfigRulesWrite", "config", asked, on=every, condition=pinned, purposes=APPLY)
    if writes["TagResource"]:
        yield from allow("ConfigRulesRead", "config", "ListTagsForResource", on=every, condition=pinned)


@permission_notes
def config_notes(baseline: Baseline, actions: Collection[str]) -> Iterator[str]:
    """Who writes a role's policies has the role's power, and more."""
    if Config in baseline and "iam:PutRolePolicy" in actions:
        yield (
            f"who may write the policies of role {baseline[Config].role_name} can give it any power: leave"
            " `config.role_name` out, and AWS Config records with its own role, which nobody writes"
        )
