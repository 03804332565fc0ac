"""Tests of `scripts/provision`: the set-up of the environment, its failures, and concurrent set-ups."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import venv
from pathlib import Path

import pytest

from .conftest import SHELL_SCRIPTS, Checkout


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_script_is_executable_and_parses(script: Path) -> None:
    assert os.access(script, os.X_OK)
    shell = "bash" if "bash" in script.read_text().splitlines()[0] else "sh"
    for name in {shell, "bash", *(["dash"] if shell == "sh" else [])}:
        if shutil.which(name):
            subprocess.run([name, "-n", script], check=True)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck on PATH")
def test_shellcheck() -> None:
    subprocess.run(["shellcheck", *SHELL_SCRIPTS], check=True)


def test_first_run_sets_up_and_second_run_only_runs(checkout: Checkout) -> None:
    first = checkout.run("apply", "a b.yaml")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["args"] == ["apply", "a b.yaml"]
    assert "setting up" in first.stderr
    assert list((checkout.root / "provisioner" / "__pycache__").glob("__main__.*.pyc")), "compiled"
    [install] = checkout.installs()
    assert "--compile-bytecode" in install
    assert install.endswith(".[sandbox]")

    second = checkout.run("apply")
    assert (second.returncode, second.stderr) == (0, "")
    assert json.loads(second.stdout)["prefix"] == str(checkout.venv)
    assert not checkout.log.exists(), "neither uv nor a Python was asked"


def test_changed_files_are_compiled_by_the_next_run(checkout: Checkout) -> None:
    checkout.good()
    shutil.rmtree(checkout.root / "provisioner" / "__pycache__")
    assert checkout.env["PYTHONDONTWRITEBYTECODE"] == "1"
    checkout.good()
    assert list((checkout.root / "provisioner" / "__pycache__").glob("__main__.*.pyc"))


def test_run_from_another_directory_and_through_symlinks(checkout: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "json.py").write_text("raise SystemExit('a module of the caller was imported')")
    (other / "one").symlink_to(checkout.root / "scripts" / "provision")
    (other / "two").symlink_to("one")
    answer = checkout.good("x.yaml", script=other / "two", cwd=other)
    assert answer["cwd"] == str(other), "a relative FILE is the caller's"
    assert answer["prefix"] == str(checkout.venv)


def test_environment_in_another_directory(checkout: Checkout, tmp_path: Path) -> None:
    answer = checkout.good(PROVISION_VENV="env", cwd=tmp_path)
    assert answer["prefix"] == str(tmp_path / "env")
    assert not checkout.venv.exists()


def test_tests_install_the_dev_extra(checkout: Checkout) -> None:
    checkout.good()
    checkout.good(PROVISION_MODULE="provisioner.__main__")  # as scripts/test does
    checkout.good()
    assert [call.split()[-1] for call in checkout.installs()] == [".[sandbox]", ".[dev]"]


def test_changed_pyproject_is_installed_again(checkout: Checkout) -> None:
    checkout.good()
    (checkout.venv / "kept").touch()
    (checkout.root / "pyproject.toml").write_text("[project]\nname='new'\n")
    checkout.good()
    assert len(checkout.installs()) == 2
    assert (checkout.venv / "kept").exists()


def test_copied_checkout_runs_its_own_code(checkout: Checkout, tmp_path: Path) -> None:
    checkout.good()
    copy = tmp_path / "copy"
    shutil.copytree(checkout.root, copy, symlinks=True)
    path = checkout.good(script=copy / "scripts" / "provision")["path"]
    assert isinstance(path, list)
    assert str(copy) in path
    assert str(checkout.root) not in path


def test_changed_interpreter_makes_a_new_environment(checkout: Checkout) -> None:
    checkout.good()
    (checkout.venv / "left").touch()
    (checkout.venv / "bin" / "python").unlink()
    (checkout.venv / "bin" / "python").symlink_to("/nowhere/python3")
    checkout.good()
    assert not (checkout.venv / "left").exists()


def test_environment_made_by_hand_is_installed_into(checkout: Checkout) -> None:
    venv.create(checkout.venv, symlinks=True)
    (checkout.venv / "by_hand").touch()
    assert checkout.run(UV_FAILS="1").returncode == 1
    checkout.good()
    checkout.good()
    assert (checkout.venv / "by_hand").exists()
    assert len(checkout.installs()) == 2


def test_broken_environment_made_by_hand_is_left_alone(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    (checkout.venv / "pyvenv.cfg").touch()
    done = checkout.run()
    assert done.returncode == 1
    assert "was not made by this script" in done.stderr
    assert not checkout.installs()


def test_directory_that_is_no_environment_is_left_alone(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "old-pyvenv.cfg").touch()
    done = checkout.run(PROVISION_VENV=str(tmp_path / "precious"))
    assert done.returncode == 1
    assert "is no virtual environment" in done.stderr
    assert [path.name for path in (tmp_path / "precious").iterdir()] == ["old-pyvenv.cfg"]


def test_two_set_ups_at_once_install_once(checkout: Checkout) -> None:
    with checkout.start("1", UV_SECONDS="1") as one, checkout.start("2", UV_SECONDS="1") as two:
        answers = [process.communicate(timeout=60) for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0], answers
    assert [json.loads(out)["args"] for out, _ in answers] == [["1"], ["2"]]
    assert len(checkout.installs()) == 1
    [waited] = [err for _, err in answers if "waiting" in err]
    assert re.search(rf"process ({one.pid}|{two.pid})\b", waited)


def test_killed_set_up_is_repeated(checkout: Checkout) -> None:
    with checkout.start(UV_SECONDS="60") as killed:
        checkout.until_half_made()
        os.killpg(killed.pid, signal.SIGKILL)
    assert (checkout.venv / ".provision-lock").read_text().strip() == str(killed.pid)
    checkout.good(PROVISION_SETUP_TIMEOUT="0")
    assert not list(checkout.venv.rglob("half_made")), "nothing half made is left"


def test_waits_for_an_installer_that_outlives_its_script(checkout: Checkout) -> None:
    with checkout.start(UV_SECONDS="1") as killed:
        checkout.until_half_made()
        killed.kill()
        killed.wait()
        done = checkout.run()
    assert done.returncode == 0, done.stderr
    assert "waiting" in done.stderr
    assert len(checkout.installs()) == 2


def test_waiting_for_another_set_up_times_out(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    with (checkout.venv / ".provision-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        done = checkout.run(PROVISION_SETUP_TIMEOUT="0.3")
    assert done.returncode == 1
    assert "the other set-up (process 4711) did not end" in done.stderr
    checkout.good()


def test_failed_install_prints_its_error_and_is_repeated(checkout: Checkout) -> None:
    done = checkout.run(UV_FAILS="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no network here\n" in done.stderr
    assert "set-up failed" in done.stderr
    checkout.good()


def test_without_uv_pip_is_used_and_its_error_printed(checkout: Checkout) -> None:
    (checkout.bin / "uv").unlink()
    done = checkout.run(PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert (done.returncode, done.stdout) == (1, "")
    assert "with pip" in done.stderr
    assert "ERROR:" in done.stderr
    assert "set-up failed" in done.stderr


def test_error_names_the_unsuitable_pythons(checkout: Checkout) -> None:
    (checkout.bin / "uv").unlink()
    checkout.tool("python3", '#!/bin/sh\necho "3.9 $0"\n')
    checkout.tool("python3.12", "#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2\nexit 127\n")
    done = checkout.run()
    assert (done.returncode, done.stdout) == (1, "")
    want = (
        f"want Python 3.11 or newer on PATH, found {checkout.bin}/python3 is 3.9; {checkout.bin}/python3.12"
    )
    assert f"provision: {want} does not run\n" == done.stderr


def test_error_for_python_without_ensurepip_names_the_package(checkout: Checkout) -> None:
    (checkout.bin / "uv").unlink()
    checkout.tool("python3", '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\necho "3.12 $0"\n')
    done = checkout.run()
    assert done.returncode == 1
    assert "install python3.12-venv" in done.stderr


def test_shim_that_fails_is_skipped(checkout: Checkout) -> None:
    (checkout.bin / "python3").rename(checkout.bin / "python3.13")
    checkout.tool("python3", "#!/bin/sh\nexit 127\n")
    assert checkout.good()["prefix"] == str(checkout.venv)
