"""Tests of a system that allows few threads or little memory. Few threads stop nothing: it only takes longer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from ..cli.test_commands import run_command
from ..conftest import EXAMPLE

Limit = Callable[[int], None]


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Let the system allow only so many more threads."""
    real = threading._start_new_thread  # type: ignore[attr-defined]

    def limited(most: int) -> None:
        started: list[Any] = []

        def start(*given: Any) -> Any:
            if len(started) >= most:
                raise RuntimeError("can't start new thread")
            started.append(given)
            return real(*given)

        monkeypatch.setattr(threading, "_start_new_thread", start)

    return limited


@pytest.mark.parametrize("most", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("accounts", ["", "accounts: {all: true}\n"], ids=["one account", "many accounts"])
def test_a_repair_goes_on(capfd: Any, home: Path, limit: Limit, most: int, accounts: str) -> None:
    file = home / "file.yaml"
    file.write_text(f"{EXAMPLE}\n{accounts}")
    limit(most)
    for command, want in (("diff", 2), ("apply", 0), ("diff", 0), ("verify", 0)):
        more = ["--yes"] if command == "apply" else []
        code, out, err = run_command(capfd, command, str(file), "--sandbox", *more)
        assert code == want, out + err


@pytest.mark.parametrize("most", [0, 2])
def test_a_repair_that_nobody_watches_goes_on_and_tells(
    capfd: Any, home: Path, limit: Limit, most: int
) -> None:
    file = home / "file.yaml"
    file.write_text(
        EXAMPLE + "\nnotices: {mail: {sns: {topic_arn: 'arn:aws:sns:us-east-1:123456789012:t'}}}\n"
    )
    limit(most)
    code, out, err = run_command(capfd, "repair", str(file), "--sandbox")
    # The sandbox has no such topic: that is told, and not that there was no time.
    assert code == 2, out + err
    assert "notice to `mail` not sent: NotFound" in err


def test_no_memory_is_one_message(capfd: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*given: Any, **named: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(botocore.session.Session, "create_client", read)
    file = home / "file.yaml"
    file.write_text(EXAMPLE)
    code, out, err = run_command(capfd, "diff", str(file), "--sandbox", "--json")
    assert (code, err.splitlines()[-1][:46]) == (1, "error: the system allows no more memory: raise")
    assert json.loads(out)["message"].startswith("the system allows no more memory")
