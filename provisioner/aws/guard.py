"""The guard on every client, in `diff` and in `apply`: nothing is written that did not come through a Change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .check import holds_pending

# Begins the names of what changes nothing in AWS.
READS = ("Get", "List", "Describe", "Head", "BatchGet", "Lookup", "Select", "AssumeRole")

_writing: ContextVar[bool] = ContextVar("writing", default=False)


@contextmanager
def write_allowed() -> Iterator[None]:
    """Until the block ends, this thread may write."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def guard(params: Any, model: Any, **_: Any) -> None:
    """Let a step read what it likes, and write only through a Change; on in `diff` and in `apply`."""
    if not model.name.startswith(READS) and not _writing.get():
        raise RuntimeError(f"{model.name} writes to AWS outside a Change")
    if holds_pending(params):
        raise RuntimeError(f"{model.name} was given a value that is only known after apply")
    if (
        "ExpectedBucketOwner" not in params
        and model.input_shape
        and "ExpectedBucketOwner" in model.input_shape.members
    ):
        raise RuntimeError(f"{model.name} must name the ExpectedBucketOwner")
