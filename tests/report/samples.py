"""Sample results, and the text that a console prints of a report."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from provisioner.model import Call, Change, Difference, Result, Target
from provisioner.report.places import View

A, B, C, D, E = (f"{n}00000000{n}" for n in ("11", "22", "33", "44", "55"))
VIEW = View({A: "dev", B: "test", C: "prod", D: "data"})
UNFOLDED = View(VIEW.names, unfold=True)
EAST, WEST = "us-east-1", "eu-west-1"


def change(
    resource: str = "thing", have: Any = None, want: Any = 1, operation: str = "put_x", **more: Any
) -> Change:
    """A change of one field of *resource*."""
    call = Call("s3", operation, {}, name=operation.title().replace("_", ""))
    return Change(resource, (Difference("field", have, want),), call, **more)


def result(account: str, region: str, *changes: Change, step: str = "a_step", **more: Any) -> Result:
    """The result of a step in one account and Region."""
    return Result(step, Target(account, region, home=region == EAST), list(changes), **more)


def rendered(lines: Iterable[Text | str]) -> str:
    """The output of a console without a terminal, without trailing blanks."""
    file = io.StringIO()
    console = Console(file=file, width=200, color_system=None, markup=False, highlight=False, emoji=False)
    for line in lines:
        console.print(line, soft_wrap=True)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())
