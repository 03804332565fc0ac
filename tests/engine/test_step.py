"""What the engine makes of writes whose outcome nobody knows, and what the way to AWS makes of short answers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import jmespath
import pytest
from botocore.exceptions import ClientError

from provisioner.aws import Aws, Incomplete, Memory, Reading
from provisioner.aws.cloud import _whole
from provisioner.baseline import Section
from provisioner.engine import step as engine
from provisioner.model import Change, Changes, Difference, Result, Scope, Step, Target, create, update
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
    told: list[tuple[str, str]] = []
    run = bench.run()

    def on_change(result: Result, change: Change) -> None:
        told.append((change.call.operation, result.request_ids[-1]))

    aws = Aws(Target(run.identity.account, REGION), run.cloud, Memory())
    planned = engine.run_step(STEP, aws, run.baseline, apply=False)
    aws = Aws(Target(run.identity.account, REGION), run.cloud, Memory())
    result = engine.run_step(STEP, aws, run.baseline, apply=True, planned=planned, on_change=on_change)
    return result, told


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
    result, told = sent(bench)
    assert result.ok, result.failure
    assert [c.call.operation for c in result.changes] == ["create_bucket", "put_bucket_versioning"]
    assert [name for name, _ in told] == ["create_bucket", "put_bucket_versioning"]
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
    result, told = sent(bench)
    assert result.ok, result.failure
    assert [c.call.operation for c in result.changes] == ["put_bucket_versioning"]
    assert [name for name, _ in told] == ["put_bucket_versioning"]


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


# --- short answers ---


class Pages:
    """Pages as botocore's paginator gives them."""

    def __init__(self, *pages: dict[str, Any]):
        self.pages = pages
        self.result_keys = [jmespath.compile("ConfigRules")]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.pages)


def test_all_pages_are_one_answer() -> None:
    pages = Pages({"ConfigRules": [1], "NextToken": "t"}, {"ConfigRules": []}, {"ConfigRules": [2, 3]})
    assert _whole(pages, "describe_config_rules") == {"ConfigRules": [1, 2, 3]}


@pytest.mark.parametrize("pages", [({},), ({"ConfigRules": [1]}, {}), ({}, {"ConfigRules": [1]})])
def test_a_page_without_its_list_proves_nothing(pages: Any) -> None:
    with pytest.raises(Incomplete, match="without `ConfigRules`"):
        _whole(Pages(*pages), "describe_config_rules")


def reading(answer: Any) -> Reading:
    future: Future[Any] = Future()
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
    return Reading(future, "get_thing")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetThing")


def test_only_a_named_code_is_an_absence() -> None:
    assert reading(refusal("NoSuchThing")).found("NoSuchThing") is None
    assert reading(refusal("NoSuchThing")).value("Thing", "NoSuchThing") is None
    for code in ("AccessDenied", "404", ""):
        with pytest.raises(ClientError):
            reading(refusal(code)).found("NoSuchThing", "")


def test_an_answer_without_what_the_model_promises_proves_nothing() -> None:
    with pytest.raises(Incomplete, match="without `Thing`"):
        reading({}).get("Thing")
    with pytest.raises(Incomplete):
        reading({}).value("Thing", "NoSuchThing")
    assert reading({"Thing": []}).get("Thing") == []
