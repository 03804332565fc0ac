"""Law 4: a step cannot write behind the engine, in either mode; a pending value cannot reach AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from provisioner.aws import Aws, ReadCache
from provisioner.baseline import Section
from provisioner.engine.fire import fire as fire_step
from provisioner.engine.step import prove, run_step
from provisioner.model import PENDING, Changes, Failure, Firing, Result, Scope, Step, Target

from ..conftest import Bench

MODES = pytest.mark.parametrize("apply", [False, True], ids=["diff", "apply"])


def failure_of(bench: Bench, ensure: Callable[..., Changes], *, apply: bool) -> Failure:
    run = bench.run()
    aws = Aws(Target(run.identity.account, "us-east-1"), run.cloud, ReadCache())
    step = Step("bad", Scope.ONCE, (), Section, ensure)
    failure = run_step(step, aws, run.baseline, apply=apply).failure
    assert failure is not None
    return failure


@MODES
def test_write_outside_of_a_change_is_refused(bench: Bench, apply: bool) -> None:
    def ensure(aws: Aws, baseline: Any) -> Changes:
        aws.read("s3").create_bucket(Bucket="sneaky").all()
        yield from ()

    assert "outside a Change" in failure_of(bench, ensure, apply=apply).message
    assert bench.world.writes == []


def test_a_step_that_is_fired_makes_no_write_that_is_not_registered(bench: Bench) -> None:
    def fire(aws: Aws, baseline: Any) -> Firing:
        yield aws.write("s3").create_bucket(Bucket="sneaky")

    run = bench.run()
    aws = Aws(Target(run.identity.account, "us-east-1"), run.cloud, ReadCache())
    step = Step("bad", Scope.ONCE, (), Section, lambda aws, baseline: iter(()), fire=fire)
    found = fire_step(step, aws, run.baseline, Result(step.name, aws.target))
    assert ["outside a Change" in each.message for each in found.failures] == [True]
    assert bench.world.writes == []


def test_what_is_fired_is_refused_elsewhere(bench: Bench) -> None:
    def verify(aws: Aws, baseline: Any) -> Iterator[Any]:
        aws.read("cloudwatch").set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="r").all()
        yield

    run = bench.run()
    aws = Aws(Target(run.identity.account, "us-east-1"), run.cloud, ReadCache())
    step = Step("bad", Scope.ONCE, (), Section, lambda aws, baseline: iter(()), verify)
    found = prove(step, aws, run.baseline, Result(step.name, aws.target))
    assert ["outside a Change" in each.message for each in found.failures] == [True]
    assert bench.world.writes == []


@MODES
def test_pending_value_is_refused_even_inside_other_text(bench: Bench, apply: bool) -> None:
    def ensure(aws: Aws, baseline: Any) -> Changes:
        aws.read("s3").get_bucket_versioning(Bucket=f"logs-{PENDING}", ExpectedBucketOwner=aws.account).all()
        yield from ()

    assert "only known after apply" in failure_of(bench, ensure, apply=apply).message


def test_bucket_call_without_the_owner_is_refused(bench: Bench) -> None:
    def ensure(aws: Aws, baseline: Any) -> Changes:
        aws.read("s3").get_bucket_versioning(Bucket="logs").all()
        yield from ()

    assert "ExpectedBucketOwner" in failure_of(bench, ensure, apply=False).message
