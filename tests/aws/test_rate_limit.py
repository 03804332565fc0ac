"""Tests of the rate limiter: documented rates, slower when throttled, faster again afterwards."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.aws.guard import READS
from provisioner.aws.rate_limit import DOCUMENTED, Rate, RateLimiter, kind_of

RATED = ("111122223333", "us-east-1", "rated")  # a service whose rates are documented
CONFIG = ("111122223333", "us-east-1", "config")
OTHERS = [
    ("444455556666", "us-east-1", "rated"),
    ("111122223333", "eu-west-1", "rated"),
    ("111122223333", "us-east-1", "config"),
]


@pytest.fixture(autouse=True)
def documented(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, each in (("read", 10.0), ("write", 1.0), ("lookup", 2.0)):
        monkeypatch.setitem(DOCUMENTED, ("rated", kind), Rate(each, each))


def sent(limiter: RateLimiter, where: tuple[str, str, str], kind: str, requested: list[float]) -> list[float]:
    """The times at which the calls are sent that are requested at these times."""
    return [now + limiter.reserve(where, kind, now) for now in requested]


@pytest.mark.parametrize(("kind", "rate"), [("read", 10), ("write", 1), ("lookup", 2)])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pauses=st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_the_documented_rate_is_never_exceeded(kind: str, rate: int, pauses: list[float]) -> None:
    limiter, now, requested = RateLimiter(), 0.0, []
    for pause in pauses:
        now += pause
        requested.append(now)
    times = sent(limiter, RATED, kind, requested)
    assert times == sorted(times)
    for first in range(len(times)):
        for last in range(first + 1, len(times)):
            # AWS's token bucket: a burst of a second's calls, and that many more in each second.
            assert last - first + 1 <= rate + rate * (times[last] - times[first]) + 1e-6


@pytest.mark.parametrize("where", OTHERS)
def test_accounts_regions_and_services_have_limits_of_their_own(where: tuple[str, str, str]) -> None:
    limiter = RateLimiter()
    sent(limiter, RATED, "write", [0.0] * 20)
    assert limiter.reserve(where, "write", 0.0) == 0


def test_without_a_documented_rate_there_is_no_limit_until_aws_throttles() -> None:
    limiter = RateLimiter()
    assert sent(limiter, CONFIG, "read", [0.0] * 500) == [0.0] * 500
    limiter.throttled(CONFIG, "read", 0.0)
    slow = sent(limiter, CONFIG, "read", [0.0] * 9)
    assert slow[-1] == pytest.approx(1.0)
    limiter.throttled(CONFIG, "read", 2.0)
    slower = sent(limiter, CONFIG, "read", [2.0] * 5)
    assert slower[-1] - slower[0] == pytest.approx(1.0)


def test_the_rate_has_a_minimum_and_recovers() -> None:
    limiter = RateLimiter()
    for _ in range(50):
        limiter.throttled(CONFIG, "read", 0.0)
    first, second = sent(limiter, CONFIG, "read", [100.0, 100.0])
    assert second - first == pytest.approx(2.0)
    for _ in range(200):
        limiter.succeeded(CONFIG, "read")
    assert sent(limiter, CONFIG, "read", [300.0] * 100) == [300.0] * 100


def test_the_rate_recovers_to_the_documented_one() -> None:
    limiter = RateLimiter()
    limiter.throttled(RATED, "write", 0.0)
    first, second = sent(limiter, RATED, "write", [10.0, 10.0])
    assert second - first == pytest.approx(2.0)
    for _ in range(200):
        limiter.succeeded(RATED, "write")
    first, second = sent(limiter, RATED, "write", [100.0, 100.0])
    assert second - first == pytest.approx(1.0)


def test_documented_rates_can_be_switched_off_and_accounts_forgotten() -> None:
    assert sent(RateLimiter(documented=False), RATED, "write", [0.0] * 50) == [0.0] * 50
    limiter = RateLimiter()
    sent(limiter, RATED, "write", [0.0] * 50)
    limiter.forget(RATED[0])
    assert limiter.reserve(RATED, "write", 0.0) == 0


def test_kinds() -> None:
    names = ("LookupEvents", "DescribeTrails", "CreateTrail", "AssumeRole")
    assert [kind_of(name, READS) for name in names] == ["lookup", "read", "write", "read"]
