"""Imports run one way, and only where the design lets them: cli → run → engine, report → steps → aws, baseline → model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "provisioner"

# Rooms from the lowest to the highest; one imports only its own level and those below it.
LEVELS = [
    {"__init__", "model", "spelling"},
    {"diff", "stricter", "problem", "proof"},
    {"policy", "lifecycle", "yaml_tree", "yaml_words"},
    {"yaml_merge"},
    {"policy_check", "delivery", "yaml_source", "wanted", "fill", "section", "aws"},
    {"general"},
    {"overriding", "checking", "schema", "baseline", "organization", "selectors", "recording", "trails"},
    {"usable", "members"},
    {"steps", "plan"},
    {"engine", "report", "permissions"},
    {"run"},
    {"fleet"},
    {"spread"},
    {"remote"},
    {"elsewhere", "aws_lambda"},
    {"cli", "__main__"},
]
AWS_LIBRARIES = {"boto3", "botocore", "urllib3"}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def files() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if room(path) != "sandbox"]


def imported(path: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, `TYPE_CHECKING` ones left out."""
    tree = ast.parse(path.read_text())
    quiet = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for each in ast.walk(node)
    }
    here = ["provisioner", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(tree):
        if id(node) in quiet:
            continue
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{name}.{each.name}" for each in node.names) if name == "provisioner" else [name]


def level(name: str) -> int:
    return next(place for place, rooms in enumerate(LEVELS) if name in rooms)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "provisioner" and len(parts) > 1 and parts[1] not in {"sandbox", "__version__"}:
            assert level(parts[1]) <= level(room(path)), f"{room(path)} must not know {parts[1]}"
        if parts[:2] == ["provisioner", "sandbox"]:
            assert room(path) == "cli", f"{room(path)} must not know the sandbox"
        if parts[0] in AWS_LIBRARIES:
            assert room(path) == "aws", f"{room(path)} must not know {parts[0]}"
        assert parts[0] not in {"moto", "flask", "werkzeug"}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_literal_partition_and_no_print(path: Path) -> None:
    text = path.read_text()
    assert "arn:aws:" not in text
    if room(path) not in {"cli", "report"}:
        names = {
            n.func.id
            for n in ast.walk(ast.parse(text))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        assert "print" not in names


def test_every_room_has_a_level() -> None:
    assert {room(path) for path in files()} - set().union(*LEVELS) == set()
