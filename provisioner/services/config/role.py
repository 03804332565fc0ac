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


def role_arn(aws: Aws, baseline: Baseline) -> str:
    """The ARN of the role that the file asks for, whether it exists or not."""
    section = baseline[Config]
    if section.role_arn:
        return section.role_arn
    path = f"aws-service-role/{CONFIG}/{SERVICE_ROLE}"
    if section.role_name:
        have = ask_role(aws, baseline.general.home_region, section.role_name).value("Role", "NoSuchEntity")
        if have:  # its path, if it has one, cannot be known from its name
            return str(have["Arn"])
        path = section.role_name
    return arn(aws.partition, "iam", "", aws.account, f"role/{path}")


def managed_policy(partition: str) -> str:
    """The ARN of the policy that AWS has for a role of AWS Config."""
    return arn(partition, "iam", "", "aws", "policy/service-role/AWS_ConfigRole")


@step("config_role", Config, Scope.ACCOUNT, clients=("iam",))
def ensure_config_role(aws: Aws, baseline: Baseline) -> Changes:
    """Create the service-linked role, or create and repair the role that the file names; leave one given by ARN alone."""
    section = baseline[Config]
    if section.role_name:
        want = Role(
            section.role_name,
            "AWS Config records with this role",
            trust=policy.statements(config_trust(aws.account)),
            managed=(managed_policy(aws.partition),),
            inline={"ConfigDelivery": _delivery_policy(aws, baseline)},
        )
        yield from role(aws, baseline.general.home_region, want)
    elif section.role_arn:
        return
    elif ask_role(aws, baseline.general.home_region, SERVICE_ROLE).found("NoSuchEntity") is not None:
        yield Exists(f"role {SERVICE_ROLE}")
    else:
        # IAM answers InvalidInput if the role exists, and for other reasons: it is read again to find out.
        call = aws.write("iam").create_service_linked_role(AWSServiceName=CONFIG).or_done("InvalidInput")
        yield create(f"role {SERVICE_ROLE}", {"AWSServiceName": CONFIG}, call)


def _delivery_policy(aws: Aws, baseline: Baseline) -> dict[str, Any]:
    """One policy for the channels of all Regions; each may have a topic of its own."""
    channel, account = baseline[Config].delivery_channel, aws.account
    bucket = arn(aws.partition, "s3", "", "", resolve(aws, baseline, "bucket", channel.s3_bucket_name).name)
    # With `regions: all`, only the Regions that the account has enabled have a topic.
    regions = baseline.general.named_regions or enabled_regions(aws, baseline.general.home_region)[0]
    topics = {
        baseline.at(account_id=account, region=region, partition=aws.partition)[
            Config
        ].delivery_channel.sns_topic_arn
        for region in regions
    }
    return config_delivery_role_policy(
        bucket, channel.s3_key_prefix, account, channel.s3_kms_key_arn, sorted(filter(None, topics))
    )


@verify("config_role")
def verify_config_role(aws: Aws, baseline: Baseline) -> Findings:
    """The role exists, under the ARN that the file asks for."""
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
