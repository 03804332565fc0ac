"""Tests of the README: every shell block is run, in order; every command, section and key is named."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.baseline import BaselineError, parse
from provisioner.baseline.accounts import Accounts
from provisioner.baseline.general import General
from provisioner.cli import main
from provisioner.steps.registry import all_sections

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
ORGANIZATION, *OTHERS = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def with_organization(baseline: str) -> str:
    """The file for one account with the README's organization block, whose keys replace those of the file."""
    keys = "|".join(re.findall(r"^\w+(?=:)", ORGANIZATION, re.MULTILINE))
    return re.sub(rf"^({keys}):.*\n", "", baseline, flags=re.MULTILINE) + ORGANIZATION


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a reader whose account is the sandbox behind HTTP."""
    home = tmp_path_factory.mktemp("reader")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PROVISION_"))}
    env |= {"XDG_STATE_HOME": str(home / "state"), "PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}
    account = {**env, "PROVISION_SANDBOX": str(home / "account" / "state")}
    command = [sys.executable, "-m", "provisioner", "sandbox", "serve", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=account, cwd=ROOT)
    assert server.stderr is not None
    url = next(found.group(0) for line in server.stderr if (found := re.search(r"http://[\d.:]+", line)))
    env |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "reader"}
    # `pip install .` in an environment of the reader installs into a folder of its own, without the network; what builds
    # the package comes from the environment of the tests.
    # The block itself would not add pip, because it finds that one.
    venv.create(home / ".provision", symlinks=True, with_pip=True)
    [site] = (home / ".provision" / "lib").glob("python3*/site-packages")
    (site / "tests.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    env |= {"HOME": str(home)}
    env |= {"PIP_TARGET": str(home / "installed"), "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    env |= {"PIP_NO_COMPILE": "1"}  # nothing runs what is installed there
    # `./scripts/test` only collects tests, and those of one file, because it is what runs this one.
    env |= {"PYTEST_ADDOPTS": "--collect-only -p no:cacheprovider tests/test_layers.py", "WORK": str(home)}
    (home / "organization.yaml").write_text(with_organization((ROOT / "baseline.yaml").read_text()))
    (home / "scripts").mkdir()
    (home / "scripts" / "provision").symlink_to(ROOT / "scripts" / "provision")
    yield env
    server.send_signal(signal.SIGTERM)
    server.wait(20)
    server.stderr.close()


def run_block(block: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a block at a terminal, with `yes` as input."""
    terminal, stdin = pty.openpty()
    try:
        os.write(terminal, b"yes\n")
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            stdin=stdin, capture_output=True, text=True, cwd=cwd, env=env, timeout=500, check=False,
        )  # fmt: skip
    finally:
        os.close(terminal)
        os.close(stdin)


def test_every_block_runs(reader: dict[str, str]) -> None:
    for block in BLOCKS:  # one test, because each block continues from the one before
        in_clone = "./scripts/" in block or "pip install" in block
        in_clone &= "organization.yaml" not in block  # which the reader has written
        done = run_block(block, ROOT if in_clone else Path(reader["WORK"]), reader)
        # A block that ends with `diff` may have changes to show, unless the block applied them.
        may_differ = "diff" in block.splitlines()[-1] and " apply " not in block
        assert done.returncode in ({0, 2} if may_differ else {0}), f"{block}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr


def test_the_commands_that_need_only_python_come_first() -> None:
    assert [block.strip() for block in BLOCKS[:2]] == [
        "./scripts/provision apply baseline.yaml --sandbox --yes",
        "./scripts/test",
    ]


def test_every_command_section_and_key_is_named() -> None:
    for name, command in main.commands.items():
        for each in getattr(command, "commands", None) or {"": None}:
            assert f"`{name} {each}".rstrip() in README, f"{name} {each}"
    for section in all_sections():
        assert f"| `{section}` |" in README
    for key in [*General.model_fields, *Accounts.model_fields]:
        assert re.search(rf"\b{key}\b", README), key


def test_the_notices_and_exceptions_of_the_readme_are_valid() -> None:
    baseline = (ROOT / "baseline.yaml").read_text()
    [block] = [each for each in OTHERS if "exceptions:" in each]
    general = parse(baseline + block, "baseline.yaml", all_sections(), {}).general
    assert (len(general.exceptions), len(general.notices)) == (1, 4)


def test_error_message_of_the_readme() -> None:
    baseline = (ROOT / "baseline.yaml").read_text()
    wrong = baseline.replace("minimum_password_length: 14", "minimum_password_length: x")
    with pytest.raises(BaselineError) as error:
        parse(wrong, "baseline.yaml", all_sections(), {})
    assert f"    {error.value.render().splitlines()[0]}\n" in README
