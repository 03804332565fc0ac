"""Tests of retries: what is retried, from when on it counts, and how much one round of refusals slows the calls down."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.retries import standard
from botocore.session import get_session

from provisioner.aws import Aws, ReadCache
from provisioner.aws.errors import BUSY, ClientError, Interrupted, is_outage, is_throttle
from provisioner.aws.rate_limit import DOCUMENTED, Rate, RateLimiter
from provisioner.fleet.fleet import member_role
from provisioner.model import Target
from provisioner.sandbox import Fault, WireCall
from provisioner.steps.registry import all_steps

from ..conftest import MEMBER, Bench
from ..laws.full import FULL

CONFIG = ("111122223333", "us-east-1", "config")
QUOTA = {"LimitExceededException"}  # botocore takes it for throttling; here it is a quota (aws.md §1.1)


def error(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutThing")


def is_retried(found: ClientError) -> bool:
    return is_throttle(found) or is_outage(found) or found.response["Error"]["Code"] in BUSY


def test_what_botocores_standard_mode_retries_is_retried() -> None:
    throttled = set(standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES)  # type: ignore[attr-defined]
    transient = set(standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES)  # type: ignore[attr-defined]
    assert {code for code in throttled | transient if not is_retried(error(code))} == QUOTA
    statuses = standard.TransientRetryableChecker._TRANSIENT_STATUS_CODES  # type: ignore[attr-defined]
    assert all(is_retried(error("", status)) for status in statuses)


def test_every_conflict_with_another_change_is_retried() -> None:
    """The codes are those of the models of all services that are asked, IAM's spelling included."""
    session, refused = get_session(), set()
    for service in {client for step in all_steps().values() for client in step.clients}:
        for shape in session.get_service_model(service).error_shapes:
            code = (shape.metadata.get("error") or {}).get("code", shape.name)
            conflict = (
                "Concurrent" in code or "TemporarilyUnmodifiable" in code or shape.metadata.get("retryable")
            )
            status = (shape.metadata.get("error") or {}).get("httpStatusCode", 400)
            if conflict and not is_retried(error(code, status)):
                refused.add((service, code))
    # The one is a quota, the other "what you sent cannot be processed".
    assert {code for _, code in refused} <= {"MaxConcurrentQueriesException", "UnprocessableEntityException"}


@pytest.mark.parametrize("code", ["ConcurrentModification", "OperationAborted", "RequestTimeout"])
def test_each_write_refused_for_a_moment_converges(bench: Bench, code: str) -> None:
    refused: set[str] = set()

    def once(call: WireCall, phase: str) -> Fault | None:
        if phase == "before" and call.writes and call.operation not in refused:
            refused.add(call.operation)
            return Fault(code, 409 if code != "RequestTimeout" else 400)
        return None

    bench.world.interrupt(once)
    bench.apply()
    assert refused
    assert bench.diff().changes == []


def test_an_operation_that_is_aborted_for_minutes_is_waited_for(bench: Bench) -> None:
    def aborted(call: WireCall, phase: str) -> Fault | None:
        early = call.operation == "CreateBucket" and phase == "before" and bench.clock.time < 200
        return Fault("OperationAborted", 409) if early else None

    bench.world.interrupt(aborted)
    bench.apply()


def test_simultaneous_refusals_halve_the_rate_once() -> None:
    limiter = RateLimiter()
    for _ in range(32):
        limiter.reserve(CONFIG, "read", 0.0)
    for n in range(32):
        limiter.throttled(CONFIG, "read", 0.1 + n / 1000, 0.0)
    first, second = (limiter.reserve(CONFIG, "read", 100.0) for _ in range(2))
    assert second - first == pytest.approx(1 / 8)
    limiter.throttled(CONFIG, "read", 101.0, 100.0)  # sent at the new rate, and refused again
    first, second = (limiter.reserve(CONFIG, "read", 200.0) for _ in range(2))
    assert second - first == pytest.approx(1 / 4)


@pytest.mark.parametrize("refusals", [1, 3])
def test_waiting_for_our_own_rate_limit_is_no_refusal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    monkeypatch.setitem(DOCUMENTED, ("cloudtrail", "read"), Rate(1 / 100, 1))
    cloud = bench.run().cloud
    where = Target("123456789012", "us-east-1")
    cloud.read(where, "cloudtrail", "us-east-1", "describe_trails", {})
    left = [*range(refusals)]
    bench.world.interrupt(
        lambda call, phase: Fault("ThrottlingException", 400) if left and left.pop() >= 0 else None
    )
    cloud.read(where, "cloudtrail", "us-east-1", "describe_trails", {})
    assert left == []
    assert bench.clock.time > 60 * refusals, "each call was held for longer than refusals are retried"


def test_a_late_read_of_an_account_that_was_left_is_not_made(bench: Bench) -> None:
    run = bench.run(FULL + "\naccounts: { all: true }\n")
    cloud = run.cloud
    cloud.keyring.role = member_role(run.baseline.general.accounts, run.identity, "us-east-1")
    aws = Aws(Target(MEMBER, "us-east-1"), cloud, ReadCache())
    aws.read("cloudtrail").describe_trails().all()
    cloud.leave(MEMBER)
    calls = len(bench.world.calls)
    with pytest.raises(Interrupted):
        aws.read("iam").list_account_aliases().all()
    assert len(bench.world.calls) == calls
    again = Aws(Target(MEMBER, "us-east-1"), cloud, ReadCache())
    again.read("iam").list_account_aliases().all()
    assert [each.operation for each in bench.world.calls[calls:]] == ["AssumeRole", "ListAccountAliases"]
