"""A plan as a value: its digest, its counts, and the limit to how much it may change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.engine.plan import LIMIT, Count, Plan, count
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


NAMES = tuple(f"thing {n}" for n in range(10))
MADE = [change(f"new {n}", action="create") for n in range(2)]


@pytest.mark.parametrize(
    ("limit", "changed", "allowed"),
    [
        ("4", 2, True),
        ("4", 3, False),
        ("0", 0, False),
        ("50%", 3, True),  # with the two new ones five of ten
        ("50%", 4, False),
    ],
)
def test_a_limit_counts_what_is_made_and_what_is_changed(limit: str, changed: int, allowed: bool) -> None:
    found = plan(*MADE, *map(change, NAMES[:changed]), seen=NAMES)
    assert LIMIT.fullmatch(limit)
    assert (found.exceeds(limit) == "") == allowed


def test_exceeding_says_by_how_much() -> None:
    found = plan(*MADE, seen=NAMES)
    assert found.exceeds("10%") == (
        "the plan creates or changes 2 resources of the 10 that exist, and no more than 10% are allowed:"
        " review it with `diff`, then allow more"
    )
    assert plan().exceeds("0%") == ""
