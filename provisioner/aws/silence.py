"""Tell the user which call a run waits for, once AWS has been silent for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .options import Limits, Waiting
from .request import Request
from .threads import leave_signals_to_main, try_start

_AFTER = 5.0  # seconds without an answer
_INTERVAL = 1.0  # seconds between two looks at the calls


class SilenceWatch:
    """Calls *tell*, from a thread of its own, with the call that has waited longest for its answer.

    *limits* say when a read is asked again at the latest, and a write read back. Without *tell*, nothing is watched.
    """

    def __init__(self, tell: Callable[[Waiting], None] | None, limits: Limits):
        self._tell, self._limits = tell, limits
        self._calls: dict[object, tuple[float, Request]] = {}  # each with its start
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, request: Request) -> Iterator[None]:
        """Watch the call that the block makes."""
        if self._tell is None:
            yield
            return
        if self._thread is None:
            self._start()
        key = object()
        self._calls[key] = (time.monotonic(), request)
        try:
            yield
        finally:
            del self._calls[key]

    def close(self) -> None:
        """End the thread."""
        self._closed.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="silence", daemon=True)
                try_start(self._thread)

    def _watch(self) -> None:
        leave_signals_to_main()
        while not self._closed.wait(_INTERVAL):
            # A copy in one step, because other threads add and remove calls.
            calls = [*self._calls.values()]
            started, request = min(calls, key=lambda each: each[0], default=(0.0, None))
            waited = time.monotonic() - started
            if request is not None and waited >= _AFTER and self._tell is not None:
                limit = self._limits.total(writes=request.writes)
                self._tell(request.waiting(f"AWS to answer {request.name}", waited, limit))
