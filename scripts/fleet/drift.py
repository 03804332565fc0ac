"""What has drifted in some accounts: one thing of the account, and one of a Region. Found among what can be broken at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from provisioner.engine.plan import Plan
from provisioner.engine.run import Run
from provisioner.model import Scope
from provisioner.sandbox import WireCall, store
from provisioner.sandbox.drift import Break, Hands, done, every_break
from provisioner.sandbox.world import World
from provisioner.steps.registry import all_steps


@dataclass(frozen=True)
class Drift:
    """One thing that has drifted: the service, as requests for it are signed, and the write that repairs it."""

    regional: bool
    service: str
    repair: tuple[str, str]  # botocore's service, and the operation
    params: frozenset[str]  # of it, at home and elsewhere

    def repaired_by(self, call: WireCall) -> bool:
        """The call is the repair, with the values of the file."""
        return (call.service, call.operation) == self.repair and _params(call) in self.params


def find_drifts(world: World, hands: Sequence[Hands], run: Callable[[], Run]) -> tuple[Drift, Drift]:
    """Break one thing of the account and one of each Region, such that one write repairs it, and say which.

    *hands* are somebody in each Region that stands for others, the home Region first; *run* is the tool in that account.
    """
    account = _first(world, hands[:1], run, Scope.ACCOUNT, other_than="")
    regional = _first(world, hands, run, Scope.REGION, other_than=account.service)
    return account, regional


def _first(
    world: World, hands: Sequence[Hands], run: Callable[[], Run], scope: Scope, *, other_than: str
) -> Drift:
    """The first break of such a step that one write repairs, in another service than that."""
    before = [change for _, change in run().rehearse().changes]
    for name in dict.fromkeys(_names(hands[0], scope)):
        state = store.capture(world.memory)
        several = [one for hand in hands for one in _ways(hand, scope) if _name(*one) == name]
        if len(several) == len(hands) and all(done(one) for _, one in several):
            plan = run().rehearse()
            found = [replace(r, changes=[c for c in r.changes if c not in before]) for r in plan.results]
            if sum(len(r.changes) for r in found) == len(hands) and not plan.failed:
                drift = _repair(world, run(), Plan(tuple(found)), regional=scope is Scope.REGION)
                if drift.service != other_than:
                    return drift
        world.memory = store.restore(state)
    raise RuntimeError(f"of what the file asks for, nothing drifts that one write repairs: {scope.name}")


def _ways(hand: Hands, scope: Scope) -> Iterator[tuple[str, Break]]:
    """What changes one field, to the weaker side."""
    for step, _, one in every_break([hand]):
        if all_steps()[step].scope is scope and one.field and not one.stricter:
            yield step, one


def _names(hand: Hands, scope: Scope) -> Iterator[str]:
    return (_name(*one) for one in _ways(hand, scope))


def _name(step: str, one: Break) -> str:
    return f"{step} {one.resource} {one.field}"


def _repair(world: World, run: Run, plan: Plan, *, regional: bool) -> Drift:
    """The write that the tool makes, and which the sandbox forgets again."""
    state = store.capture(world.memory)
    before = len(world.writes)
    run.send(plan)
    calls = world.writes[before:]
    world.memory = store.restore(state)
    [(service, operation)] = {(call.service, call.operation) for call in calls}
    signed_as = run.cloud.client(service, calls[0].region).meta.service_model.signing_name
    return Drift(regional, signed_as, (service, operation), frozenset(map(_params, calls)))


_ELSEWHERE: Final = "${region}"


def _params(call: WireCall) -> str:
    """Without what is the account's and the Region's own."""
    text = json.dumps(dict(call.params), sort_keys=True, default=str)
    return text.replace(call.account, "${account_id}").replace(call.region, _ELSEWHERE)
