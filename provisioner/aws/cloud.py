"""The way to AWS of one run: whose credentials, at which pace, and what becomes of a call that fails."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from ..model import Target, Wait
from .clients import Clients
from .errors import (
    BUSY,
    EXPIRED,
    BotoCoreError,
    Incomplete,
    Interrupted,
    OutcomeUnknown,
    code_of,
    is_outage,
    is_throttle,
    is_unreachable,
)
from .guard import READS, write_allowed
from .keyring import CALLER
from .rate_limit import Pace, kind_of
from .terms import Clock, Options, RealClock, Tally, Waiting

WORKERS = 32  # one account's reads in flight
_ATTEMPTS = 8  # of a read
_RENEWALS = 3  # of credentials, for one call
_BUSY = 120.0  # seconds of a call's retries while something else is under way on the same thing
_DEADLINE = 60.0  # seconds of a call's retries for throttling and outages


@dataclass
class _Patience:
    """Since when one call has met each answer that is waited out, and how often. Each has its own time."""

    since: dict[Wait | str, float] = field(default_factory=dict)
    times: Counter[Wait | str] = field(default_factory=Counter)

    def meet(self, why: Wait | str, now: float) -> float:
        """The seconds since this answer came for the first time."""
        self.times[why] += 1
        return now - self.since.setdefault(why, now)


class Cloud:
    """One set of credentials' way to AWS.

    Raises botocore's ProfileNotFound when *options* name a profile that is not configured.
    """

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
        self.pace = Pace(documented=options.paced)
        self._clients = Clients(options, self.tally)
        self.keyring = self._clients.keyring
        self._welcome: dict[str, None] = {}  # the Regions that have taken the credentials, in that order
        self._random = random.Random()  # noqa: S311 - it spreads callers over time, it guards nothing
        self.readers = ThreadPoolExecutor(workers, thread_name_prefix="read")

    def close(self, *, wait: bool = False) -> None:
        """No connection of this run is left, and with *wait* no question that nobody needed the answer to."""
        self.readers.shutdown(wait=wait, cancel_futures=True)
        self._clients.close()

    @staticmethod
    def default_region(profile: str | None) -> str | None:
        """The Region that AWS_REGION, AWS_DEFAULT_REGION or the profile name, or None."""
        return Clients.default_region(profile)

    def regions(self) -> dict[str, str]:
        """Every Region that botocore knows, with its partition."""
        return self._clients.regions()

    def offers(self, service: str, region: str) -> bool:
        """The service exists in the Region, as far as botocore knows."""
        return self._clients.offers(service, region)

    def client(self, service: str, region: str) -> Any:
        """The client for *service* in *region*, with the guard on."""
        return self._clients.client(service, region)

    def warm(self, services: Iterable[str], region: str) -> None:
        """Begin to build the clients of *services*, while others wait for the network."""
        for service in services:
            self.readers.submit(self.client, service, region)

    def read(self, target: Target, service: str, region: str, operation: str, params: dict[str, Any]) -> Any:
        """AWS's whole answer, all pages of it. Throttling and outages are met with up to 8 attempts in 60 s a page."""

        def once(**given: Any) -> Any:
            return self._patient(target, service, region, operation, given)

        pages = self._clients.pages(service, region, operation, once)
        return once(**params) if pages is None else _whole(pages.paginate(**params), operation)

    def _patient(
        self, target: Target, service: str, region: str, operation: str, params: dict[str, Any]
    ) -> Any:
        """AWS's answer to one question, asked again where AWS refused it for the rate or was away."""
        started = self.clock.now()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._signed(target, service, region, operation, params)
            except (ClientError, BotoCoreError) as error:
                self._name(error, service, self.client(service, region), operation)
                worth = is_throttle(error) or is_outage(error)
                tries = 3 if is_unreachable(error) else _ATTEMPTS
                waited = self.clock.now() - started
                if not worth or attempt >= tries or waited > _DEADLINE:
                    raise
                self._pause(error, target, operation, attempt, waited)
            else:
                if region not in self._welcome:
                    self._welcome[region] = None
                return answer
        raise AssertionError("unreachable")

    def _signed(
        self, target: Target, service: str, region: str, operation: str, params: dict[str, Any]
    ) -> Any:
        """The answer to one request, in time for AWS's rate and with the credentials of the target's account."""
        client = self.client(service, region)
        account = self.keyring.whose(target.account)
        where = (account, region, service)
        kind = kind_of(client.meta.method_to_api_mapping[operation], READS)
        for left in range(_RENEWALS, -1, -1):
            used = self.enter(account)
            pause = self.pace.wait(where, kind, self.clock.now())
            if pause > 0:
                self.on_wait(Waiting(target, operation, f"AWS's rate for {service} in {region}", 0.0, pause))
                self.clock.sleep(pause)
            try:
                with self.keyring.signing(used):
                    answer = self._clients.call(service, region, operation, params)
            except ClientError as error:
                if is_throttle(error):
                    self.pace.refused(where, kind, self.clock.now())
                # A long run outlives an assumed role's credentials; a clock that is wrong makes it happen early.
                if not left or code_of(error) not in EXPIRED or used is None:
                    raise
                self.keyring.drop(account, used)
            else:
                self.pace.passed(where, kind)
                return answer
        raise AssertionError("unreachable")

    def enter(self, account: str) -> ReadOnlyCredentials | None:
        """The account's credentials: its role is assumed, unless it is the caller's own or already is."""
        role = self.keyring.role
        if role is None:
            return None
        return self.keyring.ensure(
            account,
            lambda params: self.read(Target(CALLER, role.region), "sts", role.region, "assume_role", params),
        )

    def leave(self, account: str) -> None:
        """The account is done with: nothing of it is remembered."""
        self.keyring.drop(account)
        self.pace.forget(account)

    def write(
        self,
        target: Target,
        service: str,
        region: str,
        operation: str,
        params: dict[str, Any],
        waits: tuple[Wait, ...],
    ) -> Any:
        """Make the call. Raises Again when its outcome is unknown, Interrupted when the user stopped the run.

        A refusal for the rate, or because something else is under way, is met again for a minute; an answer that
        *waits* names, for as long as it says.
        """
        client = self.client(service, region)
        patience = _Patience()
        for _ in range(1000):
            if self.stop.is_set():
                raise Interrupted(f"{client.meta.method_to_api_mapping[operation]} was not called")
            try:
                with write_allowed():
                    return self._signed(target, service, region, operation, params)
            except (ClientError, BotoCoreError) as error:
                self._name(error, service, client, operation)
                self._refused(error, target, operation, patience, waits)
        raise AssertionError("unreachable")

    def _refused(
        self,
        error: Exception,
        target: Target,
        operation: str,
        patience: _Patience,
        waits: tuple[Wait, ...],
    ) -> None:
        """Wait where waiting helps; raise where it does not, or where it has not helped in its time."""
        wait = next((w for w in waits if w.code == code_of(error) and w.text in str(error)), None)
        if wait is None and not is_throttle(error) and code_of(error) not in BUSY:
            raise OutcomeUnknown(error) if is_outage(error) else error
        why = wait or code_of(error)
        waited = patience.meet(why, self.clock.now())
        if waited >= (wait.seconds if wait else _BUSY if code_of(error) in BUSY else _DEADLINE):
            error.waited = f"{waited:.0f} s for {wait.until if wait else _why(error)}"  # type: ignore[attr-defined]
            raise error
        if wait is None:
            self._pause(error, target, operation, patience.times[why], waited)
            return
        self.on_wait(Waiting(target, operation, wait.until, waited, wait.seconds))
        self.clock.sleep(min(2.0 ** min(patience.times[why] - 1, 3), max(wait.seconds - waited, 0.1)))

    def _name(self, error: Exception, service: str, client: Any, operation: str) -> None:
        """Leave on the error which call it was, and what an error does not know by itself."""
        region = client.meta.region_name
        error.service = service  # type: ignore[attr-defined]
        error.operation = client.meta.method_to_api_mapping.get(operation, operation)  # type: ignore[attr-defined]
        error.region = region  # type: ignore[attr-defined]
        # The credentials are good, where a Region took them; this one may still not be enabled.
        welcome = tuple(self._welcome)  # in one step, as other threads add to it
        error.welcome_in = "" if region in welcome else next(iter(welcome), "")  # type: ignore[attr-defined]

    def _pause(self, error: Exception, target: Target, operation: str, attempt: int, waited: float) -> None:
        """Sleep longer each time, with jitter, so that many callers do not come back at once."""
        if is_throttle(error):
            self.tally.throttled += 1
        if attempt > 2:
            self.on_wait(Waiting(target, operation, _why(error), waited, _DEADLINE))
        self.clock.sleep(self._random.uniform(0.1, min(0.3 * 2.0**attempt, 20.0)))


def _whole(pages: Any, operation: str) -> dict[str, Any]:
    """All pages as one answer. botocore's own way passes over a page without the list that it promises.

    Raises Incomplete for such a page: what it held cannot be told from absence.
    """
    names = [each.expression for each in pages.result_keys]
    whole: dict[str, Any] = {}
    for page in pages:
        for name in names:
            if name not in page:
                raise Incomplete(f"AWS answered {operation} with a page without `{name}`; run again")
            whole[name] = [*whole.get(name, []), *page[name]]
    return whole


def _why(error: Exception) -> str:
    """What is waited for after *error*."""
    if is_throttle(error):
        return "AWS's rate limit to pass"
    return f"AWS to answer after {code_of(error) or 'a broken connection'}"
