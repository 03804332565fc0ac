"""What the laws share: the full file, an AWS that it was applied to, and how a plan is compared."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from provisioner.engine.plan import Plan
from provisioner.sandbox import open_sandbox, store
from provisioner.sandbox.drift import Break, Hands, every_break

from ..conftest import ROOT, Bench

FULL = (ROOT / "provisioner" / "profiles" / "full.yaml").read_text()

Found = tuple[str, Hands, Break]


def calls(plan: Plan) -> list[tuple[Any, ...]]:
    """The requests of a plan, without their values: AWS makes some of these up."""
    return [
        (
            r.step,
            r.target,
            c.resource,
            [d.field for d in c.differences],
            c.call.service,
            c.call.operation,
            sorted(c.call.params),
        )
        for r, c in plan.changes
    ]


def failures(results: Any) -> list[str]:
    return [f"{r.step}: {r.failure or r.blocked_by}" for r in results if not r.ok]


def hands_of(bench: Bench, text: str = FULL) -> list[Hands]:
    """Somebody in each Region of the file."""
    general = bench.baseline(text).general
    regions = [general.home_region, *general.regions]
    return [
        Hands(bench.world.account_id, region, home=region == general.home_region)
        for region in dict.fromkeys(regions)
    ]


@cache
def applied(text: str = FULL) -> bytes:
    """The state of an AWS to which the file was applied. No sandbox may be open."""
    with open_sandbox(None) as world:
        bench = Bench(world)
        bench.apply(text)
        bench.close()
        return store.capture(world.memory)


class Named(NamedTuple):
    """A way to break what the file asks for, by its name: what it does is another thing in each sandbox."""

    step: str
    region: str
    sentence: str
    asked: str


@cache
def named_breaks(text: str = FULL) -> list[Named]:
    """Every way to break what the file asks for. No sandbox may be open."""
    state = applied(text)
    with open_sandbox(None) as world:
        bench = Bench(world)
        bench.at(state)
        return [
            Named(step, hands.region, each.sentence, each.asked)
            for step, hands, each in every_break(hands_of(bench, text))
        ]


def find_break(bench: Bench, named: Named) -> Found:
    hands = [each for each in hands_of(bench) if each.region == named.region]
    [found] = [each for each in every_break(hands, named.step) if each[2].sentence == named.sentence]
    return found
