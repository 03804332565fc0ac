"""Law 14: however much is broken at once, one unattended `apply` repairs it without any flag.

The sets are all breaks of a section, and random ones of the whole file. A limit holds only in the run that asks for it.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli import run as command
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.drift import carry_out, every_break
from provisioner.steps.registry import all_sections

from ..conftest import Bench
from .full import FULL, Found, administrator_of, related, section_of

SEEDS = 1

Broken = Callable[[Callable[[Sequence[Found]], Sequence[Found]]], Sequence[str]]


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the full file, and a sandbox to which it was applied."""
    folder = tmp_path_factory.mktemp("repaired")
    (folder / "full.yaml").write_text(FULL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROVISION_SANDBOX", str(folder / "sandbox"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        assert command(["apply", str(folder / "full.yaml"), "--sandbox", "--yes", "--quiet"]) == 0
    return folder


@pytest.fixture
def broken(home: Path, repaired: Path, monkeypatch: pytest.MonkeyPatch) -> Broken:
    """Carries out the breaks that a function chooses, in a copy of that sandbox; returns those that AWS let through."""
    shutil.copytree(repaired, home, dirs_exist_ok=True)
    monkeypatch.setenv("PROVISION_SANDBOX", str(home / "sandbox"))

    def choose(chosen: Callable[[Sequence[Found]], Sequence[Found]]) -> Sequence[str]:
        with open_sandbox(home / "sandbox") as world:
            every = [each for each in every_break(administrator_of(Bench(world))) if each[2].repaired]
            return [one.sentence for *_, one in chosen(every) if carry_out(one)]

    return choose


def check(home: Path, capfd: Any, *target: str) -> None:
    """An `apply` repairs everything, in the whole file or in the steps of *target*."""
    steps = [f"--target={','.join(target)}"] if target else []
    arguments = [str(home / "full.yaml"), "--sandbox", "--quiet", *steps]
    if not target:
        assert command(["apply", *arguments, "--yes", "--max-changes", "0"]) == 1
        assert command(["diff", *arguments]) == 2, "above a limit, nothing is changed"
    capfd.readouterr()
    code = command(["apply", *arguments, "--yes"])
    assert (code, capfd.readouterr().err) == (0, "")
    assert command(["diff", *arguments]) == 0


@pytest.mark.parametrize("section", all_sections())
def test_all_breaks_of_a_section(home: Path, broken: Broken, capfd: Any, section: str) -> None:
    assert broken(lambda every: [each for each in every if section_of(each[0]) == section])
    check(home, capfd, *related(section))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_breaks_of_the_whole_file(home: Path, broken: Broken, capfd: Any, seed: int) -> None:
    chance = random.Random(seed)
    assert broken(lambda every: chance.sample(every, chance.randrange(2, len(every) + 1)))
    check(home, capfd)
