"""The state file: one pickle of moto's backends, changed under a lock, replaced by renaming."""

from __future__ import annotations

import fcntl
import os
import pickle
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import moto
from moto.core.base_backend import BackendDict
from moto.core.model import ServiceModel
from moto.core.model_instances import reset_model_data
from moto.core.utils import get_service_model

from .words import SandboxError

FORMAT = 2
_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
STAMP = f"provision sandbox {FORMAT}, moto {moto.__version__}, python {_PYTHON}\n".encode()
# Big, and no part of a baseline: every Region's default VPC.
UNSAVED = frozenset({"ec2"})
# What moto's BackendDicts know besides their backends.
_SIDE = ("bucket_accounts", "master_accounts")


def _backends() -> list[Any]:
    """Moto's services that hold something."""
    held: list[Any] = BackendDict._instances  # type: ignore[misc]
    return held


def capture(memory: dict[str, Any]) -> bytes:
    """The whole state in one pickle, so that references between backends survive."""
    services: dict[str, dict[tuple[str, str], Any]] = {}
    sides: dict[str, dict[str, Any]] = {}
    for held in _backends():
        if held.service_name in UNSAVED:
            continue
        services[held.service_name] = {(acc, reg): made for acc, reg, made in held.iter_backends()}
        sides[held.service_name] = {k: getattr(held, k) for k in _SIDE if hasattr(held, k)}
    file = BytesIO()
    _Pickler(file, protocol=5).dump({"services": services, "sides": sides, "memory": memory})
    return file.getvalue()


class _Pickler(pickle.Pickler):
    """Service models, big and the same everywhere, go by name; private keys as PKCS8."""

    # Asked of objects only, where `persistent_id` would be asked of every string and number too.
    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, ServiceModel):
            return get_service_model, (thing.service_name,)
        if hasattr(thing, "private_bytes"):
            # The one thing in moto that pickle cannot do: kms's asymmetric keys.
            from cryptography.hazmat.primitives import serialization as how

            kind = how.Encoding.DER, how.PrivateFormat.PKCS8, how.NoEncryption()
            return _private_key, (thing.private_bytes(*kind),)
        return NotImplemented


def _private_key(der: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(der, None)


def restore(blob: bytes) -> dict[str, Any]:
    """Moto holds the state of *blob*, and nothing else; the answer is the rules' memory."""
    from moto.backends import get_backend

    state = pickle.loads(blob)
    forget()
    for service, backends in state["services"].items():
        held: Any = get_backend(service)
        for (account, region), made in backends.items():
            dict.__setitem__(held[account], region, made)
        for name, value in state["sides"][service].items():
            setattr(held, name, value)
    memory: dict[str, Any] = state["memory"]
    return memory


def forget() -> None:
    """Moto holds nothing."""
    for held in list(_backends()):
        held.clear()
        for name in _SIDE:
            if hasattr(held, name):
                setattr(held, name, {})
    _backends().clear()
    reset_model_data()


class File:
    """The state file of a sandbox and the lock beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._seen: tuple[int, int, int] | None = None
        self._make_directory()
        self._lock = _open_own(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT)

    def close(self) -> None:
        """The lock is given back."""
        os.close(self._lock)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other process reads or writes the state meanwhile."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def changed(self) -> bytes | None:
        """The pickle, where another process has written it since we last read or wrote; else None."""
        try:
            now = self._mark(self.path.lstat())
        except FileNotFoundError:
            return None
        return None if now == self._seen else self.read()

    def read(self) -> bytes | None:
        """The pickle; None where there is no file. Raises `SandboxError` for a file that is not ours."""
        try:
            number = _open_own(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        with os.fdopen(number, "rb") as file:
            self._seen = self._mark(os.fstat(number))
            return file.read()

    def write(self, blob: bytes) -> None:
        """The state on disk is *blob*: all of it, or what was there before."""
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with suppress(FileNotFoundError):
            new.unlink()
        number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(STAMP)
            file.write(blob)
            file.flush()
            mark = self._mark(os.fstat(number))
        new.rename(self.path)
        self._seen = mark

    @staticmethod
    def _mark(found: os.stat_result) -> tuple[int, int, int]:
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _make_directory(self) -> None:
        folder = self.path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _must_be_own(folder.stat(), folder)


def _open_own(path: Path, flags: int) -> int:
    """A descriptor of a plain file that belongs to this user alone."""
    try:
        number = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if path.is_symlink():
            raise SandboxError(f"`{path}` is a symbolic link: name the file itself") from error
        if isinstance(error, FileNotFoundError):
            raise
        raise SandboxError(f"cannot open `{path}`: {error.strerror}") from error
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise SandboxError(f"`{path}` is not a plain file")
        _must_be_own(found, path)
    except SandboxError:
        os.close(number)
        raise
    return number


def _must_be_own(found: os.stat_result, path: Path) -> None:
    # Unpickling runs code: a file that others could have written is never read.
    if found.st_uid != os.geteuid():
        raise SandboxError(f"`{path}` belongs to another user: choose a path of your own")
    if found.st_mode & 0o022:
        raise SandboxError(f"others may write `{path}`: chmod go-w `{path}`, or choose another path")
