"""Tell the sinks of the file what a run found and did, and a dead-man's switch that it began and ended.

Each sink has a thread, all have ten seconds together, and nothing here raises: a repair neither fails nor waits for them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from http.client import HTTPException
from queue import Empty, SimpleQueue
from typing import Final
from urllib.parse import urlsplit

from ..aws.cloud import Cloud
from ..aws.errors import BotoCoreError, ClientError
from ..aws.hints import describe
from ..aws.threads import leave_signals_to_main, try_start
from ..aws.tls import tls_context
from ..baseline import General
from ..baseline.notices import NoticeSink, is_loopback
from .messages import Message, messages
from .notice_history import PING, read_history
from .notice_texts import short
from .notices import found_by, select
from .records import Noticed, Record, RunReport, RunStarted
from .sinks import event_bridge, ping, sns, webhook
from .sinks.post import Connector, connector

SECONDS: Final = 10.0  # for all sinks together
_LATE: Final = f"not sent in {SECONDS:.0f} s"
_NOT_FROM_SANDBOX: Final = "not sent: a run in the sandbox calls no one but this machine"
_DENIED: Final = "`provision permissions --for repair` prints what the caller needs"
# What sending raises; anything else is a mistake of ours, which Python's own hook for threads prints.
_ERRORS: Final = (BotoCoreError, ClientError, OSError, HTTPException, ValueError, LookupError, RuntimeError)

Send = Callable[[float], str]  # with the seconds that are left; why it could not, or an empty text


@dataclass
class _Sending:
    """What one thread sends to one sink, in this order, and why each could not be sent; an empty text if it was."""

    sends: Sequence[Send]
    answered: Callable[[int, str], None] = lambda index, error: None
    errors: list[str] = field(default_factory=list)
    thread: threading.Thread | None = None

    def start(self, deadline: float) -> None:
        """Begin. The thread is a daemon's, so that one that hangs does not keep the program from ending.

        Where the system allows no thread, this one sends.
        *answered* is called in it with the number of each as soon as the sink has answered, and with the error.
        """
        self.errors = [_LATE] * len(self.sends)
        self.thread = threading.Thread(target=self._work, args=(deadline,), name="notice", daemon=True)
        if not try_start(self.thread):
            self.thread = None
            self._send(deadline)

    def _work(self, deadline: float) -> None:
        leave_signals_to_main()
        self._send(deadline)

    def _send(self, deadline: float) -> None:
        for index, send in enumerate(self.sends):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            try:
                self.errors[index] = send(left)
            except _ERRORS as error:
                self.errors[index] = _explained(error)
            self.answered(index, self.errors[index])

    def wait(self, deadline: float) -> list[str]:
        """The errors, as far as they are known when the time is over."""
        if self.thread is not None:
            self.thread.join(max(0.0, deadline - time.monotonic()))
        return [*self.errors]


@dataclass(frozen=True)
class PingsStarted:
    """The pings of the beginning, which are still under way."""

    sendings: Mapping[str, _Sending] = field(default_factory=dict)


def ping_start(general: General, started: RunStarted) -> PingsStarted:
    """Tell the dead-man's switches that a run begins. Does not wait: give the answer to `tell`."""
    connect = connector(cache(tls_context))
    found = PingsStarted(
        {
            name: _Sending(
                [partial(_ping, each, "start", f"run {started.run}", connect, sandbox=started.sandbox)]
            )
            for name, each in general.notices.items()
            if each.ping
        }
    )
    for each in found.sendings.values():
        each.start(time.monotonic() + SECONDS)
    return found


def tell(
    report: RunReport,
    records: Iterable[Record],
    general: General,
    cloud: Cloud | None,
    now: datetime,
    pings: PingsStarted | None = None,
) -> Iterator[Noticed]:
    """Send what the run owes to the sinks of the file, and yield what was sent and what could not be.

    *records* are those of the journal of the last 8 days. What is yielded belongs there before anything else is done, and
    is yielded as soon as the sink has answered: a run that is killed in between tells it again. *cloud* has the caller's
    credentials; None where the run has none.
    """
    if not general.notices:
        return
    deadline = time.monotonic() + SECONDS
    history, found = read_history(records, report.started, now), list(found_by(report))
    outbox = _Outbox(report, general, cloud, now, pings or PingsStarted(), connector(cache(tls_context)))
    chosen = {
        name: [*messages(select(found, report, history, name, each.on, now), report)]
        for name, each in general.notices.items()
        if not each.ping
    }
    answers: SimpleQueue[tuple[str, int, str]] = SimpleQueue()
    sendings = {
        name: _Sending(
            outbox.sends(name, each, chosen.get(name, [])),
            lambda index, error, name=name: answers.put((name, index, error)),  # type: ignore[misc]
        )
        for name, each in general.notices.items()
    }
    for each in sendings.values():
        each.start(deadline)
    for name, index, error in _until(deadline, answers, sendings):
        if name in chosen:
            yield from _noticed(chosen[name][index], name, error, report, now)
        else:
            yield from _failed_pings(name, [*outbox.start_errors(name), error], report, now)


def _until(
    deadline: float, answers: SimpleQueue[tuple[str, int, str]], sendings: Mapping[str, _Sending]
) -> Iterator[tuple[str, int, str]]:
    """The answers as they come, and at the end those that were not sent in time."""
    every = [(name, index) for name, each in sendings.items() for index in range(len(each.sends))]
    while every and (seconds := deadline - time.monotonic()) > 0:
        try:
            name, index, error = answers.get(timeout=seconds)
        except Empty:
            break
        every.remove((name, index))
        yield name, index, error
    yield from ((name, index, _LATE) for name, index in every)


@dataclass(frozen=True)
class _Outbox:
    """What is the same for all sinks of a run."""

    report: RunReport
    general: General
    cloud: Cloud | None
    now: datetime
    pings: PingsStarted
    connect: Connector

    def sends(self, name: str, sink: NoticeSink, chosen: Sequence[Message]) -> list[Send]:
        """What to send to the sink: a function for each message, or one for the ping."""
        if sink.ping:
            return [partial(self._end_ping, name, sink)]
        return [partial(self._send, sink, message) for message in chosen]

    def start_errors(self, name: str) -> list[str]:
        """Why the ping of the beginning could not be sent."""
        started = self.pings.sendings.get(name)
        return [] if started is None else [*started.errors]

    def _send(self, sink: NoticeSink, message: Message, seconds: float) -> str:
        if sink.webhook:
            if _is_held_back(sink, sandbox=self.report.started.sandbox):
                return _NOT_FROM_SANDBOX
            return webhook.send(sink.webhook, message, self.connect, self.now, seconds)
        if self.cloud is None:
            return "the run has no credentials to send it with"
        if sink.sns:
            return sns.send(sink.sns, message, self.cloud)
        if sink.event_bridge:
            return event_bridge.send(sink.event_bridge, message, self.cloud, self.general.home_region)
        return ""

    def _end_ping(self, name: str, sink: NoticeSink, seconds: float) -> str:
        """After that of the beginning, as a switch that hears that later believes that the run goes on."""
        ended, began = self.report.ended, time.monotonic()
        if (started := self.pings.sendings.get(name)) is not None:
            started.wait(began + seconds / 2)
        left = max(1.0, seconds - (time.monotonic() - began))
        text = f"run {self.report.started.run}: exit code {ended.exit_code}: {ended.message}"
        sandbox = self.report.started.sandbox
        return _ping(sink, str(ended.exit_code), text, self.connect, left, sandbox=sandbox)


def _ping(
    sink: NoticeSink, signal: str, text: str, connect: Connector, seconds: float, *, sandbox: bool
) -> str:
    if sink.ping is None or _is_held_back(sink, sandbox=sandbox):
        return _NOT_FROM_SANDBOX
    return ping.send(sink.ping, signal, text, connect, seconds)


def _is_held_back(sink: NoticeSink, *, sandbox: bool) -> bool:
    """Whether the run is in the sandbox, and the URL is not on this machine: nobody is to be called for a rehearsal."""
    held = sink.webhook or sink.ping
    return (
        sandbox and held is not None and not is_loopback(urlsplit(held.url.get_secret_value()).hostname or "")
    )


def _noticed(message: Message, sink: str, error: str, report: RunReport, now: datetime) -> Iterable[Noticed]:
    at = now.astimezone(UTC).isoformat()
    return (each.record(report.started.run, at, sink, error) for each in message.notices)


def _failed_pings(sink: str, errors: Iterable[str], report: RunReport, now: datetime) -> Iterable[Noticed]:
    """A record for each ping that failed: those that arrived are not worth one."""
    at = now.astimezone(UTC).isoformat()
    for error in filter(None, dict.fromkeys(errors)):
        yield Noticed(report.started.run, at, PING, "run_failed", "new", sink, error)


def _explained(error: Exception) -> str:
    """AWS's error, and what to do. Those of SNS have a code of their own where the caller may not publish."""
    failure = describe("telling", error)
    hint = failure.hint or (_DENIED if failure.code.startswith("Authorization") else "")
    return short(
        "; ".join(filter(None, (": ".join(filter(None, (failure.code, failure.message))), hint))), 600
    )
