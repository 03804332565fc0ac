"""Breaking things by hand: foreseeable with a seed, and told in sentences."""

from __future__ import annotations

import pytest

from provisioner.sandbox import SandboxError
from provisioner.sandbox.drift import drift
from provisioner.sandbox.world import World

from .cases import (
    Aws,
    config_statements,
    make_linked_role,
    make_recorder,
    managed_rule,
    policy,
    trail_statements,
)


def baseline(aws: Aws) -> None:
    """Something of everything that can be broken."""
    for name in ("logs", "more"):
        aws.s3.create_bucket(Bucket=name)
        aws.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        rule = {"ID": "x", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 9}}
        aws.s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    text = policy(*trail_statements("logs"), *config_statements("logs"))
    aws.s3.put_bucket_policy(Bucket="logs", Policy=text)
    trail = {
        "Name": "trl",
        "S3BucketName": "logs",
        "IsMultiRegionTrail": True,
        "EnableLogFileValidation": True,
    }
    aws.cloudtrail.create_trail(**trail)
    aws.cloudtrail.start_logging(Name="trl")
    make_linked_role(aws)
    make_recorder(aws)
    often = {"deliveryFrequency": "Six_Hours"}
    channel = {"name": "default", "s3BucketName": "logs", "configSnapshotDeliveryProperties": often}
    aws.config.put_delivery_channel(DeliveryChannel=channel)
    aws.config.start_configuration_recorder(ConfigurationRecorderName="default")
    for name in ("r1", "r2"):
        aws.config.put_config_rule(ConfigRule=managed_rule(name))
    aws.iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True, MaxPasswordAge=90)


def test_it_breaks_as_many_things_as_it_says(aws: Aws, world: World) -> None:
    baseline(aws)
    before = len(world.writes)
    said = drift(world, 7)
    assert len(said) == len(set(said)) == 3
    assert len(world.writes) - before == 3
    assert all(call.code is None for call in world.writes[before:])


def test_a_seed_foresees_what_is_broken(aws: Aws, world: World) -> None:
    told = set()
    for number in (1, 1, 2, 3):
        world.reset()
        baseline(aws)
        told.add(tuple(drift(world, number, 4)))
    assert len(told) == 3


def test_in_the_end_everything_is_broken_and_each_break_is_one_write(aws: Aws, world: World) -> None:
    baseline(aws)
    said: list[str] = []
    for number in range(12):
        before = len(world.writes)
        more = drift(world, number)
        assert len([call for call in world.writes[before:] if call.code is None]) == len(more)
        said += more
    text = "\n".join(said)
    for part in (
        "stopped logging of trail trl",
        "turned off log file validation of trail trl",
        "suspended versioning of bucket logs",
        "removed the public access block of bucket",
        "deleted the lifecycle rules of bucket",
        "dropped the statement",
        "stopped recorder default in us-east-1",
        "changed the frequency of delivery channel default in us-east-1 from Six_Hours to",
        "deleted config rule r1 in us-east-1",
        "password policy",
    ):
        assert part in text, part


def test_nothing_there_means_nothing_to_break(world: World) -> None:
    assert drift(world, 1) == []
    assert world.writes == []


def test_a_random_drift_is_possible_too(aws: Aws) -> None:
    baseline(aws)
    assert len(drift(None, None, 2)) == 2


def test_aws_itself_is_never_broken() -> None:
    with pytest.raises(SandboxError, match="no sandbox is open"):
        drift(None, 1)
