"""A plan as a value: its digest, its counts, and the guards before anything is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.engine.plan import Count, Plan, Share, count
from provisioner.model import Call, Change, Difference, Result, Target

HOME = Target("123456789012", "us-east-1")
AWAY = Target("123456789012", "eu-west-1", home=False)


def change(resource: str = "thing a", want: object = 1, action: str = "update", **given: str) -> Change:
    call = Call("s3", "put_bucket_tagging", {"Bucket": resource, "Value": want}, name="PutBucketTagging")
    return Change(resource, (Difference("field", None, want),), call, action, **given)  # type: ignore[arg-type]


def plan(*changes: Change, target: Target = HOME, seen: tuple[str, ...] = ()) -> Plan:
    return Plan((Result("step", target, list(changes), seen=list(seen)),))


def test_the_digest_does_not_depend_on_order_or_time() -> None:
    a, b = Result("a", HOME, [change("x")]), Result("b", AWAY, [change("y"), change("z")])
    assert Plan((a, b)).digest == Plan((b, a)).digest
    assert Plan((a,)).digest.startswith("sha256:")


@pytest.mark.parametrize(
    "other",
    [
        plan(change(want=2)),
        plan(change("thing b")),
        plan(change(action="create")),
        plan(change(), change("thing b")),
        plan(change(), target=AWAY),
        plan(replace(change(), call=replace(change().call, region="eu-west-1"))),
        plan(replace(change(), call=replace(change().call, operation="delete_bucket"))),
        Plan((Result("step", HOME, [change()]), Result("other", HOME, blocked_by="step"))),
    ],
)
def test_the_digest_names_every_difference(other: Plan) -> None:
    assert other.digest != plan(change()).digest


def test_resources_are_counted_not_calls() -> None:
    results = [
        Result("a", HOME, [change("x", action="create"), change("x"), change("x"), change("y")]),
        Result("a", AWAY, [change("x")]),
    ]
    assert count(results) == Count(add=1, change=2)


@given(st.integers(0, 60), st.integers(0, 60))
def test_more_than_30_percent_of_at_least_ten_is_large(changed: int, there: int) -> None:
    changed = min(changed, there)
    assert Share(changed, there).large == (there >= 10 and 10 * changed > 3 * there)


def test_only_changes_of_what_is_there_count() -> None:
    names = tuple(f"thing {n}" for n in range(10))
    made = [change(f"new {n}", action="create") for n in range(30)]
    assert plan(*made, *map(change, names[:3]), seen=names).share == Share(3, 10)
    assert not plan(*map(change, names[:3]), seen=names).share.large
    assert plan(*map(change, names[:4]), seen=names).share.large
