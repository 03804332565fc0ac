"""Tests of the program's own files on a disk that has become read-only, or is full, and without descriptors."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path
from typing import Any

import pytest

from provisioner.aws.clients import Clients
from provisioner.aws.hints import MORE_FILES, describe
from provisioner.aws.options import Options, Tally
from provisioner.cli.lock import Locked, locked
from provisioner.cli.resume import Record, read_record

from .test_commands import FILE, run_process

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def broken_disk(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A disk on which nothing can be opened for writing: the system says so, whoever asks."""
    open_file = os.open

    def refuse(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and str(path).startswith(str(tmp_path)):
            raise OSError(request.param, os.strerror(request.param), str(path))
        return open_file(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "locks" / "a.lock"
    with locked(path, 0):
        pass
    return path


@pytest.mark.parametrize("broken_disk", [errno.EROFS], indirect=True)
def test_a_lock_of_a_disk_that_has_become_read_only_is_held(lock: Path, broken_disk: None) -> None:
    with locked(lock, 0), pytest.raises(Locked), locked(lock, 0):
        pass
    with locked(lock, 0):
        pass


@pytest.mark.parametrize("broken_disk", [errno.ENOSPC, errno.EROFS, errno.EIO], indirect=True)
def test_a_record_for_resume_that_cannot_be_made_is_told_and_ends_nothing(
    tmp_path: Path, broken_disk: None, capfd: Any
) -> None:
    record = Record(tmp_path / "runs" / "a", "key", set())
    record.succeeded("123456789012")
    record.close()
    assert "what is written there is lost" in capfd.readouterr().err
    assert read_record(tmp_path / "runs" / "a", "key") is None


def test_too_few_descriptors_are_named_with_their_remedy() -> None:
    few = (9, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    done = run_process(
        "diff", FILE, "--endpoint-url", "http://127.0.0.1:9",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few),
        env={**os.environ, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "XDG_STATE_HOME" not in done.stderr


def test_a_client_that_cannot_be_made_for_want_of_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = Clients(Options(), Tally())

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EMFILE, "Too many open files", "data/iam")

    monkeypatch.setattr(clients._session, "create_client", refuse)
    with pytest.raises(OSError, match="Too many open files") as caught:
        clients.client("iam", "us-east-1")
    assert describe("reading", caught.value).hint == MORE_FILES
