"""Tests of `scripts/test`, `scripts/check` and `.ci/run`."""

from __future__ import annotations

import pytest

from .conftest import Checkout


@pytest.mark.parametrize(
    ("args", "parallel"),
    [
        ((), True),
        (("-x", "--durations=5"), True),
        (("tests/scripts/test_ci.py",), False),
        (("-k", "two words"), False),
        (("--pdb",), False),
        (("-n0",), False),
    ],
)
def test_whole_suite_runs_in_parallel(checkout: Checkout, args: tuple[str, ...], parallel: bool) -> None:
    (checkout.root / "scripts" / "provision").write_text(
        '#!/bin/sh\nprintf "%s\\n" "$PROVISION_MODULE" "$PWD" "$@"\n'
    )
    done = checkout.run(*args, script="scripts/test", cwd=checkout.bin)
    assert done.stdout.splitlines() == ["pytest", str(checkout.root), *["-n", "auto"] * parallel, *args]


@pytest.mark.parametrize("fails", ["ruff", "mypy", "nothing"])
def test_check_runs_all_and_fails_if_any_fails(checkout: Checkout, fails: str) -> None:
    stub = f'#!/bin/sh\necho "$PROVISION_MODULE $*"\n[ "$PROVISION_MODULE" != {fails} ]\n'
    (checkout.root / "scripts" / "provision").write_text(stub)
    done = checkout.run(script="scripts/check")
    assert done.returncode == (fails != "nothing")
    assert done.stdout.splitlines() == [
        "ruff check .",
        "ruff format --check .",
        "mypy --strict provisioner scripts",
    ]


@pytest.mark.parametrize("fails", ["test", "check", "nothing"])
def test_ci_runs_tests_then_checks(checkout: Checkout, fails: str) -> None:
    for name in ("test", "check"):
        stub = f'#!/bin/sh\n[ ! -t 0 ] && ! read -r line && echo "{name} $CI"\n[ {name} != {fails} ]\n'
        (checkout.root / "scripts" / name).write_text(stub)
    done = checkout.run(script=".ci/run", cwd=checkout.bin)
    assert done.stdout == "test true\ncheck true\n"
    assert done.returncode == (fails != "nothing")
