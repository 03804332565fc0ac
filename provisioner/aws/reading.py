"""Reads that start at once in the background: each is answered from memory, until a write to that service."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial, reduce
from typing import Any

from .errors import ClientError, Incomplete, code_of

_Key = tuple[str, str, str, str]  # service, Region, operation, parameters


class SynchronousExecutor(Executor):
    """An executor that runs each call in the calling thread, for runs that already have a thread per account."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the call and return its future, which is already done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - `result()` raises it
            future.set_exception(error)
        return future


_SYNCHRONOUS = SynchronousExecutor()


class ReadCache:
    """Cache of the answers that one account gave in one run. *made* is of the whole run; see `Aws.made`."""

    def __init__(self, made: dict[str, str] | None = None) -> None:
        self._answers: dict[_Key, Future[Any]] = {}
        self.made = {} if made is None else made
        self._lock = threading.Lock()

    def ask(self, key: _Key, begin: Callable[[], Future[Any]]) -> Future[Any]:
        """Return the cached future, pending or done; without one, *begin* starts the read."""
        with self._lock:
            if key not in self._answers:
                self._answers[key] = begin()
            return self._answers[key]

    def forget(self, service: str) -> None:
        """Drop the answers of *service*, because a write may have changed them."""
        with self._lock:
            for key in [key for key in self._answers if key[0] == service]:
                del self._answers[key]

    def forget_region(self, region: str) -> None:
        """Drop the answers of a Region that nobody asks again: many accounts at a time hold many."""
        with self._lock:
            for key in [key for key in self._answers if key[1] == region]:
                del self._answers[key]

    def clear(self) -> None:
        """Drop all answers."""
        with self._lock:
            self._answers.clear()


class Reading:
    """A read that is under way. Each method waits for the answer."""

    def __init__(
        self,
        answer: Future[Any],
        operation: str,
        ask: Callable[..., Any] | None = None,
        part: Callable[[Any], Any] = lambda answer: answer,
    ):
        self._answer = answer
        self._operation = operation
        self._ask = ask or answer.result
        self._part = part

    def at(self, *path: str | Callable[[Any], Any], **params: Any) -> Reading:
        """Return the same reading, of which `changed` compares only a part: each of *path* is a key, or finds it.

        `changed` asks AWS with *params* instead of those of the same names, where they narrow the answer down.
        """

        def part(answer: Any) -> Any:
            return reduce(
                lambda found, each: each(found) if callable(each) else found.get(each, {}), path, answer
            )

        return Reading(self._answer, self._operation, partial(self._ask, **params), part)

    def changed(self) -> bool:
        """Ask AWS again, and tell whether the answer has changed. An error is an answer by its code."""
        return bool(self._outcome(self._ask) != self._outcome(self.all))

    def refresh(self) -> bool:
        """Ask AWS again, keep its answer instead of the earlier one, and tell whether it is another."""
        earlier = self._outcome(self.all)
        self._answer = _SYNCHRONOUS.submit(self._ask)
        return bool(self._outcome(self.all) != earlier)

    def _outcome(self, ask: Callable[[], Any]) -> Any:
        try:
            answer = ask()
        except ClientError as error:
            return code_of(error)
        return self._part({key: value for key, value in answer.items() if key != "ResponseMetadata"})

    def all(self) -> Any:
        """Return the whole answer. Raises botocore's errors."""
        return self._answer.result()

    def get(self, key: str) -> Any:
        """Return the value of *key*, which the service's model promises. Raises Incomplete without it."""
        return self._required(self.all(), key)

    def found(self, *absent: str) -> Any:
        """Return the whole answer, or None if AWS answers with one of the *absent* error codes."""
        try:
            return self.all()
        except ClientError as error:
            if code_of(error) and code_of(error) in absent:
                return None
            raise

    def value(self, key: str, *absent: str) -> Any:
        """Return the value of *key*, or None if AWS answers with one of the *absent* error codes."""
        answer = self.found(*absent)
        return None if answer is None else self._required(answer, key)

    def _required(self, answer: Any, key: str) -> Any:
        if key not in answer:
            raise Incomplete(
                f"AWS answered {self._operation} without `{key}`, as a broken connection would; run again"
            )
        return answer[key]


class Reader:
    """Reads from one service: ``read.get_trail(Name=n)`` starts the call and returns a Reading."""

    def __init__(self, ask: Callable[[str, dict[str, Any]], Reading]):
        self._ask = ask

    def __getattr__(self, operation: str) -> Callable[..., Reading]:
        return lambda **params: self._ask(operation, params)
