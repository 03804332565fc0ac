"""Tests of AWS's rate limits, and of reproducible random faults."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.faults import RandomFaults, outage_of
from provisioner.sandbox.rules.rates import rate_of, throttle_of
from provisioner.sandbox.world import World

from .cases import ACCOUNT, MEMBER, Aws, make_role, make_trail, outcome

THROTTLED = "ThrottlingException"


class ManualClock:
    """A clock that the test sets."""

    time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock(world: World) -> ManualClock:
    """The rule "throttling.rates" is on, and time stands still."""
    world.rates = True
    world.clock = made = ManualClock()
    return made


def outcomes(aws: Aws, times: int) -> Counter[Any]:
    return Counter(outcome(lambda a: a.cloudtrail.describe_trails() and "OK", aws) for _ in range(times))


def test_cloudtrail_reads_ten_times_a_second(aws: Aws, world: World, clock: ManualClock) -> None:
    assert outcomes(aws, 13) == {"OK": 10, THROTTLED: 3}
    clock.time += 0.5
    assert outcomes(aws, 7) == {"OK": 5, THROTTLED: 2}
    clock.time += 60
    assert outcomes(aws, 13) == {"OK": 10, THROTTLED: 3}, "no more than a second's worth is saved up"
    assert world.limiter.throttled == {(ACCOUNT, "us-east-1", "cloudtrail"): 8}


def test_clock_that_goes_back_adds_no_tokens(aws: Aws, clock: ManualClock) -> None:
    outcomes(aws, 10)
    for step in (-60, 60):
        clock.time += step
        assert outcomes(aws, 1) == {THROTTLED: 1}


def test_each_account_region_and_service_has_its_own_rate(aws: Aws, clock: ManualClock) -> None:
    outcomes(aws, 11)
    assert outcomes(aws, 1) == {THROTTLED: 1}
    member = aws.of(MEMBER)
    assert outcomes(aws.at("eu-west-1"), 1) == outcomes(member, 1) == {"OK": 1}
    assert aws.config.describe_config_rules()
    assert aws.cloudtrail.lookup_events(), "it has a rate of its own"


def test_cloudtrail_writes_once_a_second(aws: Aws, world: World, clock: ManualClock) -> None:
    def switch(a: Aws) -> Any:
        return a.cloudtrail.start_logging(Name="trl") and "OK"

    make_trail(aws)
    assert outcome(switch, aws) == THROTTLED, "creating it was this second's call"
    clock.time += 1
    assert [outcome(switch, aws) for _ in range(2)] == ["OK", THROTTLED]
    assert sum(world.limiter.throttled.values()) == 2


def test_no_throttling_by_default(aws: Aws, world: World) -> None:
    world.clock = ManualClock()
    assert outcomes(aws, 40) == {"OK": 40}


@pytest.mark.parametrize(
    ("service", "call", "params", "code", "status"),
    [
        ("cloudtrail", "describe_trails", {}, "ThrottlingException", 400),
        ("config", "describe_config_rules", {}, "ThrottlingException", 400),
        ("organizations", "list_roots", {}, "TooManyRequestsException", 400),
        ("account", "list_regions", {}, "TooManyRequestsException", 429),
        ("iam", "list_roles", {}, "Throttling", 400),
        ("sts", "get_caller_identity", {}, "Throttling", 400),
        ("s3", "list_buckets", {}, "SlowDown", 503),
        ("ec2", "describe_regions", {}, "RequestLimitExceeded", 503),
    ],
)
def test_throttling_error_of_each_service(
    aws: Aws, clock: ManualClock, service: str, call: str, params: Any, code: str, status: int
) -> None:
    method = getattr(getattr(aws, service), call)
    operation = method.__self__.meta.method_to_api_mapping[call]
    for _ in range(int(rate_of(service, operation)[1])):
        method(**params)
    with pytest.raises(ClientError) as caught:
        method(**params)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def calls(number: int = 200, params: Any = None) -> list[WireCall]:
    return [
        WireCall(f"{place:012d}", "us-east-1", "config", "DescribeConfigRules", params or {})
        for place in range(number)
    ]


def outcome_of(faults: RandomFaults, call: WireCall) -> str:
    """The outcome of one call."""
    for phase in ("before", "after"):
        try:
            fault = faults(call, phase)  # type: ignore[arg-type]
        except OSError as broken:
            return f"{type(broken).__name__} {phase}"
        if fault is not None:
            return fault.code
    return "OK"


MIXED: dict[str, float] = dict.fromkeys(("throttles", "outages", "resets", "losses", "timeouts"), 0.1)


def test_faults_are_reproducible_in_any_order() -> None:
    first = {
        call.account: outcome_of(faults, call) for faults in [RandomFaults(7, **MIXED)] for call in calls()
    }
    again = {
        call.account: outcome_of(faults, call)
        for faults in [RandomFaults(7, **MIXED)]
        for call in calls()[::-1]
    }
    other = {
        call.account: outcome_of(faults, call) for faults in [RandomFaults(8, **MIXED)] for call in calls()
    }
    assert first == again != other
    assert set(first.values()) == {
        *("OK", "ThrottlingException", "InternalFailure"),
        *("ConnectionError before", "ConnectionError after", "TimeoutError after"),
    }


def test_share_of_each_kind_of_fault() -> None:
    faults = RandomFaults(seed=1, throttles=0.3, losses=0.1)
    seen = Counter(outcome_of(faults, call) for call in calls(2000))
    assert 500 < seen["ThrottlingException"] < 700
    assert 140 < seen["ConnectionError after"] < 260
    assert faults.given == {
        "throttles": seen["ThrottlingException"],
        "losses": seen["ConnectionError after"],
    }


def test_enough_retries_succeed() -> None:
    faults = RandomFaults(throttles=1.0, most=3)
    (call,) = calls(1)
    assert [outcome_of(faults, call) for _ in range(8)] == [*[THROTTLED] * 3, "OK"] * 2


def test_faults_can_be_limited_to_some_calls() -> None:
    faults = RandomFaults(outages=1.0, only=lambda call: call.service == "iam")
    assert outcome_of(faults, calls(1)[0]) == "OK"
    assert faults.given == {}


def test_faults_in_a_world(aws: Aws, world: World) -> None:
    def only(operation: str) -> Any:
        return lambda call: call.operation == operation

    end = world.interrupt(RandomFaults(losses=1.0, only=only("CreateRole")))
    world.interrupt(RandomFaults(timeouts=1.0, only=only("ListRoles")))
    world.interrupt(RandomFaults(throttles=1.0, only=only("ListBuckets")))
    with pytest.raises(ConnectionClosedError):
        make_role(aws)
    with pytest.raises(ReadTimeoutError):
        aws.iam.list_roles()
    assert outcome(lambda a: a.s3.list_buckets(), aws) == "SlowDown"
    end()
    assert outcome(make_role, aws) == "EntityAlreadyExists", "only its answer was lost"


def test_faults_with_many_threads(world: World) -> None:
    faults = RandomFaults(throttles=0.5)
    world.interrupt(faults)
    makers = [Aws() for _ in range(4)]
    seen: list[Any] = []

    def work(maker: Aws) -> None:
        seen.extend(outcomes(maker, 25).elements())

    threads = [threading.Thread(target=work, args=(maker,)) for maker in makers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(seen)[THROTTLED] == faults.given["throttles"] > 0
    assert len(seen) == 100


@pytest.mark.parametrize("service", ["s3", "iam", "organizations", "config", "ec2"])
def test_an_outage_is_a_server_error(service: str) -> None:
    assert outage_of(service).status == 500
    assert isinstance(throttle_of(service), Fault)
