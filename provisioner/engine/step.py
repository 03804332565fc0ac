"""Run the steps, in order, in every target. diff, apply and verify all come through here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from graphlib import TopologicalSorter
from queue import SimpleQueue
from typing import Any, NamedTuple

from ..aws import Aws, Interrupted, OutcomeUnknown, describe
from ..baseline import Baseline
from ..model import Call, Change, Exists, Note, Result, Scope, Step, Target

WORKERS = 48  # steps at the same time: those of one account in every Region
RESTARTS = 6  # of one step, after writes whose outcome nobody knew


class Node(NamedTuple):
    """One step in one target."""

    step: Step
    target: Target


Graph = Mapping[Node, set[Node]]


class _Progress:
    """What a step has done so far, across restarts."""

    def __init__(
        self,
        result: Result,
        allowed: Collection[str] | None,
        on_change: Callable[[Result, Change], None] | None,
    ):
        self.result = result
        self.on_change = on_change
        self.repeated = False  # a change in doubt was asked for again
        self.allowed = allowed  # None where nothing is held back
        self.doing = "reading"
        self.under_way: Change | None = None
        self.unsure: Change | None = None  # sent, and nobody knows what became of it

    def made(self, change: Change, answer: Any) -> None:
        self.result.changes.append(change)
        meta = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
        self.result.request_ids.append(str(meta.get("RequestId", "")))
        if self.on_change is not None:
            self.on_change(self.result, change)

    def doubt(self, again: OutcomeUnknown) -> None:
        """Nobody knows whether the change under way was made; unless others are known to have made it."""
        self.unsure = None if again.by_others and not self.repeated else self.under_way

    def holds_back(self, change: Change) -> bool:
        """The change loosens or replaces something, and nobody has allowed it."""
        return self.allowed is not None and change.consent is not None and change.consent not in self.allowed

    def settle(self, change: Change | None) -> None:
        """A change in doubt that is not asked for again had taken effect."""
        doubtful, self.unsure = self.unsure, None
        self.repeated = False
        if doubtful is None:
            return
        self.repeated = change is not None and _alike(change, doubtful)
        if not self.repeated:
            self.made(doubtful, None)


def run_step(
    step: Step,
    aws: Aws,
    baseline: Baseline,
    *,
    apply: bool,
    planned: Result | None = None,
    allowed: Collection[str] = (),
    on_change: Callable[[Result, Change], None] | None = None,
) -> Result:
    """Find what *step* would change; if *apply*, change it. Nothing else knows which.

    With *planned*, nothing is sent that is not in it, and nothing that needs a consent which *allowed* does not name. A write whose outcome is unknown starts the step again from fresh
    reads, so that it is repeated only where AWS shows that it is missing.
    """
    perform = aws.send if apply else aws.rehearse
    result = Result(step.name, aws.target)
    progress = _Progress(result, allowed if planned is not None else None, on_change)
    for attempt in range(RESTARTS):
        try:
            _drive(step, aws, baseline, perform, progress, planned)
            return result
        except OutcomeUnknown as again:
            progress.doubt(again)
            if attempt + 1 == RESTARTS:
                result.failure = describe(progress.doing, again)
                return result
            aws.pause(0.5 * 2.0**attempt)
            aws.forget()
        except Interrupted as error:
            result.failure = describe("interrupted", error)
            return result
        except Exception as error:
            result.failure = describe(progress.doing, error)
            return result
    return result


def prove(step: Step, aws: Aws, baseline: Baseline, result: Result) -> Result:
    """Add to *result* what the step's proof finds. A proof that cannot be made is a failure, and hides no other."""
    if step.verify is not None:
        try:
            result.findings.extend(step.verify(aws, baseline))
        except Exception as error:
            result.failure = result.failure or describe("verifying", error)
    return result


def _drive(
    step: Step,
    aws: Aws,
    baseline: Baseline,
    perform: Callable[[Call], Any],
    progress: _Progress,
    planned: Result | None,
) -> None:
    """Take the step's generator to its end, once."""
    result = progress.result
    result.notes.clear()
    result.seen.clear()
    result.withheld.clear()
    changes = step.ensure(aws, baseline)
    answer: Any = None
    while True:
        progress.doing = "reading"
        try:
            said = changes.send(answer)
        except StopIteration:
            progress.settle(None)
            return
        if isinstance(said, Note | Exists):
            if isinstance(said, Note):
                result.notes.append(said)
            else:
                result.seen.append(said.resource)
            answer = None
            continue
        said = replace(said, call=replace(said.call, name=aws.operation_name(said.call)))
        progress.settle(said)
        if planned is not None and not any(_within_plan(said, each) for each in planned.changes):
            raise RuntimeError(
                f"AWS has changed since the plan was made: {said.resource} now needs {said.call.operation}; run again"
            )
        if progress.holds_back(said):
            result.withheld.append(said)
            answer = aws.rehearse(said.call)
            continue
        progress.doing, progress.under_way = said.resource, said
        answer = perform(said.call)
        progress.made(said, answer)


def _alike(a: Change, b: Change) -> bool:
    """The same request about the same thing, whatever the values that AWS has made since."""
    one, other = ((c.resource, c.call.service, c.call.operation, c.consent) for c in (a, b))
    return one == other


def _within_plan(change: Change, shown: Change) -> bool:
    """The change is one that was shown, or a part of it."""
    return _alike(change, shown) and {d.field for d in change.differences} <= {
        d.field for d in shown.differences
    }


def plan(steps: Iterable[Step], targets: Callable[[Step], Iterable[Target]]) -> dict[Node, set[Node]]:
    """Every step in every one of its *targets*, each with the nodes it has to wait for."""
    by_name = {step.name: step for step in steps}
    nodes = [Node(step, target) for step in by_name.values() for target in targets(step)]
    index: dict[tuple[str, ...], set[Node]] = defaultdict(set)
    for node in nodes:
        for scope in Scope:
            index[node.step.name, *_within(scope, node.target)].add(node)
    return {
        node: set().union(
            *(
                index[need, *_within(min(node.step.scope, by_name[need].scope), node.target)]
                for need in node.step.needs
                if need in by_name
            )
        )
        for node in nodes
    }


def _within(scope: Scope, target: Target) -> tuple[str, ...]:
    """The part of a target that two steps share: all, the account, or account and Region."""
    return (target.account, target.region)[:scope]


def walk(
    graph: Graph,
    work: Callable[[Node], Result],
    *,
    ordered: bool,
    lost: Mapping[str, str] | None = None,
    workers: int = WORKERS,
) -> list[Result]:
    """Do *work* on each node and return the results in the order of the graph.

    *ordered*: each node waits for those before it, as writes must. Otherwise all run at once, as reads may. Either way a
    node after a failed one counts as not run; so does one after a step of *lost*, which has failed elsewhere for the
    reason that it is mapped to. With one worker, no thread is made to read.
    """
    results = (_in_order if ordered else _at_once)(graph, work, lost or {}, workers)
    return [results[node] for node in graph]


def _at_once(
    graph: Graph, work: Callable[[Node], Result], lost: Mapping[str, str], workers: int
) -> dict[Node, Result]:
    if not graph:
        return {}
    if workers == 1:
        read = {node: work(node) for node in graph}
    else:
        with _threads(min(workers, len(graph))) as pool:
            read = dict(zip(graph, pool.map(work, graph), strict=True))
    results: dict[Node, Result] = {}
    for node in TopologicalSorter(graph).static_order():
        results[node] = _blocked(graph, results, lost, node) or read[node]
    return results


def _in_order(
    graph: Graph, work: Callable[[Node], Result], lost: Mapping[str, str], workers: int
) -> dict[Node, Result]:
    results: dict[Node, Result] = {}
    running: dict[Future[Result], Node] = {}
    finished: SimpleQueue[Future[Result]] = SimpleQueue()
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    with _threads(workers) as pool:
        while sorter.is_active():
            for node in sorter.get_ready():
                blocked = _blocked(graph, results, lost, node)
                future = pool.submit(_given, blocked) if blocked else pool.submit(work, node)
                running[future] = node
                future.add_done_callback(finished.put)
            future = finished.get()
            node = running.pop(future)
            results[node] = future.result()
            sorter.done(node)
    return results


@contextmanager
def _threads(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads for steps. Who is interrupted waits for none of them."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="step")
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _blocked(
    graph: Graph, results: Mapping[Node, Result], lost: Mapping[str, str], node: Node
) -> Result | None:
    """The result of a node that cannot run, naming the step at the root of it; None if it can."""
    for need in node.step.needs:
        if need in lost:
            return Result(node.step.name, node.target, blocked_by=lost[need])
    for before in sorted(graph[node], key=lambda n: (n.step.name, n.target)):
        if not results[before].ok:
            root = results[before].blocked_by or before.step.name
            return Result(node.step.name, node.target, blocked_by=root)
    return None


def _given(result: Result) -> Result:
    return result
