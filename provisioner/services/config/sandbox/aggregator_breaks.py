"""Ways to break the aggregator of AWS Config and its authorizations by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none, trusted_access_break
from ....sandbox.policy_text import to_policy, trust_policy
from ..principal import CONFIG


def _authorization_breaks(admin: Administrator) -> Iterator[Break]:
    """Take the authorization from each aggregator."""
    client = admin.client("config")
    for each in client.describe_aggregation_authorizations()["AggregationAuthorizations"]:
        asked = {key: each[key] for key in ("AuthorizedAccountId", "AuthorizedAwsRegion")}
        whom = " ".join(asked.values())
        text = f"let {whom} no longer collect what {admin.region} records"
        delete = client.delete_aggregation_authorization
        yield breaks_of(f"aggregation authorization {whom}")("", text, delete, **asked)


@breaks("config_aggregator", regional=True)
def aggregator_breaks(admin: Administrator) -> Iterator[Break]:
    """Break the aggregator, or the authorizations that it needs."""
    yield from _authorization_breaks(admin)
    if admin.home:
        yield from _aggregator_breaks(admin)


def _aggregator_breaks(admin: Administrator) -> Iterator[Break]:
    """Narrow the aggregator, remove its tags, its role's policies and trusted access, and delete it."""
    client = admin.client("config")
    for each in client.describe_configuration_aggregators()["ConfigurationAggregators"]:
        name, arn = each["ConfigurationAggregatorName"], each["ConfigurationAggregatorArn"]
        broken, what = breaks_of(f"configuration aggregator {name}"), {"ConfigurationAggregatorName": name}
        source = each.get("OrganizationAggregationSource")
        if source:
            narrow = {"RoleArn": source["RoleArn"], "AwsRegions": ["eu-north-1"]}
            put, other = client.put_configuration_aggregator, {"OrganizationAggregationSource": narrow}
            text, asked = f"let the aggregator {name} show one Region only", "aggregator.all_aws_regions"
            yield broken("AwsRegions", text, put, asked, **what, **other)
            yield from _role_breaks(admin, source["RoleArn"].rpartition("/")[2])
            yield from trusted_access_break(admin, CONFIG, "AWS Config")
        for key in (tag["Key"] for tag in client.list_tags_for_resource(ResourceArn=arn)["Tags"]):
            text, tag = (
                f"removed the tag {key} of the aggregator {name}",
                {"ResourceArn": arn, "TagKeys": [key]},
            )
            yield broken(f"tag {key}", text, client.untag_resource, f"aggregator.tags.{key}", **tag)
        yield broken("", f"deleted the aggregator {name}", client.delete_configuration_aggregator, **what)


def _role_breaks(admin: Administrator, name: str) -> Iterator[Break]:
    """Let another service into the role with which AWS Config lists the accounts, and detach its policies."""
    iam, role, broken = admin.client("iam"), {"RoleName": name}, breaks_of(f"role {name}")
    attached = read_or_none(iam.list_attached_role_policies, "NoSuchEntity", **role) or {}
    other = {**role, "PolicyDocument": trust_policy("ec2.amazonaws.com")}
    text = f"let another service into role {name}"
    yield broken("trust statement", text, iam.update_assume_role_policy, **other)
    for policy in attached.get("AttachedPolicies", ()):
        text = f"gave role {name} other policies than {policy['PolicyName']}"
        yield broken("AttachedPolicies", text, _swap, iam=iam, name=name, arn=policy["PolicyArn"])


def _swap(iam: Any, name: str, arn: str) -> None:
    """Replace a policy of the role by two of our own, an attached and an inline one."""
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    document = to_policy({"Effect": "Allow", "Action": "organizations:ListRoots", "Resource": "*"})
    made = iam.create_policy(PolicyName="Roots", PolicyDocument=document)["Policy"]
    iam.attach_role_policy(RoleName=name, PolicyArn=made["Arn"])
    iam.put_role_policy(RoleName=name, PolicyName="roots", PolicyDocument=document)
