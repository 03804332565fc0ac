"""IAM: the role that AWS Config records with: the service-linked one, or one that the file names."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...compare import policy
from ...compare.policy import arn
from ...model import Changes, Exists, Finding, Findings, Refused, Scope, create
from ...steps import existing
from ...steps.references import keys, resolve
from ...steps.regions import enabled_regions
from ...steps.registry import step, verify
from ...steps.roles import Role, ask_role, role
from .delivery import delivery_prefixes
from .destinations import look_at_delivery_key
from .principal import principal
from .role_policies import config_delivery_role_policy, config_trust, with_earlier_destinations
from .section import Config

SERVICE_ROLE: Final = "AWSServiceRoleForConfig"
# Some of what AWS_ConfigRole allows, of the services that most accounts use. Source: AWS Managed Policy Reference.
_READS: Final = (
    *(
        "ec2:DescribeInstances",
        "ec2:DescribeSecurityGroups",
        "iam:GetAccountAuthorizationDetails",
        "iam:ListUsers",
    ),
    *("s3:GetBucketPolicy", "s3:GetEncryptionConfiguration", "kms:DescribeKey", "cloudtrail:DescribeTrails"),
    *("rds:DescribeDBInstances", "lambda:ListFunctions"),
)


def role_arn(aws: Aws, baseline: Baseline) -> str:
    """The ARN of the role that the file asks for, whether it exists or not."""
    section = baseline[Config]
    if section.role_arn:
        return section.role_arn
    path = f"aws-service-role/{principal(aws.partition)}/{SERVICE_ROLE}"
    if section.role_name:
        have = ask_role(aws, baseline.general.home_region, section.role_name).value("Role", "NoSuchEntity")
        if have:  # its path, if it has one, cannot be known from its name
            return str(have["Arn"])
        path = section.role_name
    return arn(aws.partition, "iam", "", aws.account, f"role/{path}")


def managed_policy(partition: str) -> str:
    """The ARN of the policy that AWS has for a role of AWS Config."""
    return arn(partition, "iam", "", "aws", "policy/service-role/AWS_ConfigRole")


@step("config_role", Config, Scope.ACCOUNT, clients=("iam",), refers_to=("key",))
def ensure_config_role(aws: Aws, baseline: Baseline) -> Changes:
    """Create the service-linked role, or create and repair the role that the file names; leave one given by ARN alone.

    Raises Refused if there is no role of that ARN, or if it is in another account.
    """
    section = baseline[Config]
    if section.role_name:
        want = Role(
            section.role_name,
            "AWS Config records with this role",
            trust=policy.statements(config_trust(aws.account, aws.partition)),
            managed=(managed_policy(aws.partition),),
            managed_actions=_READS,
            inline={"ConfigDelivery": _delivery_policy(aws, baseline)},
            merge=partial(with_earlier_destinations, bucket_arns=_bucket_arns(aws, baseline)),
        )
        yield from role(aws, baseline.general.home_region, want)
    elif section.role_arn:
        ok, detail = _check_role(aws, baseline, section.role_arn)
        if not ok:
            raise Refused(f"`config.role_arn`: {detail}")
        yield Exists(f"role {section.role_arn.rpartition('/')[2]}")
    elif ask_role(aws, baseline.general.home_region, SERVICE_ROLE).found("NoSuchEntity") is not None:
        yield Exists(f"role {SERVICE_ROLE}")
    else:
        # IAM answers InvalidInput if the role exists, and for other reasons: it is read again to find out.
        service = principal(aws.partition)
        call = aws.write("iam").create_service_linked_role(AWSServiceName=service).or_done("InvalidInput")
        made = create(f"role {SERVICE_ROLE}", {"AWSServiceName": service}, call)
        yield replace(made, enables=True)


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
    look = look_at_delivery_key(aws, baseline)
    answer = look().answer if look else None
    return config_delivery_role_policy(
        bucket,
        delivery_prefixes(aws, baseline),
        account,
        str(answer["Arn"]) if answer else channel.s3_kms_key_arn,
        sorted(filter(None, topics)),
    )


def _bucket_arns(aws: Aws, baseline: Baseline) -> set[str]:
    """The ARNs of all log buckets of the file."""
    names = {resolve(aws, baseline, "bucket", key).name for key in keys(baseline, "bucket")}
    return {arn(aws.partition, "s3", "", "", name) for name in names}


@verify("config_role")
def verify_config_role(aws: Aws, baseline: Baseline) -> Findings:
    """The role exists, under the ARN that the file asks for."""
    want = role_arn(aws, baseline)
    yield Finding(f"role {want.rpartition('/')[2]}", "there", *_check_role(aws, baseline, want))


def _check_role(aws: Aws, baseline: Baseline, want: str) -> tuple[bool, str]:
    """Whether there is a role of that ARN that AWS Config can be given; its ARN, or what is wrong and the remedy.

    Source: IAM User Guide, "Granting a user permissions to pass a role to an AWS service".
    """
    owner = want.split(":")[4]
    if owner != aws.account:
        text = (
            f"is in account {owner}, and AWS Config takes a role of its own account: write `${{account_id}}`"
        )
        return False, f"{text} in {want}"
    found = existing.role(aws, baseline.general.home_region, want)()
    if found.error:
        raise found.error
    return bool(found.ok), want if found.ok else found.text
