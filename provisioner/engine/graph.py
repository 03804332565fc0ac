"""The graph of steps and targets, and its traversal: all nodes at once to read, in order to write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from queue import SimpleQueue
from typing import NamedTuple

from ..model import Result, Scope, Step, Target

WORKERS = 48  # steps at the same time: those of one account in every Region


class Node(NamedTuple):
    """One step in one target."""

    step: Step
    target: Target


Graph = Mapping[Node, set[Node]]
Uses = Callable[[Node], frozenset[str]]


def build(steps: Iterable[Step], targets: Callable[[Step], Iterable[Target]]) -> dict[Node, set[Node]]:
    """Every step in each of its *targets*, with the nodes that it needs."""
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
    """The part of a target that nodes of this scope share: nothing, the account, or account and Region."""
    return (target.account, target.region)[:scope]


def walk(
    graph: Graph,
    work: Callable[[Node], Result],
    *,
    ordered: bool,
    unmet: Mapping[str, str] | None = None,
    uses: Uses = lambda node: frozenset(),
    workers: int = WORKERS,
) -> list[Result]:
    """Do *work* on each node and return the results in the order of the graph.

    *ordered*: each node waits for those that it needs, as writes must. Otherwise all run at once, as reads may. Either
    way a node counts as not run if what it needs failed: see Result.unmet; *unmet* is what earlier runs left so, *uses*
    the resources of other steps that a node needs. With one worker, no thread is made to read.
    """
    check = _Check(graph, unmet or {}, uses)
    results = (_in_order if ordered else _at_once)(graph, work, check, workers)
    return [results[node] for node in graph]


@dataclass(frozen=True)
class _Check:
    """Finds whether a node cannot run."""

    graph: Graph
    unmet: Mapping[str, str]
    uses: Uses

    def blocked(self, node: Node, results: Mapping[Node, Result]) -> Result | None:
        """The result of a node that cannot run, naming the step at the root of it; None if it can."""
        unmet = dict(self.unmet)
        for before in sorted(self.graph[node], key=lambda each: (each.step.name, each.target)):
            unmet |= {key: root for key, root in results[before].unmet.items() if key not in unmet}
        if not unmet:
            return None
        uses = self.uses(node)
        for key, root in unmet.items():
            step, _, resource = key.partition("/")
            some = {
                each for each in uses if each.startswith(f"{step}/")
            }  # else it needs all that the step has
            if step in node.step.needs and (not resource or not some or key in some):
                return Result(node.step.name, node.target, blocked_by=root)
        return None


def _at_once(graph: Graph, work: Callable[[Node], Result], check: _Check, workers: int) -> dict[Node, Result]:
    if not graph:
        return {}
    if workers == 1:
        read = {node: work(node) for node in graph}
    else:
        with _threads(min(workers, len(graph))) as pool:
            read = dict(zip(graph, pool.map(work, graph), strict=True))
    results: dict[Node, Result] = {}
    for node in TopologicalSorter(graph).static_order():
        results[node] = check.blocked(node, results) or read[node]
    return results


def _in_order(
    graph: Graph, work: Callable[[Node], Result], check: _Check, workers: int
) -> dict[Node, Result]:
    results: dict[Node, Result] = {}
    running: dict[Future[None], Node] = {}
    finished: SimpleQueue[Future[None]] = SimpleQueue()
    sorter = TopologicalSorter(graph)
    sorter.prepare()

    def run(node: Node) -> None:
        results[node] = check.blocked(node, results) or work(node)

    with _threads(workers) as pool:
        while sorter.is_active():
            for node in sorter.get_ready():
                future = pool.submit(run, node)
                running[future] = node
                future.add_done_callback(finished.put)
            future = finished.get()
            future.result()
            sorter.done(running.pop(future))
    return results


@contextmanager
def _threads(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads for steps. After an interrupt, none of them is waited for."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="step")
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
