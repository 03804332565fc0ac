"""What people, CI and schedulers run: the bootstrap, the examples for cron and systemd, and the wheel.

The bootstrap is tried on a small stand-in for the checkout, with a `uv` that installs nothing but a link to
it, and with a PATH that holds nothing else: quick, offline, and the same on every machine.
"""

from __future__ import annotations

import ast
import configparser
import email
import fcntl
import importlib.metadata
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "scripts"
TOOLS = ["sh", "bash", "env", "cat", "cksum", "dirname", "find", "ls"]
TOOLS += ["mkdir", "mv", "readlink", "rm", "sleep", "tail"]
SHELL_SCRIPTS = [SCRIPTS / "provision", SCRIPTS / "test", SCRIPTS / "check", ROOT / ".ci" / "run"]

MAIN = """
import json, os, sys
print(json.dumps({"args": sys.argv[1:], "cwd": os.getcwd(), "prefix": sys.prefix, "path": sys.path}))
"""
FAKE_UV = """#!/bin/sh
[ "$1" = --version ] && exit
echo "$@" >>"$HERE/calls"
[ -z "${UV_FAILS-}" ] || { echo "no network here" >&2; exit 2; }
while [ "$1" != --python ]; do shift; done
for site in "${2%/bin/python}"/lib/python3*/site-packages; do
    echo begun >"$site/half_made"
    sleep "${UV_SECONDS:-0}"
    echo "$PWD" >"$site/checkout.pth"
    rm "$site/half_made"
done
"""


class Checkout:
    """A stand-in for a checkout, and the machine it lies on."""

    def __init__(self, tmp: Path) -> None:
        self.root = tmp / "my checkout"  # a space, as in many a home directory
        self.bin = tmp / "bin"
        self.venv = self.root / ".venv"
        (self.root / "provisioner").mkdir(parents=True)
        (self.root / "provisioner" / "__main__.py").write_text(MAIN)
        shutil.copytree(SCRIPTS, self.root / "scripts")
        shutil.copytree(ROOT / ".ci", self.root / ".ci")
        (self.root / "pyproject.toml").write_text("[project]\n")
        self.bin.mkdir()
        for tool in TOOLS:
            if where := shutil.which(tool):
                (self.bin / tool).symlink_to(where)
        self.tool("uv", FAKE_UV)
        self.tool("python3", f'#!/bin/sh\necho python >>"$HERE/calls"\nexec "{sys.executable}" "$@"\n')
        self.env = {"PATH": str(self.bin), "HERE": str(tmp), "HOME": str(tmp), "PYTHONDONTWRITEBYTECODE": "1"}
        self.log = tmp / "calls"

    def tool(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def start(
        self, *args: str, script: str | Path = "scripts/provision", cwd: Path | None = None, **env: str
    ) -> subprocess.Popen[str]:
        """Start the script in a process group of its own."""
        return subprocess.Popen(
            [self.root / script, *args],
            cwd=cwd or self.root,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *args: str, script: str | Path = "scripts/provision", cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the script to its end."""
        with self.start(*args, script=script, cwd=cwd, **env) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def good(self, *args: str, **options: object) -> dict[str, object]:
        """What the stand-in for the program says of itself, once the script has run it."""
        done = self.run(*args, **options)  # type: ignore[arg-type]
        assert done.returncode == 0, done.stderr
        answer: dict[str, object] = json.loads(done.stdout)
        return answer

    def installs(self) -> list[str]:
        """What was asked of `uv`, and clear it."""
        calls = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [call for call in calls if call != "python"]

    def until_half_made(self) -> None:
        """Wait until the installer is at work."""
        deadline = time.monotonic() + 30
        while not list(self.venv.glob("lib/python3*/site-packages/half_made")):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


# --- the scripts as text ---


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_executable_and_parses(script: Path) -> None:
    assert os.access(script, os.X_OK)
    shell = "bash" if "bash" in script.read_text().splitlines()[0] else "sh"
    for name in {shell, "bash", *(["dash"] if shell == "sh" else [])}:
        if shutil.which(name):
            subprocess.run([name, "-n", script], check=True)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck on PATH")
def test_shellcheck_has_nothing_to_say() -> None:
    subprocess.run(["shellcheck", *SHELL_SCRIPTS], check=True)


# --- the first run, and the second ---


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


def test_what_changed_since_the_set_up_is_compiled_by_the_next_run(checkout: Checkout) -> None:
    checkout.good()
    shutil.rmtree(checkout.root / "provisioner" / "__pycache__")
    assert checkout.env["PYTHONDONTWRITEBYTECODE"] == "1"
    checkout.good()
    assert list((checkout.root / "provisioner" / "__pycache__").glob("__main__.*.pyc"))


def test_called_from_elsewhere_and_through_symlinks(checkout: Checkout, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "json.py").write_text("raise SystemExit('a module of the caller was imported')")
    (elsewhere / "one").symlink_to(checkout.root / "scripts" / "provision")
    (elsewhere / "two").symlink_to("one")
    answer = checkout.good("x.yaml", script=elsewhere / "two", cwd=elsewhere)
    assert answer["cwd"] == str(elsewhere), "a relative FILE is the caller's"
    assert answer["prefix"] == str(checkout.venv)


def test_the_environment_can_lie_elsewhere(checkout: Checkout, tmp_path: Path) -> None:
    answer = checkout.good(PROVISION_VENV="env", cwd=tmp_path)
    assert answer["prefix"] == str(tmp_path / "env")
    assert not checkout.venv.exists()


def test_tests_need_more_than_a_run_does(checkout: Checkout) -> None:
    checkout.good()
    checkout.good(PROVISION_MODULE="provisioner.__main__")  # as scripts/test does
    checkout.good()
    assert [call.split()[-1] for call in checkout.installs()] == [".[sandbox]", ".[dev]"]


def test_a_changed_pyproject_is_installed_again(checkout: Checkout) -> None:
    checkout.good()
    (checkout.venv / "kept").touch()
    (checkout.root / "pyproject.toml").write_text("[project]\nname='new'\n")
    checkout.good()
    assert len(checkout.installs()) == 2
    assert (checkout.venv / "kept").exists()


def test_a_copied_checkout_does_not_run_the_code_of_the_first(checkout: Checkout, tmp_path: Path) -> None:
    checkout.good()
    copy = tmp_path / "copy"
    shutil.copytree(checkout.root, copy, symlinks=True)
    path = checkout.good(script=copy / "scripts" / "provision")["path"]
    assert isinstance(path, list)
    assert str(copy) in path
    assert str(checkout.root) not in path


def test_another_interpreter_makes_a_new_environment(checkout: Checkout) -> None:
    checkout.good()
    (checkout.venv / "left").touch()
    (checkout.venv / "bin" / "python").unlink()
    (checkout.venv / "bin" / "python").symlink_to("/nowhere/python3")
    checkout.good()
    assert not (checkout.venv / "left").exists()


def test_an_environment_made_by_hand_is_built_upon(checkout: Checkout) -> None:
    venv.create(checkout.venv, symlinks=True)
    (checkout.venv / "by_hand").touch()
    assert checkout.run(UV_FAILS="1").returncode == 1
    checkout.good()
    checkout.good()
    assert (checkout.venv / "by_hand").exists()
    assert len(checkout.installs()) == 2


def test_an_environment_made_by_hand_that_will_not_do_is_left_alone(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    (checkout.venv / "pyvenv.cfg").touch()
    done = checkout.run()
    assert done.returncode == 1
    assert "was not made by this script" in done.stderr
    assert not checkout.installs()


def test_a_directory_that_is_something_else_is_left_alone(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "old-pyvenv.cfg").touch()
    done = checkout.run(PROVISION_VENV=str(tmp_path / "precious"))
    assert done.returncode == 1
    assert "is no virtual environment" in done.stderr
    assert [path.name for path in (tmp_path / "precious").iterdir()] == ["old-pyvenv.cfg"]


# --- two at once, and set-ups that do not end ---


def test_two_at_once_install_once(checkout: Checkout) -> None:
    with checkout.start("1", UV_SECONDS="1") as one, checkout.start("2", UV_SECONDS="1") as two:
        answers = [process.communicate(timeout=60) for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0], answers
    assert [json.loads(out)["args"] for out, _ in answers] == [["1"], ["2"]]
    assert len(checkout.installs()) == 1
    [waited] = [err for _, err in answers if "waiting" in err]
    assert re.search(rf"process ({one.pid}|{two.pid})\b", waited)


def test_a_killed_set_up_is_begun_again(checkout: Checkout) -> None:
    with checkout.start(UV_SECONDS="60") as killed:
        checkout.until_half_made()
        os.killpg(killed.pid, signal.SIGKILL)
    assert (checkout.venv / ".provision-lock").read_text().strip() == str(killed.pid)
    checkout.good(PROVISION_SETUP_TIMEOUT="0")
    assert not list(checkout.venv.rglob("half_made")), "nothing half made is left"


def test_an_installer_that_outlives_its_script_is_waited_for(checkout: Checkout) -> None:
    with checkout.start(UV_SECONDS="1") as killed:
        checkout.until_half_made()
        killed.kill()
        killed.wait()
        done = checkout.run()
    assert done.returncode == 0, done.stderr
    assert "waiting" in done.stderr
    assert len(checkout.installs()) == 2


def test_waiting_has_an_end(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    with (checkout.venv / ".provision-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        done = checkout.run(PROVISION_SETUP_TIMEOUT="0.3")
    assert done.returncode == 1
    assert "the other set-up (process 4711) did not end" in done.stderr
    checkout.good()


def test_a_failed_install_says_why_and_is_not_taken_for_done(checkout: Checkout) -> None:
    done = checkout.run(UV_FAILS="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no network here\n" in done.stderr
    assert "set-up failed" in done.stderr
    checkout.good()


def test_without_uv_pip_is_used_and_its_words_are_shown(checkout: Checkout) -> None:
    (checkout.bin / "uv").unlink()
    done = checkout.run(PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert (done.returncode, done.stdout) == (1, "")
    assert "with pip" in done.stderr
    assert "ERROR:" in done.stderr
    assert "set-up failed" in done.stderr


# --- which Python ---


def test_no_python_that_will_do_is_said_with_what_was_found(checkout: Checkout) -> None:
    (checkout.bin / "uv").unlink()
    checkout.tool("python3", '#!/bin/sh\necho "3.9 $0"\n')
    checkout.tool("python3.12", "#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2\nexit 127\n")
    done = checkout.run()
    assert (done.returncode, done.stdout) == (1, "")
    want = (
        f"want Python 3.11 or newer on PATH, found {checkout.bin}/python3 is 3.9; {checkout.bin}/python3.12"
    )
    assert f"provision: {want} does not run\n" == done.stderr


def test_a_python_without_ensurepip_names_the_package(checkout: Checkout) -> None:
    (checkout.bin / "uv").unlink()
    checkout.tool("python3", '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\necho "3.12 $0"\n')
    done = checkout.run()
    assert done.returncode == 1
    assert "install python3.12-venv" in done.stderr


def test_a_shim_that_fails_is_passed_over(checkout: Checkout) -> None:
    (checkout.bin / "python3").rename(checkout.bin / "python3.13")
    checkout.tool("python3", "#!/bin/sh\nexit 127\n")
    assert checkout.good()["prefix"] == str(checkout.venv)


# --- scripts/test, scripts/check, .ci/run ---


@pytest.mark.parametrize(
    ("args", "parallel"),
    [
        ((), True),
        (("-x", "--durations=5"), True),
        (("tests/test_scripts.py",), False),
        (("-k", "two words"), False),
        (("--pdb",), False),
        (("-n0",), False),
    ],
)
def test_the_whole_suite_runs_in_parallel(checkout: Checkout, args: tuple[str, ...], parallel: bool) -> None:
    (checkout.root / "scripts" / "provision").write_text(
        '#!/bin/sh\nprintf "%s\\n" "$PROVISION_MODULE" "$PWD" "$@"\n'
    )
    done = checkout.run(*args, script="scripts/test", cwd=checkout.bin)
    assert done.stdout.splitlines() == ["pytest", str(checkout.root), *["-n", "auto"] * parallel, *args]


@pytest.mark.parametrize("fails", ["ruff", "mypy", "nothing"])
def test_check_runs_every_check_and_fails_with_any(checkout: Checkout, fails: str) -> None:
    stub = f'#!/bin/sh\necho "$PROVISION_MODULE $*"\n[ "$PROVISION_MODULE" != {fails} ]\n'
    (checkout.root / "scripts" / "provision").write_text(stub)
    done = checkout.run(script="scripts/check")
    assert done.returncode == (fails != "nothing")
    assert done.stdout.splitlines() == [
        "ruff check .",
        "ruff format --check .",
        "mypy --strict provisioner",
    ]


@pytest.mark.parametrize("fails", ["test", "check", "nothing"])
def test_ci_runs_the_tests_then_the_checks(checkout: Checkout, fails: str) -> None:
    for name in ("test", "check"):
        stub = f'#!/bin/sh\n[ ! -t 0 ] && ! read -r line && echo "{name} $CI"\n[ {name} != {fails} ]\n'
        (checkout.root / "scripts" / name).write_text(stub)
    done = checkout.run(script=".ci/run", cwd=checkout.bin)
    assert done.stdout == "test true\ncheck true\n"
    assert done.returncode == (fails != "nothing")


# --- cron and systemd ---


def takes_command_line(words: list[str], tmp_path: Path) -> None:
    """The tool's own parser takes *words*; paths of the example are put where this machine can have them."""
    from provisioner.cli import main

    here = {"/etc/provision/": f"{ROOT}/", "/var/log/": f"{tmp_path}/", "${LOGS_DIRECTORY}/": f"{tmp_path}/"}
    for there, path in here.items():
        words = [word.replace(there, path) for word in words]
    assert Path(words[0]).name == "provision"
    with main.make_context("provision", words[1:]) as context:
        _, command, rest = main.resolve_command(context, words[1:])
        assert command is not None
        parsed = command.make_context(command.name, rest, parent=context)
    assert parsed.params.get("yes", True) is True, "nobody is there to say yes"


def cron_lines() -> list[str]:
    lines = (SCRIPTS / "crontab.example").read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_crontab_is_in_the_grammar_of_cron() -> None:
    settings = [line for line in cron_lines() if re.match(r"[A-Z]+=", line)]
    assert {line.split("=")[0] for line in settings} == {"PATH", "MAILTO"}
    jobs = [line for line in cron_lines() if line not in settings]
    assert len(jobs) == 2
    for job in jobs:
        *fields, command = job.split(maxsplit=5)
        for text, (low, high) in zip(fields, [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)], strict=True):
            match = re.fullmatch(r"\*(?:/\d+)?|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*", text)
            assert match, text
            assert all(low <= int(number) <= high for number in re.findall(r"\d+", text)), text
        assert int(fields[0]) % 5, "not the minute everybody takes"
        assert "%" not in command, "cron reads % as a line feed"


@pytest.mark.parametrize(("place", "name"), [(-2, "apply"), (-1, "verify")])
def test_the_commands_of_the_crontab_are_ours(tmp_path: Path, place: int, name: str) -> None:
    command = shlex.split(cron_lines()[place].split(maxsplit=5)[5])
    assert command[1] == name
    takes_command_line(command, tmp_path)


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(SCRIPTS / name)
    return parser


def test_the_service_runs_a_command_of_ours_with_few_rights(tmp_path: Path) -> None:
    service = unit("provision.service")["Service"]
    takes_command_line(shlex.split(service["ExecStart"]), tmp_path)
    assert service["Type"] == "oneshot"
    assert (service["DynamicUser"], service["NoNewPrivileges"]) == ("yes", "yes")
    assert service["ProtectSystem"] == "strict"
    assert "SuccessExitStatus" not in service, "no exit code but 0 is a success of apply"


def test_the_timer_runs_every_hour() -> None:
    timer = unit("provision.timer")
    assert timer["Timer"]["OnCalendar"] == "hourly"
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for name in ("provision.service", "provision.timer"):
        text = (SCRIPTS / name).read_text().replace("/usr/local/bin/provision", shutil.which("true") or "")
        (tmp_path / name).write_text(text)
    units = [tmp_path / "provision.service", tmp_path / "provision.timer"]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- the wheel ---


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from this checkout."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [built] = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
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
    assert set(metadata.get_all("Provides-Extra", [])) == {"sandbox", "dask", "dev"}
    assert "provision = provisioner.__main__:main" in entry_points


def test_the_installed_wheel_runs_outside_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
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
    """The top-level names a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"provisioner"}


def test_what_is_imported_is_declared() -> None:
    """Nothing works only because something else brought it along, or somebody installed it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=~ ]", text)[0].lower() for text in requirements}

    core = names(project["dependencies"])
    extra = core | names(project["optional-dependencies"]["sandbox"])
    cluster = core | names(project["optional-dependencies"]["dask"])
    known = importlib.metadata.packages_distributions()
    for path in (ROOT / "provisioner").rglob("*.py"):
        declared = extra if "sandbox" in path.parts else cluster if path.name == "dask.py" else core
        for name in imports(path):
            brings = {brought.lower().replace("_", "-") for brought in known.get(name, [name])}
            assert declared & brings, f"{path}: {name} is not declared"
