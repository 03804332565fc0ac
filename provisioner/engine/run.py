"""One run over one set of targets: rehearse, send, read back, prove. What `diff`, `apply` and `verify` share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..aws import Aws, Identity, Memory, SynchronousExecutor
from ..aws.errors import IN_VAIN
from ..baseline import Baseline
from ..engine.skipped import without_unusable
from ..model import Change, Result, Skipped, Step, Target
from . import graph
from .graph import Node
from .plan import Plan
from .step import prove, run_step

if TYPE_CHECKING:
    from ..aws.cloud import Cloud

_MYSELF = SynchronousExecutor()
SETTLE = 120.0  # seconds that AWS gets to show what was written (Terraform's budget for IAM and S3)


@dataclass
class Run:
    """A baseline, a way to AWS, and the steps to take in each target."""

    cloud: Cloud
    baseline: Baseline
    identity: Identity
    steps: Iterable[Step]
    regions: Sequence[str]  # those of the file, or fewer
    on_step: Callable[[Result], None] = lambda result: None
    on_change: Callable[[Result, Change], None] = lambda result, change: None
    places: Callable[[Step], Iterable[Target]] | None = None  # of an organization: where each step runs
    lost: Mapping[str, str] = field(default_factory=dict)  # steps that have failed elsewhere, and why
    lenient: bool = False  # a Region that cannot be used is passed over, and told
    skipped: list[Skipped] = field(default_factory=list)
    alone: bool = False  # one thread does it all: many accounts are done at a time
    _memory: dict[str, Memory] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = graph.build(self.steps, self.places or self._places)

    def rehearse(self) -> Plan:
        """What would change. Makes no write."""
        return Plan(tuple(self._looked(self._rehearse)))

    def _looked(self, work: Callable[[Node], Result]) -> list[Result]:
        """The results of reading, but for the Regions that are passed over."""
        results = graph.walk(self.graph, work, ordered=False, lost=self.lost, workers=self._workers)
        if self.lenient:
            results, passed = without_unusable(results, self.cloud.offers)
            self.skipped.extend(passed)
        return results

    def refresh(self) -> None:
        """Whatever was read so far is read again: time has passed."""
        self._memory.clear()

    def send(self, plan: Plan, allowed: Collection[str] = ()) -> list[Result]:
        """Make the changes of *plan*, in dependency order, and no others.

        What would loosen or replace something is left out unless *allowed* names it.
        """
        planned = {(each.step, each.target): each for each in plan.results}

        def work(node: Node) -> Result:
            before = planned.get((node.step.name, node.target)) or Result(node.step.name, node.target)
            if before.failures:
                return replace(before, changes=[])  # they were seen before it failed, and are not made
            if not before.changes:
                return before
            result = run_step(
                node.step,
                self._aws(node),
                self._filled(node),
                apply=True,
                planned=before,
                allowed=allowed,
                on_change=self.on_change,
            )
            self.on_step(result)
            return result

        return graph.walk(self.graph, work, ordered=True, lost=self.lost, workers=self._workers)

    def settle(self, sent: Iterable[Result]) -> list[Result]:
        """Read back what was changed until AWS shows it, for at most two minutes.

        What it still does not show is returned, and what cannot be read any more.
        """
        from ..aws import Waiting

        sent = list(sent)
        changed = {(r.step, r.target) for r in sent if r.changes and r.ok}
        withheld = {(r.step, r.target): {c.consent for c in r.withheld} for r in sent}
        left = {node: set[Node]() for node in self.graph if (node.step.name, node.target) in changed}
        clock = self.cloud.clock
        started = clock.now()
        lost: list[Result] = []
        for attempt in range(64):
            self.refresh()
            results = graph.walk(left, self._rehearse_quietly, ordered=False, workers=self._workers)
            for r in results:  # what was held back still shows, and is not waited for
                r.changes[:] = [c for c in r.changes if c.consent not in withheld[r.step, r.target] - {None}]
            lost += [r for r in results if _is_lost(r)]
            open_results = [r for r in results if _is_open(r)]
            waited = clock.now() - started
            if not open_results or waited >= SETTLE or self.cloud.stop.is_set():
                return lost + open_results
            left = {node: set() for node, r in zip(left, results, strict=True) if _is_open(r)}
            for result in open_results:
                until = ", ".join(sorted({c.resource for c in result.changes})) or result.step
                self.cloud.on_wait(
                    Waiting(result.target, "", f"AWS to show what was written: {until}", waited, SETTLE)
                )
            clock.sleep(min(1.0 * 2.0 ** min(attempt, 3), SETTLE - waited))
        return lost + open_results

    def verify(self) -> list[Result]:
        """Whether it is configured, and whether it works: changes still needed, and what each step's proof found."""

        def work(node: Node) -> Result:
            return prove(node.step, self._aws(node), self._filled(node), self._rehearse(node))

        return self._looked(work)

    def _places(self, step: Step) -> Iterable[Target]:
        """The caller's account, in its home Region or in each of *regions*."""
        home = self.baseline.general.home_region
        for region in self.regions if step.regional else [home]:
            yield Target(self.identity.account, region, self.identity.partition, home=region == home)

    @property
    def _workers(self) -> int:
        return 1 if self.alone else graph.WORKERS

    def _rehearse(self, node: Node) -> Result:
        result = self._rehearse_quietly(node)
        self.on_step(result)
        return result

    def _rehearse_quietly(self, node: Node) -> Result:
        return run_step(node.step, self._aws(node), self._filled(node), apply=False)

    def _aws(self, node: Node) -> Aws:
        memory = self._memory.setdefault(node.target.account, Memory())
        readers = _MYSELF if self.alone else None
        return Aws(node.target, self.cloud, memory, readers)

    def _filled(self, node: Node) -> Baseline:
        target = node.target
        return self.baseline.at(account_id=target.account, region=target.region, partition=target.partition)


def _is_lost(result: Result) -> bool:
    """It cannot be read, and no waiting changes that: the credentials have expired meanwhile."""
    return any(each.code in IN_VAIN for each in result.failures)


def _is_open(result: Result) -> bool:
    return bool(result.changes or not result.ok) and not _is_lost(result)


def chosen(steps: Mapping[str, Step], baseline: Baseline, names: Iterable[str] = ()) -> list[Step]:
    """The steps that the file asks for; with *names*, only those and what they need.

    Raises KeyError with the name of a step that there is not, or that the file does not ask for.
    """
    asked = {name: step for name, step in steps.items() if step.section in baseline}
    wanted: set[str] = set()

    def visit(name: str) -> None:
        for need in asked[name].needs:
            if need in asked:
                visit(need)
        wanted.add(name)

    for name in names:
        if name not in asked:
            raise KeyError(name)
        visit(name)
    return [step for name, step in asked.items() if name in wanted or not wanted]
