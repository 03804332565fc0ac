"""IAM: the role that AWS Config records with: the service-linked one, or one that the file names."""

from __future__ import annotations

from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...compare import policy
from ...compare.policy import arn
from ...model import Changes, Exists, Finding, Findings, Scope, create
from ...steps.references import resolve
from ...steps.regions import enabled_regions
from ...steps.registry import step, verify
from ...steps.roles import Role, ask_role, role
from .delivery import CONFIG, config_delivery_role_policy, config_trust
from .section import Config

SERVICE_ROLE: Final = "AWSServiceRoleForConfig"
INLINE_POLICY: Final = "ConfigDelivery"


def role_arn(aws: Aws, baseline: Baseline) -> str:
    """The ARN of the role that the file asks for, there or not yet."""
    section = baseline[Config]
    if section.role_arn:
        return section.role_arn
    if section.role_name:
        have = ask_role(aws, baseline.general.home_region, section.role_name).value("Role", "NoSuchEntity")
        # A role that was there before us may have a path, which no name tells.
        return (
            str(have["Arn"])
            if have
            else arn(aws.partition, "iam", "", aws.account, f"role/{section.role_name}")
        )
    return arn(aws.partition, "iam", "", aws.account, f"role/aws-service-role/{CONFIG}/{SERVICE_ROLE}")


def managed_policy(aws: Aws) -> str:
    """The ARN of AWS's own policy for a role of AWS Config."""
    return arn(aws.partition, "iam", "", "aws", "policy/service-role/AWS_ConfigRole")


@step("config_role", Config, Scope.ACCOUNT, clients=("iam",))
def ensure_config_role(aws: Aws, baseline: Baseline) -> Changes:
    """AWS Config has a role: the service-linked one, or the one that the file names, with what it needs."""
    section = baseline[Config]
    if section.role_name:
        yield from role(aws, baseline.general.home_region, _own_role(aws, baseline, section.role_name))
    elif section.role_arn:
        return
    elif ask_role(aws, baseline.general.home_region, SERVICE_ROLE).found("NoSuchEntity") is not None:
        yield Exists(f"role {SERVICE_ROLE}")
    else:
        # "Has been taken" is InvalidInput, like other refusals: the role is read again to see.
        call = aws.write("iam").create_service_linked_role(AWSServiceName=CONFIG).or_done("InvalidInput")
        yield create(f"role {SERVICE_ROLE}", {"AWSServiceName": CONFIG}, call)


def _own_role(aws: Aws, baseline: Baseline, name: str) -> Role:
    return Role(
        name,
        "AWS Config records with this role",
        trust=policy.statements(config_trust(aws.account)),
        managed=(managed_policy(aws),),
        inline={INLINE_POLICY: _delivery_policy(aws, baseline)},
    )


def _delivery_policy(aws: Aws, baseline: Baseline) -> dict[str, Any]:
    """One policy for the channels of all Regions, which may each have a topic of their own."""
    channel, account = baseline[Config].delivery_channel, aws.account
    bucket = arn(aws.partition, "s3", "", "", resolve(aws, baseline, "bucket", channel.s3_bucket_name).name)
    filled = [
        baseline.at(account_id=account, region=region, partition=aws.partition)[Config].delivery_channel
        for region in baseline.general.named_regions or _all_regions(aws, baseline)
    ]
    topics = sorted({each.sns_topic_arn for each in filled if each.sns_topic_arn})
    first = topics[0] if topics else None
    want = config_delivery_role_policy(bucket, channel.s3_key_prefix, account, channel.s3_kms_key_arn, first)
    for statement in want["Statement"]:
        if statement["Resource"] == first:
            statement["Resource"] = topics[0] if len(topics) == 1 else topics
    return want


def _all_regions(aws: Aws, baseline: Baseline) -> list[str]:
    """The Regions of the account; only those that it has enabled have a topic."""
    return enabled_regions(aws, baseline.general.home_region)[0]


@verify("config_role")
def verify_config_role(aws: Aws, baseline: Baseline) -> Findings:
    """The role is there."""
    want = role_arn(aws, baseline)
    name = want.rpartition("/")[2]
    if f":{aws.account}:" not in want:
        yield Finding(f"role {name}", "there", None, f"is in another account and cannot be looked at: {want}")
        return
    have = ask_role(aws, baseline.general.home_region, name).value("Role", "NoSuchEntity")
    if have is None:
        yield Finding(f"role {name}", "there", False, "there is no such role")
    elif have["Arn"] != want:
        yield Finding(f"role {name}", "there", False, f"its ARN is {have['Arn']}, the baseline has {want}")
    else:
        yield Finding(f"role {name}", "there", True, want)
