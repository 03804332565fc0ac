"""Throttles as AWS gives them, and bad weather that is the same each time."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from provisioner.sandbox import Fault, WireCall
from provisioner.sandbox.faults import Weather, outage_of
from provisioner.sandbox.rules.rates import rate_of, throttle_of
from provisioner.sandbox.world import World

from .cases import ACCOUNT, MEMBER, Aws, make_role, make_trail, outcome

THROTTLED = "ThrottlingException"


class Hand:
    """A clock that is set by hand."""

    time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def hand(world: World) -> Hand:
    """The rule "throttling.rates" is on, and time stands still."""
    world.rates = True
    world.clock = made = Hand()
    return made


def outcomes(aws: Aws, times: int) -> Counter[Any]:
    return Counter(outcome(lambda a: a.cloudtrail.describe_trails() and "OK", aws) for _ in range(times))


def test_cloudtrail_reads_ten_times_a_second(aws: Aws, world: World, hand: Hand) -> None:
    assert outcomes(aws, 13) == {"OK": 10, THROTTLED: 3}
    hand.time += 0.5
    assert outcomes(aws, 7) == {"OK": 5, THROTTLED: 2}
    hand.time += 60
    assert outcomes(aws, 13) == {"OK": 10, THROTTLED: 3}, "no more than a second's worth is saved up"
    assert world.limiter.given == {(ACCOUNT, "us-east-1", "cloudtrail"): 8}


def test_time_that_goes_back_earns_nothing(aws: Aws, hand: Hand) -> None:
    outcomes(aws, 10)
    for step in (-60, 60):
        hand.time += step
        assert outcomes(aws, 1) == {THROTTLED: 1}


def test_each_account_region_and_service_has_its_own_rate(aws: Aws, hand: Hand) -> None:
    outcomes(aws, 11)
    assert outcomes(aws, 1) == {THROTTLED: 1}
    member = aws.of(MEMBER)
    assert outcomes(aws.at("eu-west-1"), 1) == outcomes(member, 1) == {"OK": 1}
    assert aws.config.describe_config_rules()
    assert aws.cloudtrail.lookup_events(), "it has a rate of its own"


def test_cloudtrail_writes_once_a_second(aws: Aws, world: World, hand: Hand) -> None:
    def switch(a: Aws) -> Any:
        return a.cloudtrail.start_logging(Name="trl") and "OK"

    make_trail(aws)
    assert outcome(switch, aws) == THROTTLED, "creating it was this second's call"
    hand.time += 1
    assert [outcome(switch, aws) for _ in range(2)] == ["OK", THROTTLED]
    assert sum(world.limiter.given.values()) == 2


def test_nothing_is_throttled_unless_a_test_asks_for_it(aws: Aws, world: World) -> None:
    world.clock = Hand()
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
def test_each_service_says_it_in_its_own_words(
    aws: Aws, hand: Hand, service: str, call: str, params: Any, code: str, status: int
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


def fate(weather: Weather, call: WireCall) -> str:
    """What becomes of one call."""
    for phase in ("before", "after"):
        try:
            fault = weather(call, phase)  # type: ignore[arg-type]
        except OSError as broken:
            return f"{type(broken).__name__} {phase}"
        if fault is not None:
            return fault.code
    return "OK"


MIXED: dict[str, float] = dict.fromkeys(("throttles", "outages", "resets", "losses", "timeouts"), 0.1)


def test_the_weather_is_the_same_each_time_in_any_order() -> None:
    first = {call.account: fate(weather, call) for weather in [Weather(7, **MIXED)] for call in calls()}
    again = {call.account: fate(weather, call) for weather in [Weather(7, **MIXED)] for call in calls()[::-1]}
    other = {call.account: fate(weather, call) for weather in [Weather(8, **MIXED)] for call in calls()}
    assert first == again != other
    assert set(first.values()) == {
        *("OK", "ThrottlingException", "InternalFailure"),
        *("ConnectionError before", "ConnectionError after", "TimeoutError after"),
    }


def test_each_kind_has_its_share_and_is_counted() -> None:
    weather = Weather(seed=1, throttles=0.3, losses=0.1)
    seen = Counter(fate(weather, call) for call in calls(2000))
    assert 500 < seen["ThrottlingException"] < 700
    assert 140 < seen["ConnectionError after"] < 260
    assert weather.given == {
        "throttles": seen["ThrottlingException"],
        "losses": seen["ConnectionError after"],
    }


def test_who_asks_often_enough_is_answered() -> None:
    weather = Weather(throttles=1.0, most=3)
    (call,) = calls(1)
    assert [fate(weather, call) for _ in range(8)] == [*[THROTTLED] * 3, "OK"] * 2


def test_weather_is_kept_to_what_it_is_for() -> None:
    weather = Weather(outages=1.0, only=lambda call: call.service == "iam")
    assert fate(weather, calls(1)[0]) == "OK"
    assert weather.given == {}


def test_weather_over_a_world(aws: Aws, world: World) -> None:
    def only(operation: str) -> Any:
        return lambda call: call.operation == operation

    end = world.interrupt(Weather(losses=1.0, only=only("CreateRole")))
    world.interrupt(Weather(timeouts=1.0, only=only("ListRoles")))
    world.interrupt(Weather(throttles=1.0, only=only("ListBuckets")))
    with pytest.raises(ConnectionClosedError):
        make_role(aws)
    with pytest.raises(ReadTimeoutError):
        aws.iam.list_roles()
    assert outcome(lambda a: a.s3.list_buckets(), aws) == "SlowDown"
    end()
    assert outcome(make_role, aws) == "EntityAlreadyExists", "only its answer was lost"


def test_weather_stands_many_threads(world: World) -> None:
    weather = Weather(throttles=0.5)
    world.interrupt(weather)
    makers = [Aws() for _ in range(4)]
    seen: list[Any] = []

    def work(maker: Aws) -> None:
        seen.extend(outcomes(maker, 25).elements())

    threads = [threading.Thread(target=work, args=(maker,)) for maker in makers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(seen)[THROTTLED] == weather.given["throttles"] > 0
    assert len(seen) == 100


@pytest.mark.parametrize("service", ["s3", "iam", "organizations", "config", "ec2"])
def test_an_outage_is_a_server_error(service: str) -> None:
    assert outage_of(service).status == 500
    assert isinstance(throttle_of(service), Fault)
