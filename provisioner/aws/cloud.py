"""Calls to AWS with the right credentials, within its rate limits, and with retries where they help."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from ..model import Target, Wait
from .clients import READ_TIMEOUT, WRITE_TIMEOUT, Clients, default_region
from .errors import (
    BUSY,
    EXPIRED,
    BotoCoreError,
    Incomplete,
    Interrupted,
    OutcomeUnknown,
    code_of,
    is_closed_to_caller,
    is_outage,
    is_persistent,
    is_throttle,
)
from .guard import READS, write_allowed
from .keyring import CALLER
from .options import Clock, Options, RealClock, Tally, Waiting
from .rate_limit import RateLimiter, kind_of
from .silence import SilenceWatch
from .threads import leave_signals_to_main
from .wire.transport import TOTAL

WORKERS = 32  # parallel reads
_ATTEMPTS = 8  # of a read
_PERSISTENT_ATTEMPTS = 3  # of a read that gets no answer in time, no connection, or no answer of AWS's
_RENEWALS = 3  # of credentials, for one call
_BUSY = 300.0  # seconds for which a call is retried while another operation on the same resource is under way
_DEADLINE = 60.0  # seconds after its first refusal for which a call is retried for throttling and outages
_WHOLE = 600.0  # seconds for all pages of an answer


class _Request(NamedTuple):
    """One call. *name* is AWS's spelling of the operation."""

    target: Target
    service: str
    region: str
    operation: str
    name: str
    params: dict[str, Any]
    visit: int | None = None  # see `Keyring.ensure`


class _Stopwatch:
    """The clock, without the time for which our own rate limiter has held a call back: AWS did not refuse it then."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self.held = 0.0  # seconds

    def now(self) -> float:
        """Return the seconds since some fixed moment."""
        return self._clock.now() - self.held


class Cloud:
    """All calls of one run to AWS, with one set of credentials and the roles assumed with them.

    Raises botocore's ProfileNotFound when *options* name a profile that is not configured.
    """

    default_region = staticmethod(default_region)

    def __init__(
        self,
        options: Options | None = None,
        *,
        on_wait: Callable[[Waiting], None] | None = None,
        clock: Clock | None = None,
        workers: int = WORKERS,
    ):
        options = options or Options()
        self.stop = threading.Event()
        self.clock: Clock = clock or RealClock(self.stop)
        self.tally = Tally()
        self.on_wait = on_wait or (lambda waiting: None)
        self._silence = SilenceWatch(on_wait)
        self.readers = ThreadPoolExecutor(workers, "read", leave_signals_to_main)
        self._clients = clients = Clients(options, self.tally)
        self.client, self.regions, self.offers = clients.client, clients.regions, clients.offers
        self.keyring = clients.keyring
        self._rate_limiter = RateLimiter(documented=options.use_documented_rates)
        self._accepted: dict[str, None] = {}  # the Regions that accepted the credentials, in that order
        self._random = random.Random()  # noqa: S311 - for jitter, not for security

    def close(self, *, wait: bool = False) -> None:
        """Cancel reads that have not begun, and close all connections; *wait* waits for reads under way."""
        self.readers.shutdown(wait=wait, cancel_futures=True)
        self._silence.close()
        self._clients.close()

    def warm(self, services: Iterable[str], region: str) -> None:
        """Build the clients of *services* in the background."""
        for service in services:
            self.readers.submit(self.client, service, region)

    def read(
        self,
        target: Target,
        service: str,
        region: str,
        operation: str,
        params: dict[str, Any],
        visit: int | None = None,
    ) -> Any:
        """Return AWS's whole answer, of all pages.

        Each page is tried 8 times in 60 s for throttling and outages; 3 times where AWS gives no answer in time.
        Raises botocore's errors, Incomplete where the pages do not end or miss what they must have, and Interrupted if
        the account was left since *visit*.
        """
        watch = _Stopwatch(self.clock)
        started = watch.now()

        def page(**params: Any) -> Any:
            if watch.now() - started > _WHOLE:
                raise Incomplete(
                    f"AWS's answer to {operation} was not complete after {_WHOLE:.0f} s; run again"
                )
            request = self._request(target, service, region, operation, params)
            return self._read_page(request._replace(visit=visit), watch)

        return self._clients.whole(service, region, operation, page, params)

    def _request(
        self, target: Target, service: str, region: str, operation: str, params: dict[str, Any]
    ) -> _Request:
        name = self.client(service, region).meta.method_to_api_mapping[operation]
        return _Request(target, service, region, operation, name, params)

    def _read_page(self, request: _Request, watch: _Stopwatch) -> Any:
        """Return AWS's answer to one read, which is retried for throttling and outages."""
        refused: float | None = None  # when it was refused first
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._send(request, watch)
            except (ClientError, BotoCoreError) as error:
                self._annotate(error, request)
                most = _PERSISTENT_ATTEMPTS if is_persistent(error) else _ATTEMPTS
                refused = watch.now() if refused is None else refused
                waited = watch.now() - refused
                retried = is_throttle(error) or is_outage(error) or code_of(error) in BUSY
                if not retried or attempt >= most or waited > _DEADLINE:
                    raise
                self._back_off(error, request, attempt, waited, _DEADLINE)
            else:
                self._accepted.setdefault(request.region)
                return answer

    def _send(self, request: _Request, watch: _Stopwatch) -> Any:
        """Make one call with the credentials of the target's account, as soon as its rate limit allows."""
        service, region = request.service, request.region
        account = self.keyring.account_of(request.target.account)
        where = (account, region, service)
        kind = kind_of(request.name, READS)
        renewals = 0
        while True:
            credentials = self._credentials(account, request.visit)
            reserved = self.clock.now()
            pause = self._rate_limiter.reserve(where, kind, reserved)
            if pause > 0:
                until = f"AWS's rate for {service} in {region}"
                self.on_wait(Waiting(request.target, request.operation, until, 0.0, pause))
                self.clock.sleep(pause)
                watch.held += self.clock.now() - reserved
            try:
                with self.keyring.signing(credentials), self._silence.watching(_answer_of(request)):
                    answer = self._clients.call(service, region, request.operation, request.params)
            except ClientError as error:
                if is_throttle(error):
                    self._rate_limiter.throttled(where, kind, self.clock.now(), reserved)
                # A long run outlives an assumed role's credentials; with a wrong clock they expire early.
                if renewals >= _RENEWALS or code_of(error) not in EXPIRED or credentials is None:
                    raise
                renewals += 1
                self.keyring.expire(account, credentials)
            else:
                self._rate_limiter.succeeded(where, kind)
                return answer

    def enter(self, account: str) -> None:
        """Get the account's credentials before its first call, so that an account that cannot be entered is known."""
        self._credentials(account)

    def visit(self, account: str) -> int:
        """Return what `read` takes as *visit*: the account is the same one until it is left."""
        return self.keyring.visit(account)

    def _credentials(self, account: str, visit: int | None = None) -> ReadOnlyCredentials | None:
        """Return the account's credentials, and assume its role for them if needed. None: the caller's own account."""
        role = self.keyring.role
        if role is None:
            return None
        return self.keyring.ensure(
            account, lambda params: self.ask_sts(role.region, "assume_role", params), visit
        )

    def ask_sts(self, region: str, operation: str, params: dict[str, Any]) -> Any:
        """Return the answer of STS to the caller: in *region*, or in the partition's main one if that is closed to it."""
        closed: Exception | None = None
        for each in self._clients.sts_regions(region):
            try:
                return self.read(Target(CALLER, each), "sts", each, operation, params)
            except (ClientError, BotoCoreError) as error:
                if not is_closed_to_caller(error):
                    raise
                closed = closed or error
        raise closed or ValueError(region)

    def leave(self, account: str) -> None:
        """Forget the account's credentials and rates."""
        self.keyring.leave(account)
        self._rate_limiter.forget(account)

    def write(
        self,
        target: Target,
        service: str,
        region: str,
        operation: str,
        params: dict[str, Any],
        waits: tuple[Wait, ...],
    ) -> Any:
        """Make the call, and return AWS's answer.

        It is retried for 60 s while AWS throttles it, for 300 s while another operation on the same resource is under
        way, and after an answer that *waits* names for as long as that says. Raises OutcomeUnknown when AWS may have
        made the change or not, and Interrupted when the user stopped the run.
        """
        request = self._request(target, service, region, operation, params)
        watch = _Stopwatch(self.clock)
        times: dict[Wait | str, list[float]] = defaultdict(list)  # at which AWS gave each answer
        while True:
            if self.stop.is_set():
                raise Interrupted(f"{request.name} was not called")
            try:
                with write_allowed():
                    return self._send(request, watch)
            except (ClientError, BotoCoreError) as error:
                self._annotate(error, request)
                self._wait_or_raise(error, request, times, waits, watch)

    def _wait_or_raise(
        self,
        error: Exception,
        request: _Request,
        times: dict[Wait | str, list[float]],
        waits: tuple[Wait, ...],
        watch: _Stopwatch,
    ) -> None:
        """Sleep before a retry of a write; raise where no retry helps or the answer's deadline is over."""
        busy = code_of(error) in BUSY
        wait = next((w for w in waits if w.code == code_of(error) and w.text in str(error)), None)
        if wait is None and not is_throttle(error) and not busy:
            raise OutcomeUnknown(error) if is_outage(error) else error
        same_answer = times[wait or code_of(error)]
        same_answer.append(watch.now())
        attempt, waited = len(same_answer), same_answer[-1] - same_answer[0]
        limit = wait.seconds if wait else _BUSY if busy else _DEADLINE
        if waited >= limit:
            error.waited = f"{waited:.0f} s for {wait.until if wait else _until(error)}"  # type: ignore[attr-defined]
            raise error
        if wait is None:
            self._back_off(error, request, attempt, waited, limit)
            return
        self.on_wait(Waiting(request.target, request.operation, wait.until, waited, wait.seconds))
        self.clock.sleep(min(2.0 ** min(attempt - 1, 3), max(wait.seconds - waited, 0.1)))

    def _annotate(self, error: Exception, request: _Request) -> None:
        """Set on the error the call that it answers, and a Region that accepted the credentials."""
        accepted = tuple(self._accepted)  # a copy, because other threads add to it
        error.service = request.service  # type: ignore[attr-defined]
        error.operation = request.name  # type: ignore[attr-defined]
        error.region = request.region  # type: ignore[attr-defined]
        # Where another Region accepted the credentials, they are valid, and this Region may not be enabled.
        error.accepted_in = "" if request.region in accepted else next(iter(accepted), "")  # type: ignore[attr-defined]

    def _back_off(
        self, error: Exception, request: _Request, attempt: int, waited: float, limit: float
    ) -> None:
        """Sleep longer at each attempt, with jitter, so that many callers do not come back at once."""
        if is_throttle(error):
            self.tally.throttled += 1
        if attempt > 2:
            self.on_wait(Waiting(request.target, request.operation, _until(error), waited, limit))
        self.clock.sleep(self._random.uniform(0.1, min(0.3 * 2.0**attempt, 20.0)))


def _answer_of(request: _Request) -> Waiting:
    """Return the wait for the call's answer. At the latest at its limit, a read is asked again, a write is read back."""
    limit = TOTAL * (READ_TIMEOUT if request.name.startswith(READS) else WRITE_TIMEOUT)
    target = replace(request.target, region=request.region)
    return Waiting(target, request.operation, f"AWS to answer {request.name}", 0.0, limit)


def _until(error: Exception) -> str:
    """Return what a retry after *error* waits for, as a user reads it."""
    if code_of(error) in BUSY:
        return "AWS to finish another operation on the same resource"
    if is_throttle(error):
        return "AWS's rate limit to pass"
    return f"AWS to answer after {code_of(error) or 'a broken connection'}"
