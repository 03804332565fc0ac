"""Law 4: a step cannot write behind the engine, in either mode; a pending value cannot reach AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioner.aws import Aws, ReadCache
from provisioner.baseline import Section
from provisioner.engine.step import run_step
from provisioner.model import PENDING, Changes, Failure, Scope, Step, Target

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
