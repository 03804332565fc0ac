"""Tests of the wheel: its content, its installation, and that all its imports are declared dependencies."""

from __future__ import annotations

import ast
import email
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from .conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from this checkout."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [built] = out.glob("*.whl")
    return built


def test_wheel_contains_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = next(name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
    assert {name.split("/")[0] for name in names} == {"provisioner", info}
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "provisioner").rglob("*.py")}
    assert package | {"provisioner/py.typed"} <= set(names)
    assert f"{info}/licenses/LICENSE" in names
    assert not [name for name in names if "__pycache__" in name or "test" in Path(name).stem]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra", [])) == {"sandbox", "dask", "otel", "dev"}
    assert "provision = provisioner.__main__:main" in entry_points


def test_installed_wheel_runs_outside_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    [site] = (tmp_path / "env" / "lib").glob("python3*/site-packages")
    # The dependencies of the tests, but not the checkout: a .pth file is not followed to other .pth files.
    (site / "dependencies.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")))
    if importlib.util.find_spec("pip"):
        install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps"]
    else:
        install = ["uv", "pip", "install", "--python", str(python), "--offline", "--no-deps"]
    subprocess.run([*install, wheel], check=True, capture_output=True)

    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for command in ([str(tmp_path / "env" / "bin" / "provision")], [str(python), "-m", "provisioner"]):
        done = subprocess.run(
            [*command, "--version"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert version in done.stdout
    where = [str(python), "-c", "import provisioner; print(provisioner.__file__)"]
    out = subprocess.run(where, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
    assert Path(out.strip()).is_relative_to(site)


def imports(path: Path) -> set[str]:
    """The top-level packages that a module imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"provisioner"}


def test_imports_are_declared_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=~ ]", text)[0].lower() for text in requirements}

    core = names(project["dependencies"])
    extra = core | names(project["optional-dependencies"]["sandbox"])
    cluster = core | names(project["optional-dependencies"]["dask"])
    traces = core | names(project["optional-dependencies"]["otel"])
    special = {"dask.py": cluster, "otel.py": traces}
    known = importlib.metadata.packages_distributions()
    for path in (ROOT / "provisioner").rglob("*.py"):
        declared = extra if "sandbox" in path.parts else special.get(path.name, core)
        for name in imports(path):
            brings = {brought.lower().replace("_", "-") for brought in known.get(name, [name])}
            namespace = any(
                each.startswith(f"{name}-") for each in declared
            )  # opentelemetry is shared by its packages
            assert declared & brings or namespace, f"{path}: {name} is not declared"
