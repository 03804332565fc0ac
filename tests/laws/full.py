"""Helpers of the laws: the full file, the sandbox after it was applied, and its breaks."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from provisioner.engine.plan import Plan
from provisioner.sandbox import open_sandbox, store
from provisioner.sandbox.drift import Administrator, Break, every_break

from ..conftest import ROOT, Bench

FULL = (ROOT / "provisioner" / "profiles" / "full.yaml").read_text()

Found = tuple[str, Administrator, Break]


def calls(plan: Plan) -> list[tuple[Any, ...]]:
    """The requests of a plan, without the values of their parameters, because AWS generates some."""
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


def administrator_of(bench: Bench, text: str = FULL) -> list[Administrator]:
    """A user who breaks things, in each Region of the file."""
    general = bench.baseline(text).general
    regions = [general.home_region, *general.regions]
    return [
        Administrator(bench.world.account_id, region, home=region == general.home_region)
        for region in dict.fromkeys(regions)
    ]


@cache
def applied(text: str = FULL) -> bytes:
    """The state of a sandbox to which the file was applied. Call it while no sandbox is open."""
    with open_sandbox(None) as world:
        bench = Bench(world)
        bench.apply(text)
        bench.close()
        return store.capture(world.memory)


class Named(NamedTuple):
    """The name of a break, which can be found again in another sandbox."""

    step: str
    region: str
    sentence: str
    paths: str


@cache
def named_breaks(text: str = FULL) -> list[Named]:
    """The names of all breaks of the file. Call it while no sandbox is open."""
    state = applied(text)
    with open_sandbox(None) as world:
        bench = Bench(world)
        bench.at(state)
        return [
            Named(step, admin.region, each.sentence, each.paths)
            for step, admin, each in every_break(administrator_of(bench, text))
        ]


def find_break(bench: Bench, named: Named) -> Found:
    admin = [each for each in administrator_of(bench) if each.region == named.region]
    [found] = [each for each in every_break(admin, named.step) if each[2].sentence == named.sentence]
    return found
