"""The laws every step obeys (DESIGN.md §6). A new step is checked by being in the registry and in the file below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisioner.aws import Aws, Memory
from provisioner.baseline import Section
from provisioner.engine import step as engine
from provisioner.engine.plan import Plan
from provisioner.engine.run import Run
from provisioner.model import PENDING, Call, Changes, Difference, Scope, Step, Target, create, update
from provisioner.sandbox import Fault, WireCall
from provisioner.steps.registry import all_steps

from ..conftest import EXAMPLE, Bench

# Every step, in two Regions, with the parts that the example leaves out.
FULL = EXAMPLE.replace("regions: [us-east-1]", "regions: [us-east-1, eu-west-1]")
WRITES = 21  # of a first apply of the example


class Gone(ConnectionError):
    """The process is no more, as far as AWS can tell."""


def calls(plan: Plan) -> list[tuple[Any, ...]]:
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


def test_the_file_has_every_step(bench: Bench) -> None:
    assert {node.step.name for node in bench.run(FULL).graph} == set(all_steps())


def test_diff_shows_what_apply_does(bench: Bench) -> None:
    planned = bench.diff(FULL)
    assert planned.failed == []
    assert calls(planned) != []
    assert calls(bench.apply(FULL)) == calls(planned)


def test_apply_twice_changes_nothing(bench: Bench) -> None:
    bench.apply(FULL)
    before = len(bench.world.writes)
    assert calls(bench.apply(FULL)) == []
    assert calls(bench.diff(FULL)) == []
    assert bench.world.writes[before:] == []


@pytest.mark.parametrize("name", all_steps())
def test_a_step_alone_converges_with_what_it_needs(bench: Bench, name: str) -> None:
    assert calls(bench.apply(FULL, only=(name,))) != []
    assert calls(bench.diff(FULL, only=(name,))) == []


@pytest.mark.parametrize("applied", [False, True], ids=["empty", "applied"])
def test_diff_and_verify_write_nothing(bench: Bench, applied: bool) -> None:
    if applied:
        bench.apply(FULL)
    before = len(bench.world.writes)
    assert bench.diff(FULL).failed == []
    results = bench.run(FULL).verify()
    assert [r.failure for r in results if not r.ok] == []
    assert bench.world.writes[before:] == []


@pytest.mark.parametrize("applied", [False, True], ids=["empty", "applied"])
def test_nothing_is_read_twice(bench: Bench, applied: bool) -> None:
    if applied:
        bench.apply(FULL)
    before = len(bench.world.calls)
    run = bench.run(FULL)
    run.rehearse()
    run.verify()
    asked = [(c.service, c.region, c.operation, repr(c.params)) for c in bench.world.calls[before:]]
    assert [each for each in set(asked) if asked.count(each) > 1] == []


def step_of(ensure: Callable[..., Changes], name: str = "bad", needs: tuple[str, ...] = ()) -> Step:
    return Step(name, Scope.ONCE, needs, Section, ensure)


def alone(bench: Bench, ensure: Callable[..., Changes], *, apply: bool) -> Any:
    run = bench.run()
    aws = Aws(Target(run.identity.account, "us-east-1"), run.cloud, Memory())
    return engine.run_step(step_of(ensure), aws, run.baseline, apply=apply)


@pytest.mark.parametrize("apply", [False, True])
def test_a_step_cannot_write_behind_the_engine(bench: Bench, apply: bool) -> None:
    def ensure(aws: Aws, baseline: Any) -> Changes:
        aws.read("s3").create_bucket(Bucket="sneaky").all()
        yield from ()

    assert "outside a Change" in alone(bench, ensure, apply=apply).failure.message
    assert bench.world.writes == []


@pytest.mark.parametrize("apply", [False, True])
def test_a_pending_value_cannot_reach_aws_even_inside_other_text(bench: Bench, apply: bool) -> None:
    def ensure(aws: Aws, baseline: Any) -> Changes:
        aws.read("s3").get_bucket_versioning(Bucket=f"logs-{PENDING}", ExpectedBucketOwner=aws.account).all()
        yield from ()

    assert "only known after apply" in alone(bench, ensure, apply=apply).failure.message


def test_a_bucket_call_must_name_the_owner(bench: Bench) -> None:
    def ensure(aws: Aws, baseline: Any) -> Changes:
        aws.read("s3").get_bucket_versioning(Bucket="logs").all()
        yield from ()

    assert "ExpectedBucketOwner" in alone(bench, ensure, apply=False).failure.message


@pytest.mark.parametrize(
    ("operation", "params", "says"),
    [
        ("put_bucket_versioning", {"Bukket": "b"}, "Bukket"),
        ("put_bucket_versioning", {"Bucket": "b", "VersioningConfiguration": {"Status": "On"}}, "Status"),
        (
            "put_bucket_versioning",
            {"Bucket": "b", "VersioningConfiguration": {"Status": "Enable"}},
            "did you mean `Enabled`",
        ),
        ("put_bucket_versioning", {"Bucket": "b", "VersioningConfiguration": 7}, "VersioningConfiguration"),
    ],
)
def test_a_call_that_aws_would_refuse_is_refused_by_diff(
    bench: Bench, operation: str, params: Any, says: str
) -> None:
    def ensure(aws: Aws, baseline: Any) -> Changes:
        yield update("bucket b", (Difference("x", 1, 2),), Call("s3", operation, params))

    assert says in alone(bench, ensure, apply=False).failure.message


def test_what_was_not_planned_is_not_sent(bench: Bench) -> None:
    run = bench.run(only=("password_policy",))
    plan = run.rehearse()
    bench.client("iam").update_account_password_policy(MinimumPasswordLength=14)
    run.refresh()
    sent = run.send(plan)
    assert [r.failure for r in sent] == [None], "the same request is still what is needed"

    run = bench.run(only=("cloudtrail",))
    plan = run.rehearse()
    bench.apply(only=("cloudtrail",))
    bench.client("cloudtrail").stop_logging(Name="organization-trail")
    bench.client("cloudtrail").update_trail(Name="organization-trail", EnableLogFileValidation=False)
    run.refresh()
    failed = [r for r in run.send(plan) if r.failure]
    assert [r.step for r in failed] == ["cloudtrail"]
    assert "run again" in failed[0].failure.message  # type: ignore[union-attr]


def test_a_failed_step_blocks_its_dependents_only(bench: Bench) -> None:
    def boom(aws: Aws, baseline: Any) -> Changes:
        raise ValueError("no")
        yield

    run = bench.run()
    graph = {node._replace(step=_with(node.step, boom)): before for node, before in run.graph.items()}
    graph = {
        node: {next(n for n in graph if n.step.name == b.step.name) for b in before}
        for node, before in graph.items()
    }
    run.graph = graph
    by = {r.step: r for r in run.rehearse().results}
    assert by["log_buckets"].failure is not None
    assert by["log_buckets"].failure.message == "no"
    assert {name: r.blocked_by for name, r in by.items() if r.blocked_by} == {
        "cloudtrail": "log_buckets",
        "config_recorder": "log_buckets",
        "config_rules": "log_buckets",
    }
    assert by["password_policy"].ok
    assert by["config_role"].ok


def _with(step: Step, ensure: Callable[..., Changes]) -> Step:
    if step.name != "log_buckets":
        return step
    return Step(step.name, step.scope, step.needs, step.section, ensure, step.verify)


def reads_of(bench: Bench) -> list[WireCall]:
    before = len(bench.world.calls)
    bench.diff()
    found = {(c.service, c.operation): c for c in bench.world.calls[before:] if c.service != "sts"}
    return list(found.values())


@pytest.mark.parametrize("applied", [False, True], ids=["empty", "applied"])
def test_a_read_that_is_denied_is_never_an_absence(bench: Bench, applied: bool) -> None:
    if applied:
        bench.apply()
    expected = calls(bench.diff())
    denied: list[WireCall] = []

    def deny(call: WireCall, phase: str) -> Fault | None:
        if denied and (call.service, call.operation) == (denied[-1].service, denied[-1].operation):
            return Fault("AccessDenied", 403, "no")
        return None

    reads = reads_of(bench)
    assert len(reads) > 10
    bench.world.interrupt(deny)
    for read in reads:
        denied.append(read)
        plan = bench.diff()
        assert plan.failed or not applied, f"{read.operation} was denied, and nothing failed"
        assert all(each in expected for each in calls(plan)), (
            f"{read.operation} was denied, and became a change"
        )


class Saboteur:
    """Does something to the n-th write."""

    def __init__(self, place: int, act: Callable[[str], Fault | None], phase: str):
        self.place, self.act, self.phase = place, act, phase
        self.seen = 0
        self.fired = False
        self.dead = False

    def __call__(self, call: WireCall, phase: str) -> Fault | None:
        if self.dead:
            raise Gone("connection refused")
        if not call.writes or phase != self.phase:
            return None
        self.seen += 1
        if self.seen != self.place or self.fired:
            return None
        self.fired = True
        return self.act(phase)


def test_the_number_of_writes_of_a_first_apply(bench: Bench) -> None:
    bench.apply()
    assert len(bench.world.writes) == WRITES, (
        "the laws below fail each write once: tell them how many there are"
    )


def throttle(phase: str) -> Fault:
    return Fault("ThrottlingException", 400, "Rate exceeded")


def outage(phase: str) -> Fault:
    return Fault("InternalFailure", 500, "We encountered an internal error")


def reset(phase: str) -> Fault | None:
    raise ConnectionResetError("connection reset by peer")


FAULTS = {
    "throttled": (throttle, "before"),
    "5xx": (outage, "before"),
    "5xx-after": (outage, "after"),
    "reset": (reset, "before"),
    "reset-after": (reset, "after"),
}
# Each write alone in two ways that take turns; each write in every way in the test below.
ALONE = [
    (place, [*FAULTS][(place + turn) % len(FAULTS)]) for place in range(1, WRITES + 1) for turn in (0, 2)
]


@pytest.mark.parametrize(("place", "fault"), ALONE)
def test_a_write_that_fails_once_converges_in_the_same_run(bench: Bench, place: int, fault: str) -> None:
    saboteur = Saboteur(place, *FAULTS[fault])
    bench.world.interrupt(saboteur)
    bench.apply()
    assert saboteur.fired
    assert calls(bench.diff()) == []


@pytest.mark.parametrize(
    "turn", range(3)
)  # a step that fails more than six times gives up, and one has twelve writes
@pytest.mark.parametrize("fault", FAULTS)
def test_every_third_write_fails_once_and_all_converge_in_the_same_run(
    bench: Bench, fault: str, turn: int
) -> None:
    act, phase = FAULTS[fault]
    seen: list[str] = []

    def fail_once(call: WireCall, now: str) -> Fault | None:
        request = f"{call.service} {call.operation} {sorted(call.params.items())!r}"
        if not call.writes or now != phase or request in seen:
            return None
        seen.append(request)
        return act(now) if len(seen) % 3 == turn else None

    bench.world.interrupt(fail_once)
    bench.apply()
    # A bucket that is found after its create was lost has AWS's defaults, which need no write.
    assert WRITES - 2 <= len(seen) <= WRITES
    assert calls(bench.diff()) == []


@pytest.mark.parametrize("place", range(1, WRITES + 1))
def test_killed_after_any_write_the_next_apply_converges(bench: Bench, place: int) -> None:
    saboteur = Saboteur(place, lambda phase: None, "after")

    def die(phase: str) -> Fault | None:
        saboteur.dead = True
        return None

    saboteur.act = die
    bench.world.interrupt(saboteur)
    run: Run = bench.run()
    run.send(run.rehearse())
    assert saboteur.fired
    saboteur.dead = False
    bench.apply()
    assert calls(bench.diff()) == []


def test_create_is_for_what_is_not_there() -> None:
    change = create("trail t", {"Name": "t"}, Call("cloudtrail", "create_trail", {}))
    assert change.action == "create"
    assert change.differences == (Difference("Name", None, "t"),)


def test_every_step_says_what_is_there(bench: Bench) -> None:
    assert [r.seen for r in bench.diff().results if r.seen] == []
    bench.apply()
    seen = {r.step: r.seen for r in bench.diff().results}
    assert {step for step, names in seen.items() if not names} == {"trusted_access"}
    assert sum(map(len, seen.values())) == 10
