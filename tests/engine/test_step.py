"""Tests of one step under way: writes with an unknown outcome, and changes that fail."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.aws import Aws, ReadCache
from provisioner.baseline import Section
from provisioner.engine import step as engine
from provisioner.model import (
    Change,
    Changes,
    Difference,
    Part,
    Refused,
    Result,
    Scope,
    Step,
    Target,
    create,
    update,
)
from provisioner.sandbox import Fault, WireCall

from ..conftest import Bench

NAME = "acme-engine"
REGION = "eu-west-1"  # where S3 says BucketAlreadyOwnedByYou


def ensure(aws: Aws, baseline: Any) -> Changes:
    """A bucket, and versioning in it."""
    owned = {"Bucket": NAME, "ExpectedBucketOwner": aws.account}
    head = aws.read("s3").head_bucket(**owned).found("404", "NoSuchBucket")
    if head is None:
        yield create(
            "bucket",
            {"Name": NAME},
            aws.write("s3")
            .create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
            .or_done("BucketAlreadyOwnedByYou"),
        )
    status = None if head is None else aws.read("s3").get_bucket_versioning(**owned).all().get("Status")
    if status != "Enabled":
        call = aws.write("s3").put_bucket_versioning(**owned, VersioningConfiguration={"Status": "Enabled"})
        yield update("bucket", (Difference("Versioning", status, "Enabled"),), call)


STEP = Step("bucket", Scope.ONCE, (), Section, ensure)


def sent(bench: Bench) -> tuple[Result, list[tuple[str, str]]]:
    """The result of applying, and what was told of as it was made."""
    made_calls: list[tuple[str, str]] = []
    run = bench.run()

    def on_change(result: Result, change: Change) -> None:
        made_calls.append((change.call.operation, result.request_ids[-1]))

    aws = Aws(Target(run.identity.account, REGION), run.cloud, ReadCache())
    planned = engine.run_step(STEP, aws, run.baseline, apply=False)
    aws = Aws(Target(run.identity.account, REGION), run.cloud, ReadCache())
    result = engine.run_step(STEP, aws, run.baseline, apply=True, planned=planned, on_change=on_change)
    return result, made_calls


def once(operation: str, phase: str) -> Any:
    """Lose the answer to one call, before or after it took effect."""
    left = [True]

    def interrupt(call: WireCall, at: str) -> Fault | None:
        if call.operation == operation and at == phase and left:
            left.clear()
            raise ConnectionResetError
        return None

    return interrupt


@pytest.mark.parametrize("operation", ["CreateBucket", "PutBucketVersioning"])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_lost_answer_is_looked_into_and_told_once(bench: Bench, operation: str, phase: str) -> None:
    bench.world.interrupt(once(operation, phase))
    result, made_calls = sent(bench)
    assert result.ok, result.failure
    assert [c.call.operation for c in result.changes] == ["create_bucket", "put_bucket_versioning"]
    assert [name for name, _ in made_calls] == ["create_bucket", "put_bucket_versioning"]
    made = [c for c in bench.world.writes if c.operation == operation]
    assert len([c for c in made if c.code is None or phase == "after"]) == 1, "made once, not twice"


def test_what_others_made_in_the_meantime_is_not_ours(bench: Bench) -> None:
    def somebody(call: WireCall, phase: str) -> Fault | None:
        if call.operation == "CreateBucket" and phase == "before" and not made:
            made.append(True)
            bench.client("s3", REGION).create_bucket(
                Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        return None

    made: list[bool] = []
    bench.world.interrupt(somebody)
    result, made_calls = sent(bench)
    assert result.ok, result.failure
    assert [c.call.operation for c in result.changes] == ["put_bucket_versioning"]
    assert [name for name, _ in made_calls] == ["put_bucket_versioning"]


def test_a_write_that_never_succeeds_ends_with_awss_own_words(bench: Bench) -> None:
    bench.world.interrupt(
        lambda call, phase: (
            Fault("InternalError", 500, "We failed")
            if call.operation == "CreateBucket" and phase == "before"
            else None
        )
    )
    result, _ = sent(bench)
    assert result.failure is not None
    assert (result.failure.code, result.failure.message) == ("InternalError", "We failed")
    assert result.failure.operation == "CreateBucket"
    assert len(bench.world.writes) == engine.RESTARTS


# --- failures of single changes ---


def _deny(*operations: str) -> Any:
    def interrupt(call: WireCall, phase: str) -> Fault | None:
        denied = call.operation in operations and phase == "before"
        return Fault("AccessDenied", 403, "no") if denied else None

    return interrupt


def ensure_two(aws: Aws, baseline: Any) -> Changes:
    """A bucket with a setting, and an unrelated one; the second part cannot be read."""
    yield Part("bucket", ensure(aws, baseline))
    yield Part("unreadable", _unreadable())
    yield create(
        "other",
        {},
        aws.write("s3").create_bucket(
            Bucket=f"{NAME}-other", CreateBucketConfiguration={"LocationConstraint": REGION}
        ),
    )


def _unreadable() -> Changes:
    raise Refused("no such thing")
    yield


def applied(bench: Bench, ensure: Any) -> Result:
    """The result of a step that is planned, then applied."""
    run = bench.run()
    step = Step("buckets", Scope.ONCE, (), Section, ensure)
    target = Target(run.identity.account, REGION)
    planned = engine.run_step(step, Aws(target, run.cloud, ReadCache()), run.baseline, apply=False)
    return engine.run_step(
        step, Aws(target, run.cloud, ReadCache()), run.baseline, apply=True, planned=planned
    )


def test_a_failed_creation_stops_what_configures_the_resource_and_nothing_else(bench: Bench) -> None:
    bench.world.interrupt(
        lambda call, phase: _deny("CreateBucket")(call, phase) if call.params.get("Bucket") == NAME else None
    )
    result = applied(bench, ensure_two)
    assert [c.resource for c in result.changes] == ["other"]
    assert [(f.resource, f.stops, f.untried) for f in result.failures] == [
        ("bucket", "use", ("PutBucketVersioning",)),
        ("unreadable", "use", ()),
    ]
    assert result.failed_needs == {"buckets": "", "buckets/bucket": "", "buckets/unreadable": ""}


def test_a_failed_setting_stops_nothing(bench: Bench) -> None:
    bench.world.interrupt(_deny("PutBucketVersioning"))
    result = applied(bench, ensure_two)
    assert [c.resource for c in result.changes] == ["bucket", "other"]
    assert [(f.resource, f.stops) for f in result.failures] == [("bucket", "nothing"), ("unreadable", "use")]


@pytest.mark.parametrize("operation", ["CreateBucket", "PutBucketVersioning"])
def test_a_change_whose_outcome_stays_unknown_is_given_up_and_the_others_are_made(
    bench: Bench, operation: str
) -> None:
    def interrupt(call: WireCall, phase: str) -> Fault | None:
        if call.operation == operation and call.params.get("Bucket") == NAME and phase == "before":
            raise ConnectionResetError
        return None

    bench.world.interrupt(interrupt)
    result = applied(bench, ensure_two)
    assert "other" in {c.resource for c in result.changes}
    assert {f.resource for f in result.failures} == {"bucket", "unreadable"}


def somebody_sets_it(bench: Bench, *operations: str, status: int = 403) -> Any:
    """Somebody enables versioning, and AWS refuses one of *operations*."""

    def interrupt(call: WireCall, phase: str) -> Fault | None:
        if call.operation not in operations or phase != "before" or done:
            return None
        done.append(True)
        bench.client("s3", REGION).put_bucket_versioning(
            Bucket=NAME, VersioningConfiguration={"Status": "Enabled"}
        )
        return Fault("AccessDenied", status, "not yours any more")

    done: list[bool] = []
    return interrupt


def ensure_what_can_be_owned(aws: Aws, baseline: Any) -> Changes:
    """A bucket's versioning in a part; once it is enabled, nothing more is read of it, and its tags are set."""
    owned = {"Bucket": NAME, "ExpectedBucketOwner": aws.account}
    status = aws.read("s3").get_bucket_versioning(**owned).all().get("Status")

    def versioning() -> Changes:
        if status != "Enabled":
            aws.read("s3").get_bucket_acl(**owned).all()
            call = aws.write("s3").put_bucket_versioning(
                **owned, VersioningConfiguration={"Status": "Enabled"}
            )
            yield create("versioning", {"Status": "Enabled"}, call)

    yield Part("versioning", versioning())
    if aws.read("s3").get_bucket_tagging(**owned).found("NoSuchTagSet") is None:
        call = aws.write("s3").put_bucket_tagging(**owned, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
        yield update("tags", (Difference("a", None, "b"),), call.using("buckets/versioning"))


def make_bucket(bench: Bench) -> None:
    where = {"LocationConstraint": REGION}
    bench.client("s3", REGION).create_bucket(Bucket=NAME, CreateBucketConfiguration=where)


@pytest.mark.parametrize("operation", ["PutBucketVersioning", "GetBucketAcl"])
def test_what_aws_refuses_and_others_have_set_is_no_failure_and_stops_nothing(
    bench: Bench, operation: str
) -> None:
    make_bucket(bench)
    run = bench.run()
    step = Step("buckets", Scope.ONCE, (), Section, ensure_what_can_be_owned)
    target = Target(run.identity.account, REGION)
    planned = engine.run_step(step, Aws(target, run.cloud, ReadCache()), run.baseline, apply=False)
    bench.world.interrupt(somebody_sets_it(bench, operation))
    aws = Aws(target, run.cloud, ReadCache())
    result = engine.run_step(step, aws, run.baseline, apply=True, planned=planned)
    assert result.failures == []
    assert [c.resource for c in result.changes] == ["tags"]


def test_what_aws_refuses_and_is_needed_is_sent_once(bench: Bench) -> None:
    make_bucket(bench)
    bench.world.interrupt(_deny("PutBucketVersioning"))
    before = len(bench.world.writes)
    result = applied(bench, ensure_what_can_be_owned)
    assert next((f.resource, f.code) for f in result.failures) == ("versioning", "AccessDenied")
    assert [c.operation for c in bench.world.writes[before:]] == ["PutBucketVersioning"]
