"""Helpers of the laws: the full file, the sandbox after it was applied, and its breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, NamedTuple
from zlib import crc32

import boto3

from provisioner.engine.plan import Plan
from provisioner.engine.run import chosen
from provisioner.model import Change, Result, Step
from provisioner.sandbox import WireCall, open_sandbox, store
from provisioner.sandbox.drift import Administrator, Break, every_break
from provisioner.steps.registry import all_sections, all_steps

from ..conftest import ROOT, Bench, one_in, parse_file

FULL = (ROOT / "provisioner" / "profiles" / "full.yaml").read_text()

Found = tuple[str, Administrator, Break]
# AWS makes up another one in each run.
AWS_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REPEATED = one_in(5)  # one in five of the breaks that are like one of another resource or Region


def calls(plan: Plan) -> list[tuple[Any, ...]]:
    """The requests of a plan, without the values of their parameters, because AWS generates some."""
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


def without_token(call: WireCall) -> dict[str, Any]:
    """The parameters without the token that botocore makes up for each request."""
    return {key: value for key, value in call.params.items() if key.lower() != "clienttoken"}


def request_of(call: WireCall) -> tuple[str, str, str, str]:
    """The request, the same each time it is made."""
    text = AWS_ID.sub("ID", repr(sorted(without_token(call).items(), key=repr)))
    return call.service, call.region, call.operation, text


def failures(results: Any) -> list[str]:
    return [f"{r.step}: {r.failure or r.blocked_by}" for r in results if not r.ok]


@cache
def _administrators(account: str, home: str, regions: tuple[str, ...]) -> list[Administrator]:
    """Kept, because their clients take longer to make than what is broken with them."""
    session = boto3.Session()
    return [Administrator(account, each, home=each == home, session=session) for each in regions]


def administrator_of(bench: Bench, text: str = FULL) -> list[Administrator]:
    """A user who breaks things, in each Region of the file."""
    general = bench.baseline(text).general
    regions = tuple(dict.fromkeys([general.home_region, *general.regions]))
    return _administrators(bench.world.account_id, general.home_region, regions)


def section_of(step: str) -> str:
    """The section of the file that has the step."""
    kind = all_steps()[step].section
    return next(key for key, each in all_sections().items() if each is kind)


def steps_of(section: str) -> tuple[str, ...]:
    """The steps of a section. A run of them runs also what they need."""
    return tuple(name for name in all_steps() if section_of(name) == section)


@cache
def steps_of_file() -> list[Step]:
    """The steps of the full file, each with all that it needs there, in the order of their needs."""
    return chosen(all_steps(), parse_file(FULL))


@cache
def related(section: str) -> tuple[str, ...]:
    """The steps of a section, and all that need them: what a change in the section can be of any consequence to.

    The laws run these for each write and break of a section: with the whole file for each, their time would grow with
    the square of the number of services. Laws 1 to 3 and 14 run the whole file.
    """
    found = set(steps_of(section))
    for step in steps_of_file():
        if found & {*step.needs, *step.after}:
            found.add(step.name)
    return tuple(step.name for step in steps_of_file() if step.name in found)


class FirstApply(NamedTuple):
    """The states of a sandbox before and after a first `apply`, the writes of it, and the step that made each.

    *empty* has nothing, or only what was needed.
    """

    empty: bytes
    applied: bytes
    writes: list[WireCall]
    steps: list[str]

    def of_section(self, section: str) -> list[int]:
        """The places of the writes that the steps of a section made."""
        return [place for place, step in enumerate(self.steps) if section_of(step) == section]


@cache
def first_apply(text: str = FULL, only: tuple[str, ...] = (), needed: tuple[str, ...] = ()) -> FirstApply:
    """Apply the file, or *only* these steps and what they need, to an empty sandbox. Call it while no sandbox is open.

    The steps that are *needed* were applied before.
    """
    with open_sandbox(None) as world:
        bench, steps = Bench(world), list[str]()
        bench.one_process = True
        if needed:
            bench.apply(text, only=needed)
            world.calls.clear()
        empty = store.capture(world.memory)
        run = bench.run(text, only=only)
        run.single_threaded = True  # so that one write is made after the other

        def note(result: Result, change: Change) -> None:
            steps.extend([result.step] * (len(world.writes) - len(steps)))

        run.on_change = note
        bench.send(run, run.rehearse())
        bench.close()
        assert len(steps) == len(world.writes)
        return FirstApply(empty, store.capture(world.memory), world.writes, steps)


def first_apply_of(section: str, only: tuple[str, ...]) -> FirstApply:
    """The first `apply` of a section, with *only* these steps, after what it needs of other sections was applied."""
    own = {*steps_of(section)}
    closed = chosen(all_steps(), parse_file(FULL), own)
    ahead = [step for step in closed if step.name not in own]
    behind = set[str]()  # steps of other sections that need one of this section themselves
    for step in closed:
        if {*step.needs} & (own | behind):
            behind.add(step.name)
    return first_apply(FULL, only, tuple(step.name for step in ahead if step.name not in behind))


def applied(text: str = FULL) -> bytes:
    """The state of a sandbox to which the file was applied. Call it while no sandbox is open."""
    return first_apply(text).applied


class Named(NamedTuple):
    """The name of a break, which can be found again in another sandbox."""

    step: str
    region: str
    sentence: str
    paths: str
    resource: str

    @property
    def related(self) -> tuple[str, ...]:
        """The steps of the section; of one break in three, by its name, also those that need them."""
        section = section_of(self.step)
        return related(section) if crc32(self.sentence.encode()) % one_in(3) == 0 else steps_of(section)


@cache
def named_breaks(text: str = FULL, *, stricter: bool = False) -> list[Named]:
    """The names of all breaks of the file, or of the *stricter* ones. Call it while no sandbox is open."""
    state = applied(text)
    with open_sandbox(None) as world:
        bench = Bench(world)
        bench.at(state)
        every = [
            each for each in every_break(administrator_of(bench, text)) if each[2].stricter or not stricter
        ]
        named = [
            Named(step, admin.region, each.sentence, each.paths, each.resource)
            for step, admin, each in not_repeated(every)
        ]
        return named if stricter else sampled(named)


def sampled(named: list[Named]) -> list[Named]:
    """One break in five, chosen by its name, and the first of each step."""
    first = {each.step: each for each in reversed(named)}
    return [x for x in named if x is first[x.step] or (crc32(x.sentence.encode()) + 2) % one_in(5) == 0]


def not_repeated(every: list[Found]) -> list[Found]:
    """The breaks without most of those that are like one of another resource or Region: a sample of these stays."""
    found, seen, alike = [], set[tuple[str, ...]](), 0
    for step, admin, one in every:
        names = {*one.resource.split(), admin.region}
        kind = " ".join(word for word in one.sentence.split() if word not in names)
        key = (step, kind, one.field, one.paths)
        alike += key in seen
        if key not in seen or alike % REPEATED == 0:
            found.append((step, admin, one))
        seen.add(key)
    return found


def find_break(bench: Bench, named: Named) -> Found:
    [found] = islice(possible(bench, named), 1)
    return found


def possible(bench: Bench, named: Named) -> Iterator[Found]:
    """The break of this name, if it can be done in the present state, where another may have been done before it."""
    admin = [each for each in administrator_of(bench) if each.region == named.region]
    return (each for each in every_break(admin, named.step) if each[2].sentence == named.sentence)
