"""The drift of the accounts that have drifted: one setting of the account, and one of a Region.

Both are chosen from the `@breaks` of the services, such that one write repairs each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from provisioner.engine.plan import Plan
from provisioner.engine.run import Run
from provisioner.model import Scope
from provisioner.sandbox import WireCall, store
from provisioner.sandbox.drift import Administrator, Break, carry_out, every_break
from provisioner.sandbox.world import World
from provisioner.steps.registry import all_steps


@dataclass(frozen=True)
class Drift:
    """A setting that has drifted: the service's signing name, and the write that repairs it."""

    regional: bool
    service: str
    repair: tuple[str, str]  # botocore's service name, and the operation
    params: frozenset[str]  # of the repair, in the home Region and in others

    def repaired_by(self, call: WireCall) -> bool:
        """Whether the call is the repair, with the values of the file."""
        return (call.service, call.operation) == self.repair and _params(call) in self.params


def find_drifts(world: World, admin: Sequence[Administrator], run: Callable[[], Run]) -> tuple[Drift, Drift]:
    """Break one setting of the account and one of each Region in the sandbox, and return both.

    *admin*: the clients that break settings, one for each sample Region, the home Region first. *run* makes a run of the
    tool in the sample account.
    """
    account = _break_first(world, admin[:1], run, Scope.ACCOUNT, other_than="")
    regional = _break_first(world, admin, run, Scope.REGION, other_than=account.service)
    return account, regional


def _break_first(
    world: World, admin: Sequence[Administrator], run: Callable[[], Run], scope: Scope, *, other_than: str
) -> Drift:
    """Apply the first break of a step of *scope* that one write repairs, and not in the service *other_than*."""
    before = [change for _, change in run().rehearse().changes]
    for name in dict.fromkeys(_name(*one) for one in field_breaks(admin[0], scope)):
        state = store.capture(world.memory)
        several = [one for hand in admin for one in field_breaks(hand, scope) if _name(*one) == name]
        if len(several) == len(admin) and all(carry_out(one) for _, one in several):
            plan = run().rehearse()
            found = [replace(r, changes=[c for c in r.changes if c not in before]) for r in plan.results]
            if sum(len(r.changes) for r in found) == len(admin) and not plan.failed:
                drift = _drift(world, run(), Plan(tuple(found)), regional=scope is Scope.REGION)
                if drift.service != other_than:
                    return drift
        world.memory = store.restore(state)
    raise RuntimeError(f"no break of a step of scope {scope.name} is repaired by one write")


def field_breaks(admin: Administrator, scope: Scope) -> Iterator[tuple[str, Break]]:
    """The breaks that weaken a single field."""
    for step, _, one in every_break([admin]):
        if all_steps()[step].scope is scope and one.field and one.repaired:
            yield step, one


def _name(step: str, one: Break) -> str:
    return f"{step} {one.resource} {one.field}"


def _drift(world: World, run: Run, plan: Plan, *, regional: bool) -> Drift:
    """Let the tool repair the drift to see by which write, then restore the sandbox."""
    state = store.capture(world.memory)
    before = len(world.writes)
    run.send(plan)
    calls = world.writes[before:]
    world.memory = store.restore(state)
    [(service, operation)] = {(call.service, call.operation) for call in calls}
    signing_name = run.cloud.client(service, calls[0].region).meta.service_model.signing_name
    return Drift(regional, signing_name, (service, operation), frozenset(map(_params, calls)))


def _params(call: WireCall) -> str:
    """The parameters with placeholders for the account and the Region."""
    text = json.dumps(dict(call.params), sort_keys=True, default=str)
    return text.replace(call.account, "${account_id}").replace(call.region, "${region}")
