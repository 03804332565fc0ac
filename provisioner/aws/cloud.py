"""Calls to AWS with the right credentials, within its rate limits, and with retries where they help."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from ..model import Call, Target, Wait
from .clients import Clients, default_region
from .errors import (
    EXPIRED,
    BotoCoreError,
    Incomplete,
    Interrupted,
    OutcomeUnknown,
    Stale,
    code_of,
    is_closed_to_caller,
    is_outage,
    is_throttle,
    unprocessed,
)
from .guard import READS, fire_writes_allowed, write_allowed
from .keyring import CALLER
from .options import Clock, Options, RealClock, Tally, Waiting
from .rate_limit import RateLimiter, kind_of
from .request import Request
from .retries import DEADLINE, Stopwatch, read_attempts, until, write_wait
from .silence import SilenceWatch
from .threads import ThreadPool

WORKERS: Final = 32  # parallel reads
_RENEWALS: Final = 3  # of credentials, for one call
_WHOLE: Final = 600.0  # seconds for all pages of an answer


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
        self.run_id = options.run_id
        self.stop = threading.Event()
        self.clock: Clock = clock or RealClock(self.stop)
        self.tally = Tally()
        self.on_wait = on_wait or (lambda waiting: None)
        self._silence = SilenceWatch(on_wait, options.limits)
        self.readers = ThreadPool(workers, "read")
        self._clients = clients = Clients(options, self.tally)
        self.client, self.offers, self.event_region = clients.client, clients.offers, clients.event_region
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
        watch = Stopwatch(self.clock)
        started = watch.now()

        def page(**params: Any) -> Any:
            if watch.now() - started > _WHOLE:
                raise Incomplete(
                    f"AWS's answer to {operation} was not complete after {_WHOLE:.0f} s; run again"
                )
            return self._read_page(self._request(target, service, region, operation, params, visit), watch)

        return self._clients.whole(service, region, operation, page, params)

    def _request(
        self,
        target: Target,
        service: str,
        region: str,
        operation: str,
        params: dict[str, Any],
        visit: int | None = None,
    ) -> Request:
        name = self.client(service, region).meta.method_to_api_mapping[operation]
        return Request(target, service, region, operation, name, params, visit)

    def _read_page(self, request: Request, watch: Stopwatch) -> Any:
        """Return AWS's answer to one read, which is retried for throttling and outages."""
        refused: float | None = None  # when it was refused first
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._send(request, watch)
            except (ClientError, BotoCoreError) as error:
                self._annotate(error, request)
                refused = watch.now() if refused is None else refused
                waited = watch.now() - refused
                if attempt >= read_attempts(error) or waited > DEADLINE:
                    raise
                self._back_off(error, request, attempt, waited, DEADLINE)
            else:
                self._accepted.setdefault(request.region)
                return answer

    def _send(self, request: Request, watch: Stopwatch) -> Any:
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
                self.on_wait(request.waiting(f"AWS's rate for {service} in {region}", 0.0, pause))
                self.clock.sleep(pause)
                watch.held += self.clock.now() - reserved
            try:
                with self.keyring.signing(credentials), self._silence.watching(request):
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

    def write(self, target: Target, call: Call, *, fire: bool = False) -> Any:
        """Make the call, and return AWS's answer. With *fire*, only a call of `verify --fire`, see FIRE_WRITES.

        It is retried for 60 s while AWS throttles it, for 300 s while another operation on the same resource is under
        way, and after an answer that `waits` of the call names for as long as that says. Before each attempt, AWS must
        still have what the request was made from: the other operation may be somebody's change of the same document.

        Raises OutcomeUnknown where AWS must be read again to know what it has now, and Interrupted when the user
        stopped the run.
        """
        region = call.region or target.region
        request = self._request(target, call.service, region, call.operation, dict(call.params))
        watch = Stopwatch(self.clock)
        times: dict[Wait, list[float]] = defaultdict(list)  # at which AWS gave each answer
        while True:
            if self.stop.is_set():
                raise Interrupted(f"{request.name} was not called")
            if any(each.changed() for each in call.bases):
                stale = Stale(f"{request.name}: AWS has changed since it was read")
                raise OutcomeUnknown(stale, already_exists=True)
            try:
                with fire_writes_allowed() if fire else write_allowed():
                    answer = self._send(request, watch)
                if refusal := unprocessed(answer, call.unprocessed, request.name):
                    raise refusal
            except (ClientError, BotoCoreError) as error:
                self._annotate(error, request)
                self._wait_or_raise(error, request, call, times, watch)
            else:
                return answer

    def _wait_or_raise(
        self,
        error: Exception,
        request: Request,
        call: Call,
        times: dict[Wait, list[float]],
        watch: Stopwatch,
    ) -> None:
        """Sleep before a retry of a write; raise where no retry helps or the answer's deadline is over."""
        wait = write_wait(error, call)
        if wait is None:
            raise OutcomeUnknown(error) if is_outage(error) else error
        times[wait].append(watch.now())
        attempt, waited = len(times[wait]), times[wait][-1] - times[wait][0]
        if waited >= wait.seconds:
            error.waited = f"{waited:.0f} s for {wait.until}"  # type: ignore[attr-defined]
            raise error
        if wait not in call.waits:
            self._back_off(error, request, attempt, waited, wait.seconds)
            return
        self.on_wait(request.waiting(wait.until, waited, wait.seconds))
        self.clock.sleep(min(2.0 ** min(attempt - 1, 3), max(wait.seconds - waited, 0.1)))

    def _annotate(self, error: Exception, request: Request) -> None:
        """Set on the error the call that it answers, and a Region that accepted the credentials."""
        accepted = tuple(self._accepted)  # a copy, because other threads add to it
        error.service = request.service  # type: ignore[attr-defined]
        error.operation = request.name  # type: ignore[attr-defined]
        error.region = request.region  # type: ignore[attr-defined]
        # Where another Region accepted the credentials, they are valid, and this Region may not be enabled.
        error.accepted_in = "" if request.region in accepted else next(iter(accepted), "")  # type: ignore[attr-defined]

    def _back_off(
        self, error: Exception, request: Request, attempt: int, waited: float, limit: float
    ) -> None:
        """Sleep longer at each attempt, with jitter, so that many callers do not come back at once."""
        if is_throttle(error):
            self.tally.add(0, 0, 1)
        if attempt > 2:
            self.on_wait(request.waiting(until(error), waited, limit))
        self.clock.sleep(self._random.uniform(0.1, min(0.3 * 2.0**attempt, 20.0)))
