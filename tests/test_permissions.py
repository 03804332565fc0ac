"""The printed policy: enough for every run, nothing more than that, and no way to stop the audit log."""

from __future__ import annotations

import pytest

from .conftest import EXAMPLE, Bench
from .permissions_sample import (
    ACCOUNT,
    EVERYTHING,
    EVERYWHERE,
    TWO_REGIONS,
    Caller,
    break_everything,
    least,
    make_surroundings,
)

FILES = {
    "example": (EXAMPLE, "organization-trail", ("us-east-1",)),
    "two-regions": (TWO_REGIONS, "organization-trail", ("us-east-1", "eu-west-1")),
    "everything": (EVERYTHING, "audit", ("us-east-1",)),
    "everywhere": (EVERYWHERE, "audit", ("us-east-1", "eu-west-1")),
}


def works(bench: Bench, caller: Caller, text: str, account: str = ACCOUNT) -> None:
    """diff, verify and apply go through, each with a policy of its own."""
    with caller.held_to(least(text, "diff", account=account)):
        assert [str(r.failure) for r in bench.diff(text).failed] == []
    with caller.held_to(least(text, "verify", account=account)):
        assert [str(r.failure) for r in bench.run(text).verify() if not r.ok] == []
    with caller.held_to(least(text, "apply", account=account)):
        assert bench.apply(text).changes != []
        assert bench.diff(text).changes == []
    assert caller.denied == []


@pytest.mark.parametrize("name", FILES)
def test_it_is_enough(bench: Bench, name: str) -> None:
    text, trail, regions = FILES[name]
    make_surroundings(bench)
    caller = Caller(bench.world)
    works(bench, caller, text)
    break_everything(bench, trail, *regions)
    works(bench, caller, text)
