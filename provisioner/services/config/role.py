"""IAM: the role that AWS Config records with: the service-linked one, or one that the file names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare.policy import (
    Document,
    Merged,
    Normal,
    Statement,
    arn,
    compact,
    document,
    merge,
    normal,
    parse,
    same,
    sid_of,
    statements,
)
from ...model import Changes, Difference, Exists, Finding, Findings, Kind, Note, Scope, Wait, create, update
from ...steps.references import resolve
from ...steps.regions import enabled_regions
from ...steps.registry import step, verify
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
        have = _ask_role(aws, baseline, section.role_name).value("Role", "NoSuchEntity")
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


def _ask_role(aws: Aws, baseline: Baseline, name: str) -> Reading:
    # One Region for all targets: the answer is the same, and asked for once.
    return aws.read("iam", baseline.general.home_region).get_role(RoleName=name)


@step("config_role", Config, Scope.ACCOUNT, clients=("iam",))
def ensure_config_role(aws: Aws, baseline: Baseline) -> Changes:
    """AWS Config has a role: the service-linked one, or the one that the file names, with what it needs."""
    section = baseline[Config]
    if section.role_name:
        yield from _own_role(aws, baseline, section.role_name)
    elif section.role_arn:
        return
    elif _ask_role(aws, baseline, SERVICE_ROLE).found("NoSuchEntity") is not None:
        yield Exists(f"role {SERVICE_ROLE}")
    else:
        # "Has been taken" is InvalidInput, like other refusals: the role is read again to see.
        call = aws.write("iam").create_service_linked_role(AWSServiceName=CONFIG).or_done("InvalidInput")
        yield create(f"role {SERVICE_ROLE}", {"AWSServiceName": CONFIG}, call)


def _own_role(aws: Aws, baseline: Baseline, name: str) -> Changes:
    read = aws.read("iam", baseline.general.home_region)
    asked = _ask_role(aws, baseline, name)
    attached_asked = read.list_attached_role_policies(RoleName=name)
    inline_asked = read.list_role_policies(RoleName=name)
    delivery_asked = read.get_role_policy(RoleName=name, PolicyName=INLINE_POLICY)
    have = asked.value("Role", "NoSuchEntity")
    attached = attached_asked.value("AttachedPolicies", "NoSuchEntity") or []
    inline = inline_asked.value("PolicyNames", "NoSuchEntity") or []
    delivery = delivery_asked.value("PolicyDocument", "NoSuchEntity")

    if have is not None:
        yield Exists(f"role {name}")
    yield from _trusting(aws, name, have)
    yield from _attached(aws, name, [each["PolicyArn"] for each in attached])
    yield from _delivering(aws, baseline, name, delivery)
    foreign = [each["PolicyArn"] for each in attached if each["PolicyArn"] != managed_policy(aws)]
    foreign += [each for each in inline if each != INLINE_POLICY]
    for policy in sorted(foreign):
        yield Note(Kind.FOREIGN, f"role {name}", f"has the policy {policy} too; kept")


def _trusting(aws: Aws, name: str, have: dict[str, Any] | None) -> Changes:
    """The role is there, and AWS Config may assume it for this account."""
    want = config_trust(aws.account)
    write = aws.write("iam")
    if have is None:
        call = write.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=compact(want),
            Description="AWS Config records with this role",
        )
        yield create(f"role {name}", {"AssumeRolePolicyDocument": want}, call.or_done("EntityAlreadyExists"))
        return
    trust = have.get("AssumeRolePolicyDocument")
    merged, foreign = _with_ours(trust, statements(want), aws.partition)
    if foreign:
        names = ", ".join(sid_of(each) or "(no Sid)" for each in foreign)
        yield Note(Kind.FOREIGN, f"role {name}", f"trust statements of others are kept: {names}")
    if merged.changed:
        call = write.update_assume_role_policy(RoleName=name, PolicyDocument=compact(merged.document))
        changed = Difference("AssumeRolePolicyDocument", parse(trust), merged.document)
        yield update(f"role {name}", (changed,), call)


def _with_ours(
    trust: Document | None, own: Sequence[Statement], partition: str
) -> tuple[Merged, list[Statement]]:
    """The trust policy with our statements in it, and what others let in besides.

    A statement of ours is not written where somebody has written the same under another Sid, or none.
    """

    def meaning(statement: Statement) -> Normal:
        bare = {key: value for key, value in statement.items() if key != "Sid"}
        return normal(document([bare]), partition=partition)

    owned = {str(each["Sid"]) for each in own}
    there = statements(trust)
    present, others = {sid_of(each) for each in there}, {meaning(each) for each in there}
    lacking = [each for each in own if each["Sid"] in present or meaning(each) not in others]
    merged = merge(trust, lacking, owned=owned, partition=partition)
    ours = {meaning(each) for each in own}
    return merged, [each for each in merged.foreign if meaning(each) not in ours]


def _attached(aws: Aws, name: str, have: list[str]) -> Changes:
    """AWS's policy for the role is attached to it."""
    want = managed_policy(aws)
    if want not in have:
        call = aws.write("iam").attach_role_policy(RoleName=name, PolicyArn=want).waiting(_shown(name))
        yield update(f"role {name}", (Difference("AttachedPolicies", have, [*have, want]),), call)


def _delivering(aws: Aws, baseline: Baseline, name: str, have: dict[str, Any] | None) -> Changes:
    """The role may deliver to the bucket, under the key and to the topic of the file."""
    want = _delivery_policy(aws, baseline)
    if not same(have, want, partition=aws.partition):
        call = aws.write("iam").put_role_policy(
            RoleName=name, PolicyName=INLINE_POLICY, PolicyDocument=compact(want)
        )
        difference = Difference(f"policy {INLINE_POLICY}", parse(have) or None, want)
        yield update(f"role {name}", (difference,), call.waiting(_shown(name)))


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


def _shown(name: str) -> Wait:
    """IAM knows a new role everywhere within a minute; a policy that there is not is said in other words."""
    return Wait("NoSuchEntity", f"IAM to show the role {name}", text=f"role with name {name}", seconds=60)


@verify("config_role")
def verify_config_role(aws: Aws, baseline: Baseline) -> Findings:
    """The role is there."""
    want = role_arn(aws, baseline)
    name = want.rpartition("/")[2]
    if f":{aws.account}:" not in want:
        yield Finding(f"role {name}", "there", None, f"is in another account and cannot be looked at: {want}")
        return
    have = _ask_role(aws, baseline, name).value("Role", "NoSuchEntity")
    if have is None:
        yield Finding(f"role {name}", "there", False, "there is no such role")
    elif have["Arn"] != want:
        yield Finding(f"role {name}", "there", False, f"its ARN is {have['Arn']}, the baseline has {want}")
    else:
        yield Finding(f"role {name}", "there", True, want)
