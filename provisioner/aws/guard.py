"""The guard on every botocore client: it refuses each write that does not come through a Change, in every command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from .check import holds_pending
from .fire_writes import FIRE_WRITES

# Prefixes of the operations that change nothing in AWS.
READS = ("Get", "List", "Describe", "Head", "BatchGet", "Lookup", "Select", "AssumeRole")

# The only writes that are no Change. They tell people what a run did and keep its journal (`as_caller.py`), and set nothing
# that a baseline has. Each has the parameters with which it cannot overwrite anything.
RUN_WRITES: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("sns", "Publish"): {},
    ("events", "PutEvents"): {},
    ("s3", "PutObject"): {"IfNoneMatch": "*"},
}

_writing: ContextVar[bool] = ContextVar("writing", default=False)
_firing: ContextVar[bool] = ContextVar("firing", default=False)
_run_writing: ContextVar[bool] = ContextVar("run_writing", default=False)


@contextmanager
def write_allowed() -> Iterator[None]:
    """Allow writes in this thread until the block ends."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


@contextmanager
def fire_writes_allowed() -> Iterator[None]:
    """Allow the operations in FIRE_WRITES, and no other write, in this thread until the block ends."""
    token = _firing.set(True)
    try:
        yield
    finally:
        _firing.reset(token)


@contextmanager
def run_writes_allowed() -> Iterator[None]:
    """Allow the operations in RUN_WRITES, and no other write, in this thread until the block ends."""
    token = _run_writing.set(True)
    try:
        yield
    finally:
        _run_writing.reset(token)


def guard(params: Any, model: Any, **_: Any) -> None:
    """Raise RuntimeError for a write that nothing allows here, a pending value, or a missing ExpectedBucketOwner.

    It is a handler of botocore's event `provide-client-params`.
    """
    operation = (model.service_model.service_name, model.name)
    needs = RUN_WRITES.get(operation) if _run_writing.get() else None
    of_run = needs is not None and needs.items() <= params.items()
    of_fire = _firing.get() and operation in FIRE_WRITES
    if not (model.name.startswith(READS) or of_run or of_fire or _writing.get()):
        raise RuntimeError(f"{model.name} writes to AWS outside a Change")
    if holds_pending(params):
        raise RuntimeError(f"{model.name} was given a value that is only known after apply")
    members = model.input_shape.members if model.input_shape else {}
    if "ExpectedBucketOwner" in members and "ExpectedBucketOwner" not in params:
        raise RuntimeError(f"{model.name} must name the ExpectedBucketOwner")
