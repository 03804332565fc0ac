"""Tests of the sandbox in every partition that botocore knows: ARNs, hosts, and resources of every service."""

from __future__ import annotations

import botocore.session
import pytest

from provisioner.sandbox.world import World

from .cases import ACCOUNT, Aws, client, make_recorder, managed_rule, policy, trail_statements, trust

SESSION = botocore.session.get_session()
# Each with the Region that botocore names first.
PARTITIONS = {
    name: SESSION.get_available_regions("sts", name)[0]
    for name in SESSION.get_available_partitions()
    if name != "aws"
} | {"aws": "us-east-1"}


@pytest.mark.parametrize(("partition", "region"), PARTITIONS.items())
def test_arns_are_of_the_partition_of_the_region(world: World, partition: str, region: str) -> None:
    aws = Aws(region)
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
    aws.s3.create_bucket(Bucket="bkt", **where)
    text = policy(*trail_statements("bkt", region=region)).replace("arn:aws:", f"arn:{partition}:")
    aws.s3.put_bucket_policy(Bucket="bkt", Policy=text)
    role = aws.iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    make_recorder(aws, role)
    aws.config.put_config_rule(ConfigRule=managed_rule())
    arns = [
        aws.sts.get_caller_identity()["Arn"],
        role,
        aws.cloudtrail.create_trail(Name="trl", S3BucketName="bkt")["TrailARN"],
        aws.config.describe_config_rules()["ConfigRules"][0]["ConfigRuleArn"],
        aws.kms.create_key()["KeyMetadata"]["Arn"],
        aws.sns.create_topic(Name="t")["TopicArn"],
    ]
    assert [arn.split(":")[1] for arn in arns] == [partition] * len(arns)
    assert {arn.split(":")[4] for arn in arns} == {ACCOUNT}
    assert {call.code for call in world.calls} == {None}
    assert client("s3", region).meta.endpoint_url not in {"", client("s3", "us-west-2").meta.endpoint_url}
