"""How fast AWS is asked: within its documented rates, slower where it refuses, and faster again where it does not."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.aws.guard import READS
from provisioner.aws.rate_limit import DOCUMENTED, Pace, Rate, kind_of

RATED = ("111122223333", "us-east-1", "rated")  # a service whose rates are documented
CONFIG = ("111122223333", "us-east-1", "config")
ELSEWHERE = [
    ("444455556666", "us-east-1", "rated"),
    ("111122223333", "eu-west-1", "rated"),
    ("111122223333", "us-east-1", "config"),
]


@pytest.fixture(autouse=True)
def documented(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, each in (("read", 10.0), ("write", 1.0), ("lookup", 2.0)):
        monkeypatch.setitem(DOCUMENTED, ("rated", kind), Rate(each, each))


def sent(pace: Pace, where: tuple[str, str, str], kind: str, asked: list[float]) -> list[float]:
    """When each call goes out, of those that come to be asked at these moments."""
    return [now + pace.wait(where, kind, now) for now in asked]


@pytest.mark.parametrize(("kind", "rate"), [("read", 10), ("write", 1), ("lookup", 2)])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pauses=st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_more_go_out_than_the_documented_rate_allows(kind: str, rate: int, pauses: list[float]) -> None:
    pace, now, asked = Pace(), 0.0, []
    for pause in pauses:
        now += pause
        asked.append(now)
    out = sent(pace, RATED, kind, asked)
    assert out == sorted(out)
    for first in range(len(out)):
        for last in range(first + 1, len(out)):
            # AWS's bucket: as many at once as it lets through in a second, and that many more in each second.
            assert last - first + 1 <= rate + rate * (out[last] - out[first]) + 1e-6


@pytest.mark.parametrize("where", ELSEWHERE)
def test_one_place_does_not_slow_another(where: tuple[str, str, str]) -> None:
    pace = Pace()
    sent(pace, RATED, "write", [0.0] * 20)
    assert pace.wait(where, "write", 0.0) == 0


def test_what_nobody_documents_is_free_until_aws_refuses() -> None:
    pace = Pace()
    assert sent(pace, CONFIG, "read", [0.0] * 500) == [0.0] * 500
    pace.refused(CONFIG, "read", 0.0)
    slow = sent(pace, CONFIG, "read", [0.0] * 9)
    assert slow[-1] == pytest.approx(1.0)
    pace.refused(CONFIG, "read", 2.0)
    slower = sent(pace, CONFIG, "read", [2.0] * 5)
    assert slower[-1] - slower[0] == pytest.approx(1.0)


def test_it_never_comes_to_a_stand_and_recovers() -> None:
    pace = Pace()
    for _ in range(50):
        pace.refused(CONFIG, "read", 0.0)
    first, second = sent(pace, CONFIG, "read", [100.0, 100.0])
    assert second - first == pytest.approx(2.0)
    for _ in range(200):
        pace.passed(CONFIG, "read")
    assert sent(pace, CONFIG, "read", [300.0] * 100) == [300.0] * 100


def test_a_documented_rate_is_the_most_it_recovers_to() -> None:
    pace = Pace()
    pace.refused(RATED, "write", 0.0)
    first, second = sent(pace, RATED, "write", [10.0, 10.0])
    assert second - first == pytest.approx(2.0)
    for _ in range(200):
        pace.passed(RATED, "write")
    first, second = sent(pace, RATED, "write", [100.0, 100.0])
    assert second - first == pytest.approx(1.0)


def test_what_is_no_aws_has_no_rates_and_who_is_done_with_is_forgotten() -> None:
    assert sent(Pace(documented=False), RATED, "write", [0.0] * 50) == [0.0] * 50
    pace = Pace()
    sent(pace, RATED, "write", [0.0] * 50)
    pace.forget(RATED[0])
    assert pace.wait(RATED, "write", 0.0) == 0


def test_kinds() -> None:
    names = ("LookupEvents", "DescribeTrails", "CreateTrail", "AssumeRole")
    assert [kind_of(name, READS) for name in names] == ["lookup", "read", "write", "read"]
