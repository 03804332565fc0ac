"""The graph of steps and targets, and its traversal: all nodes at once to read, in order to write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from graphlib import TopologicalSorter
from queue import SimpleQueue
from typing import NamedTuple

from ..aws.threads import ThreadPool
from ..model import Result, Scope, Step, Target

WORKERS = 48  # steps at the same time: those of one account in every Region


class Node(NamedTuple):
    """One step in one target."""

    step: Step
    target: Target


Graph = Mapping[Node, set[Node]]


def build(steps: Iterable[Step], targets: Callable[[Step], Iterable[Target]]) -> dict[Node, set[Node]]:
    """Every step in each of its *targets*, with the nodes that run before it."""
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
                for need in (*node.step.needs, *node.step.after)
                if need in by_name
            )
        )
        for node in nodes
    }


def _within(scope: Scope, target: Target) -> tuple[str, ...]:
    """The part of a target that nodes of this scope share: nothing, the account, or account and Region."""
    return (target.account, target.region)[:scope]


def _failed_needs(
    graph: Graph, node: Node, results: Mapping[Node, Result], earlier: Mapping[str, str]
) -> dict[str, str]:
    """What the needs of a node failed to do, in this run and in earlier ones."""
    failed = dict(earlier)
    for before in sorted(graph[node], key=lambda each: (each.step.name, each.target)):
        failed |= {
            need: cause for need, cause in results[before].failed_needs.items() if not failed.get(need)
        }
    return failed


def _blocked(node: Node, failed: Mapping[str, str]) -> Result | None:
    """The result of a node that cannot run, naming the step that is the cause; None if it can."""
    cause = next((failed[need] for need in node.step.needs if failed.get(need)), None)
    return Result(node.step.name, node.target, blocked_by=cause) if cause else None


def read(
    graph: Graph, work: Callable[[Node], Result], failed_needs: Mapping[str, str], workers: int = WORKERS
) -> list[Result]:
    """Do *work* on all nodes at once, and return the results in the order of the graph.

    A node whose need failed as a whole counts as not run: see Result.failed_needs. *failed_needs* are those of earlier
    runs. With one worker, no thread is made, and the nodes of a Region follow each other, those of the home Region last.
    """
    if not graph:
        return []
    if workers == 1:
        by_region = sorted(graph, key=lambda node: (node.target.home, node.target.region))
        found = {node: work(node) for node in by_region}
    else:
        with _threads(min(workers, len(graph))) as pool:
            found = dict(zip(graph, pool.map(work, graph), strict=True))
    results: dict[Node, Result] = {}
    for node in TopologicalSorter(graph).static_order():
        results[node] = _blocked(node, _failed_needs(graph, node, results, failed_needs)) or found[node]
    return [results[node] for node in graph]


def write(
    graph: Graph,
    work: Callable[[Node, Mapping[str, str]], Result],
    failed_needs: Mapping[str, str],
    workers: int = WORKERS,
) -> list[Result]:
    """Do *work* on each node after those that it needs, given what these failed to do; otherwise as `read`."""
    results: dict[Node, Result] = {}
    running: dict[Future[None], Node] = {}
    finished: SimpleQueue[Future[None]] = SimpleQueue()
    sorter = TopologicalSorter(graph)
    sorter.prepare()

    def run(node: Node) -> None:
        failed = _failed_needs(graph, node, results, failed_needs)
        results[node] = _blocked(node, failed) or work(node, failed)

    with _threads(workers) as pool:
        while sorter.is_active():
            for node in sorter.get_ready():
                future = pool.submit(run, node)
                running[future] = node
                future.add_done_callback(finished.put)
            future = finished.get()
            future.result()
            sorter.done(running.pop(future))
    return [results[node] for node in graph]


@contextmanager
def _threads(workers: int) -> Iterator[ThreadPool]:
    """Threads for steps. After an interrupt, none of them is waited for."""
    pool = ThreadPool(workers, "step")
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
