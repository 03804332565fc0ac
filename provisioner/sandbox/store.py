"""The state file: one pickle of moto's backends, changed under a lock and replaced by renaming."""

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

from .model import SandboxError

FORMAT = 2
_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
_OURS = b"provision sandbox "
STAMP = _OURS + f"{FORMAT}, moto {moto.__version__}, python {_PYTHON}\n".encode()
# Large, and in no baseline: every Region's default VPC.
UNSAVED = frozenset({"ec2"})
# Attributes of moto's BackendDicts that are state, too.
_SIDE = ("bucket_accounts", "master_accounts")


def _backends() -> list[Any]:
    """Moto's BackendDicts that have state."""
    held: list[Any] = BackendDict._instances  # type: ignore[misc]
    return held


def capture(memory: dict[str, Any]) -> bytes:
    """Pickle the whole state at once, so that references between backends survive."""
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
    """Pickle service models, which are large and constant, by name, and private keys as PKCS8."""

    # Called for objects only; `persistent_id` would be called for every string and number, too.
    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, ServiceModel):
            return get_service_model, (thing.service_name,)
        if hasattr(thing, "private_bytes"):
            # kms's asymmetric keys, the only objects of moto that pickle cannot handle.
            from cryptography.hazmat.primitives import serialization

            form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
            return _private_key, (thing.private_bytes(*form, serialization.NoEncryption()),)
        return NotImplemented


def _private_key(der: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(der, None)


def restore(blob: bytes) -> dict[str, Any]:
    """Replace moto's state by that of *blob*, and return the rules' memory."""
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
    """Clear moto's state."""
    for held in list(_backends()):
        held.clear()
        for name in _SIDE:
            if hasattr(held, name):
                setattr(held, name, {})
    _backends().clear()
    reset_model_data()


class StateFile:
    """The state file of a sandbox, and the lock file beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._seen: tuple[int, int, int] | None = None
        folder = self.path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _must_be_own(folder.stat(), folder)
        self._lock = _open_own(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT)

    def close(self) -> None:
        """Release the lock file."""
        os.close(self._lock)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Exclude other processes from the state until the block ends."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def changed(self) -> bytes | None:
        """The pickle if another process has written it since the last read or write here, else None."""
        try:
            now = self._mark(self.path.lstat())
        except FileNotFoundError:
            return None
        return None if now == self._seen else self.read()

    def read(self) -> bytes | None:
        """The pickle; None if there is no file. Raises `SandboxError` for a file of another user."""
        try:
            number = _open_own(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        with os.fdopen(number, "rb") as file:
            self._seen = self._mark(os.fstat(number))
            blob = file.read()
        if blob and not blob.startswith(_OURS):  # the file would be overwritten
            raise SandboxError(f"`{self.path}` is no state of a sandbox: name another file, or remove it")
        return blob

    def write(self, blob: bytes) -> None:
        """Replace the state on disk atomically."""
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


def _open_own(path: Path, flags: int) -> int:
    """Open a regular file that only this user can write; returns the descriptor. Raises `SandboxError`."""
    try:
        number = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
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
    # Unpickling can run code, so a file that others could have written is never read.
    if found.st_uid != os.geteuid():
        raise SandboxError(f"`{path}` belongs to another user: choose a path of your own")
    if found.st_mode & 0o022:
        raise SandboxError(f"others may write `{path}`: chmod go-w `{path}`, or choose another path")
