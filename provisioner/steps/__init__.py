"""One module per part of the baseline. A module here is picked up by being here: its step, its YAML section, its proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

from ..aws import Aws
from ..baseline import Baseline, Section
from ..model import Changes, Findings, Scope, Step

STEPS: dict[str, Step] = {}
SECTIONS: dict[str, type[Section]] = {}  # by their key in the YAML file

Ensure = Callable[[Aws, Baseline], Changes]
Verify = Callable[[Aws, Baseline], Findings]


def step(
    name: str,
    section: type[Section],
    scope: Scope,
    needs: tuple[str, ...] = (),
    *,
    key: str = "",
    archive: bool = False,
) -> Callable[[Ensure], Ensure]:
    """Make an ensure function part of the baseline, under *name*.

    *key* is its section's in the file, if that differs. *archive*: it runs in the account that keeps the logs.
    """

    def register(ensure: Ensure) -> Ensure:
        STEPS[name] = Step(name, scope, needs, section, ensure, archive=archive)
        SECTIONS[key or name] = section
        return ensure

    return register


def verify(name: str) -> Callable[[Verify], Verify]:
    """Make a function the proof that what step *name* ensures also works."""

    def register(proof: Verify) -> Verify:
        STEPS[name] = replace(STEPS[name], verify=proof)
        return proof

    return register


for _module in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")


def _ordered() -> dict[str, Step]:
    """The steps in the order of their dependencies, so that a plan reads as it will be carried out."""
    done: dict[str, Step] = {}

    def visit(name: str) -> None:
        for need in STEPS[name].needs:
            visit(need)
        done.setdefault(name, STEPS[name])

    for name in sorted(STEPS):
        visit(name)
    return done


STEPS = _ordered()
