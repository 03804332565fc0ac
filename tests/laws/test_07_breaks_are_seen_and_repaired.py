"""Law 7: `diff` shows each break alone, and `apply` repairs it; a break to the stricter side is noted and kept.

All breaks at once are repaired in one unattended run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli import run as command
from provisioner.engine.plan import Plan
from provisioner.model import Kind
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.drift import BREAKS, Break, carry_out, every_break
from provisioner.steps.registry import all_sections, all_steps

from ..conftest import Bench
from .full import (
    FULL,
    Found,
    administrator_of,
    applied,
    calls,
    failures,
    find_break,
    named_breaks,
    section_of,
    steps_of,
    steps_of_file,
)

SHARDS = 24


def test_every_step_has_breaks() -> None:
    named = named_breaks()  # imports the sandboxes of the services, which register their breaks
    assert {each.step for each in BREAKS} == set(all_steps())
    assert len(set(named)) == len(named)


def problems(plan: Plan, step: str, region: str, one: Break) -> Iterator[str]:
    """What is wrong with what `diff` shows for a break."""
    found = [(r.step, r.target.region, c.resource, d.field) for r, c in plan.changes for d in c.differences]
    if one.stricter:
        notes = {(r.step, note.resource) for r, note in plan.notes(Kind.STRICTER)}
        if found:
            yield f"stricter, and shown as {found}"
        if (step, one.resource) not in notes:
            yield f"stricter, and not noted: {notes}"
        return
    if not found:
        yield "not shown"
    if one.consent and {c.consent for _, c in plan.changes} != {one.consent}:
        yield f"shown without its consent, {one.consent}"
    # What is gone takes along what steps that need it have set on it.
    gone = {each.name for each in steps_of_file() if step in each.needs and not one.field}
    for name, where, resource, field in found:
        if name in gone:
            continue
        if (
            (name, where) != (step, region)
            or one.resource not in {"", resource}
            or not field.startswith(one.field)
        ):
            yield f"shows {name} {where} {resource} {field}"


@pytest.mark.parametrize("shard", range(SHARDS))
def test_each_break_is_shown_and_repaired(shard: int, request: pytest.FixtureRequest) -> None:
    state, named, wrong = applied(), named_breaks()[shard::SHARDS], []
    bench: Bench = request.getfixturevalue("bench")
    for each in named:
        bench.at(state)
        _, _, one = find_break(bench, each)
        assert carry_out(one), f"AWS refused: {each}"
        run = bench.run(FULL, only=each.related)
        plan = run.rehearse()
        assert failures(plan.results) == []
        wrong += [f"{each}: {what}" for what in problems(plan, each.step, each.region, one)]
        bench.world.calls.clear()
        bench.send(run, plan)  # which reads back until AWS shows what the file asks for
        if not one.repaired:
            wrong += [f"{each}: {call.operation} was called" for call in bench.world.writes]
    assert wrong == []


def test_all_breaks_at_once_are_repaired_in_one_unattended_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    file, sandbox = home / "full.yaml", home / "sandbox"
    file.write_text(FULL)
    monkeypatch.setenv("PROVISION_SANDBOX", str(sandbox))
    apply = ["apply", str(file), "--sandbox", "--yes", "--quiet"]
    assert command(apply) == 0
    with open_sandbox(sandbox) as world:
        bench = Bench(world)
        weaker = [one for *_, one in every_break(administrator_of(bench)) if one.field and one.repaired]
        broken = sum(map(carry_out, weaker))
    assert broken > len(all_sections())
    capfd.readouterr()
    code = command(apply)
    assert (code, capfd.readouterr().err) == (0, "")
    assert command(["diff", str(file), "--sandbox", "--quiet"]) == 0


def test_what_needs_consent_is_told_by_every_command_and_removed_with_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    file, sandbox = home / "full.yaml", home / "sandbox"
    file.write_text(FULL)
    monkeypatch.setenv("PROVISION_SANDBOX", str(sandbox))
    flags = [str(file), "--sandbox", "--quiet"]
    assert command(["apply", *flags, "--yes"]) == 0
    with open_sandbox(sandbox) as world:
        found = {one.consent: step for step, _, one in every_break(administrator_of(Bench(world)))}
    assert found.pop("")
    assert found
    for consent, step in found.items():
        with open_sandbox(sandbox) as world:
            every = every_break(administrator_of(Bench(world)), step)
            one = next(one for *_, one in every if one.consent == consent)
            assert carry_out(one), one.sentence
        both = [*flags, *(f"--target={each}" for each in steps_of(section_of(step)))]
        for arguments, expected in ((["diff"], 2), (["apply", "--yes"], 3), (["verify"], 2)):
            capfd.readouterr()
            code = command([arguments[0], *both, *arguments[1:]])
            told = "".join(capfd.readouterr())
            assert (code, one.field.split()[-1] in told) == (expected, True), f"{arguments}: {told}"
        assert command(["apply", *both, "--yes", "--allow", consent]) == 0
        assert command(["diff", *both]) == 0


def test_listing_the_breaks_breaks_nothing(bench: Bench) -> None:
    bench.apply(FULL)
    found: list[Found] = [*every_break(administrator_of(bench))]
    assert [f"{step} {one.sentence}" for step, _, one in found if not one.sentence] == []
    assert calls(bench.diff(FULL)) == []
