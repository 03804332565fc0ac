"""Tests of the graph: what a step needs runs before it and blocks it; what it runs after does not block it."""

from __future__ import annotations

from provisioner.engine.graph import Node, build, read
from provisioner.model import Failure, Result, Scope, Step, Target

TARGET = Target("123456789012", "us-east-1")


def step(name: str, *, needs: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Step:
    return Step(name, Scope.REGION, needs, object, lambda aws, baseline: iter(()), after=after)  # type: ignore[arg-type, return-value]


def work(node: Node) -> Result:
    failures = [Failure("reading", "no")] if node.step.name == "a" else []
    return Result(node.step.name, node.target, failures=failures)


def test_a_step_runs_after_another_whose_failure_blocks_only_what_needs_it() -> None:
    steps = [step("a"), step("later", after=("a", "absent")), step("needs", needs=("a",))]
    graph = build(steps, lambda each: [TARGET])
    before = {node.step.name: {each.step.name for each in needed} for node, needed in graph.items()}
    assert before == {"a": set(), "later": {"a"}, "needs": {"a"}}
    found = {result.step: result.blocked_by for result in read(graph, work, {}, workers=1)}
    assert found == {"a": None, "later": None, "needs": "a"}
