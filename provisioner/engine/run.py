"""One run over a set of targets: plan, apply, read back, verify. `diff`, `apply` and `verify` all use it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..aws import Aws, Identity, ReadCache, SynchronousExecutor
from ..aws.errors import NOT_RETRYABLE
from ..baseline import Baseline, Regional, Section, Switchable
from ..engine.skipped import without_unusable
from ..model import Change, Result, Skipped, Step, Target
from . import graph
from .controls import Controls
from .fire import fire
from .graph import Node
from .plan import Plan
from .step import prove, run_step

if TYPE_CHECKING:
    from ..aws.cloud import Cloud

_SYNCHRONOUS = SynchronousExecutor()
SETTLE = 120.0  # seconds that AWS gets to show what was written (Terraform's budget for IAM and S3)
_FLAPPING_READS = 2  # in a row that must show a change of which AWS answers now the new value, now the old
_FLAPPING_PAUSE = 0.5  # seconds between them


@dataclass(slots=True)
class Run:
    """A baseline, the connection to AWS, and the steps to run in each target."""

    cloud: Cloud
    baseline: Baseline
    identity: Identity
    steps: Iterable[Step]
    regions: Sequence[str]  # those of the file, or fewer
    on_step: Callable[[Result], None] = lambda result: None
    on_change: Callable[[Result, Change], None] = lambda result, change: None
    places: Callable[[Step], Iterable[Target]] | None = None  # of an organization: where each step runs
    failed_needs: Mapping[str, str] = field(default_factory=dict)  # of earlier runs: see Result.failed_needs
    lenient: bool = False  # a Region that cannot be used is skipped, and reported
    list_enabled: Callable[[str], Collection[str]] = lambda account: ()  # the Regions enabled in an account
    skipped: list[Skipped] = field(default_factory=list)
    single_threaded: bool = False  # many accounts run at the same time
    controls: Controls = field(default_factory=Controls)
    graph: graph.Graph = field(init=False)
    _memory: dict[str, ReadCache] = field(default_factory=dict)
    _made: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = graph.build(self.steps, self._targets)

    def rehearse(self) -> Plan:
        """Find what would change. Makes no write."""
        return Plan(tuple(self._read(self._rehearse)))

    def _read(self, work: Callable[[Node], Result]) -> list[Result]:
        """The results of reading, without the Regions that are skipped."""
        if self.single_threaded:
            work = self._forgetting(work)
        results = graph.read(self.graph, work, self.failed_needs, self._workers)
        if self.lenient:
            results, passed = without_unusable(results, self.cloud.offers, self.list_enabled)
            self.skipped.extend(passed)
        return results

    def _forgetting(self, work: Callable[[Node], Result]) -> Callable[[Node], Result]:
        """The same work; what was read of a Region is forgotten after its last node, as many accounts run at a time."""
        left = Counter((node.target.account, node.target.region) for node in self.graph)

        def do(node: Node) -> Result:
            account, region = place = node.target.account, node.target.region
            result = work(node)
            left[place] -= 1
            if not left[place] and account in self._memory:
                self._memory[account].forget_region(region)
            return result

        return do

    def refresh(self) -> None:
        """Forget what was read so far, so that it is read again."""
        self._memory.clear()

    def send(self, plan: Plan, allowed: Collection[str] = ()) -> list[Result]:
        """Make the changes of *plan*, in dependency order, and no others.

        A change that loosens or replaces something is left out unless *allowed* has its consent.
        """
        planned = {(each.step, each.target): each for each in plan.results}

        def work(node: Node, failed_needs: Mapping[str, str]) -> Result:
            before = planned.get((node.step.name, node.target)) or Result(node.step.name, node.target)
            if not before.changes:
                return before
            result = run_step(
                node.step,
                self._aws(node),
                self._filled(node.target),
                apply=True,
                planned=before,
                allowed=allowed,
                failed_needs=failed_needs,
                on_change=self.on_change,
                controls=self.controls,
            )
            self.on_step(result)
            return result

        return graph.write(self.graph, work, self.failed_needs, self._workers)

    def settle(self, sent: Iterable[Result]) -> list[Result]:
        """Read back what was changed until AWS shows it, for at most SETTLE seconds, or what a call may take.

        A change whose call flaps must be shown several times in a row. Returns the results that still show a change, and those that can no longer be read.
        """
        from ..aws import Waiting

        sent = list(sent)
        changed = {(r.step, r.target) for r in sent if r.changes and r.ok}
        withheld = {(r.step, r.target): {c.consent for c in r.without_consent} for r in sent}
        left = {node: set[Node]() for node in self.graph if (node.step.name, node.target) in changed}
        clock = self.cloud.clock
        started = clock.now()
        limit = max([SETTLE, *(c.call.settles for r in sent for c in r.changes)])
        unreadable: list[Result] = []
        flapping = {(r.step, r.target) for r in sent if any(c.call.flaps for c in r.changes)}
        needed = {n: _FLAPPING_READS if (n.step.name, n.target) in flapping else 1 for n in left}
        missing = dict(needed)  # reads in a row that must still show what was written
        for attempt in range(128):
            self.refresh()
            results = graph.read(left, self._rehearse_quietly, {}, self._workers)
            for r in results:  # what was withheld is still different, and is not waited for
                r.changes[:] = [c for c in r.changes if c.consent not in withheld[r.step, r.target] - {None}]
            unreadable += [r for r in results if _is_unreadable(r)]
            open_results = [r for r in results if _is_open(r)]
            waited = clock.now() - started
            for node, r in zip(left, results, strict=True):
                missing[node] = 0 if _is_unreadable(r) else needed[node] if _is_open(r) else missing[node] - 1
            left = {node: set() for node in left if missing[node] > 0}
            if not left or waited >= limit or self.cloud.stop.is_set():
                return unreadable + open_results
            for result in open_results:
                until = ", ".join(sorted({c.resource for c in result.changes})) or result.step
                self.cloud.on_wait(
                    Waiting(result.target, "", f"AWS to show what was written: {until}", waited, limit)
                )
            pause = 1.0 * 2.0 ** min(attempt, 3) if open_results else _FLAPPING_PAUSE
            clock.sleep(min(pause, limit - waited))
        return unreadable + open_results

    def verify(self, *, firing: bool = False) -> list[Result]:
        """Find the changes still needed, and what the proof of each step finds; *firing*: set off once what can be."""

        def work(node: Node) -> Result:
            found = self._rehearse(node)
            found = prove(node.step, self._aws(node), self._filled(node.target), found, self.controls)
            return (
                fire(node.step, self._aws(node), self._filled(node.target), found, self.controls)
                if firing
                else found
            )

        return self._read(work)

    def _targets(self, step: Step) -> Iterator[Target]:
        """Where the step runs: in all of its places, or those to which the file limits its section."""
        home = self.baseline.general.home_region
        for target in (self.places or self._places)(step):
            section = self._filled(target, home)[step.section] if step.regional else None
            if not isinstance(section, Regional) or section.runs_in(target.region):
                yield target

    def _places(self, step: Step) -> Iterable[Target]:
        """The caller's account, in its home Region or in each of *regions*."""
        home = self.baseline.general.home_region
        for region in self.regions if step.regional else [home]:
            yield Target(self.identity.account, region, self.identity.partition, home=region == home)

    @property
    def _workers(self) -> int:
        return 1 if self.single_threaded else graph.WORKERS

    def _rehearse(self, node: Node) -> Result:
        result = self._rehearse_quietly(node)
        self.on_step(result)
        return result

    def _rehearse_quietly(self, node: Node) -> Result:
        return run_step(
            node.step, self._aws(node), self._filled(node.target), apply=False, controls=self.controls
        )

    def _aws(self, node: Node) -> Aws:
        memory = self._memory.setdefault(node.target.account, ReadCache(self._made))
        readers = _SYNCHRONOUS if self.single_threaded else None
        return Aws(node.target, self.cloud, memory, readers)

    def _filled(self, target: Target, region: str = "") -> Baseline:
        """The baseline of the target's account in its Region, or in another one."""
        region = region or target.region
        return self.baseline.at(account_id=target.account, region=region, partition=target.partition)


def _is_unreadable(result: Result) -> bool:
    """The result has an error that no waiting changes, such as expired credentials."""
    return any(each.code in NOT_RETRYABLE for each in result.failures)


def _is_open(result: Result) -> bool:
    return bool(result.changes or not result.ok) and not _is_unreadable(result)


def chosen(steps: Mapping[str, Step], baseline: Baseline, names: Collection[str] = ()) -> list[Step]:
    """The steps that the baseline asks for; with *names*, only those of them and the steps that they need."""
    asked = filter(None, (_as_asked(step, baseline) for step in steps.values()))
    return _with_needs([_with_references(step, baseline) for step in asked], names)


def possible(steps: Mapping[str, Step], baseline: Baseline, names: Collection[str] = ()) -> list[Step]:
    """As `chosen`, and also the steps of sections that the file has in its `overrides` only."""
    asked = {step.name: step for step in chosen(steps, baseline)}
    more = [kind for kind in baseline.overridden if kind not in baseline]
    found = [asked.get(name, step) for name, step in steps.items() if name in asked or step.section in more]
    return _with_needs(found, names)


def _with_references(step: Step, baseline: Baseline) -> Step:
    """The step with what it needs by the references of its section, too."""
    return replace(step, needs=tuple(dict.fromkeys((*step.needs, *step.needs_in(baseline)))))


def _with_needs(steps: Sequence[Step], names: Collection[str]) -> list[Step]:
    """The steps of these names, and those that they need; all, if there are no names."""
    by_name = {step.name: step for step in steps}
    selected: set[str] = set()

    def visit(name: str) -> None:
        if name in by_name:
            selected.add(name)
            for need in by_name[name].needs:
                visit(need)

    for name in names:
        visit(name)
    return [step for step in steps if step.name in selected or not names]


def _as_asked(step: Step, baseline: Baseline) -> Step | None:
    """The step as the file asks for it: with `state: disabled`, one that turns off what it ensures; or None."""
    if step.section not in baseline:
        return None
    section: Section = baseline[step.section]
    if isinstance(section, Switchable) and section.is_off:
        return step.disable and replace(step, ensure=step.disable, verify=None, fire=None, needs=(), after=())
    return step if step.asked(baseline) else None
