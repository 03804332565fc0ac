"""The graph of steps and targets, and the two ways to walk it: all at once to read, in order to write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
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


def build(steps: Iterable[Step], targets: Callable[[Step], Iterable[Target]]) -> dict[Node, set[Node]]:
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
