"""The way to AWS of one run: session, clients, threads, and what becomes of a call that fails.

The only module beside `sandbox/` that knows boto3's lower half. One client per service and Region; calls are counted
where they leave the process; retries are ours, because botocore's quota is shared by all that share a client.
"""

from __future__ import annotations

import os
import platform
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, UnknownServiceError
from botocore.paginate import Paginator

from .. import __version__
from ..model import Target, Wait
from .errors import (
    BUSY,
    EXPIRED,
    Again,
    BotoCoreError,
    Incomplete,
    Interrupted,
    code_of,
    is_outage,
    is_throttle,
    is_unreachable,
)
from .guard import READS, guard, write_allowed
from .keyring import CALLER, Keyring
from .models import models
from .pace import Pace, kind_of
from .transport import Transport

CONNECT, READ = 10.0, 60.0  # seconds to wait for a connection, and for an answer
WORKERS = 32  # one account's reads in flight
_ATTEMPTS = 8  # of a read
_BUSY = 120.0  # seconds of a call's retries while something else is under way on the same thing
_DEADLINE = 60.0  # seconds of a call's retries for throttling and outages


# botocore makes its own anew for each call, for a fifth of what the call costs.
_USER_AGENT = (
    f"provision/{__version__} Botocore/{botocore.__version__} Python/{platform.python_version()}"
    f" {platform.system()}/{platform.machine()}"
)


class Clock(Protocol):
    """Time, so that a test can make it fly."""

    def now(self) -> float:
        """Seconds since some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""


class _Interruptible:
    """Real time; a sleep ends when the user interrupts."""

    def __init__(self, stop: threading.Event):
        self._stop = stop

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)


@dataclass(frozen=True)
class Waiting:
    """The run waits: for AWS to see an earlier write, or for its rate. *limit* and *waited* are seconds."""

    target: Target
    operation: str
    until: str
    waited: float
    limit: float


@dataclass(frozen=True)
class Options:
    """Where the credentials and the endpoint come from. None is what every AWS tool does by itself."""

    profile: str | None = None
    endpoint_url: str | None = None
    paced: bool = True  # by AWS's documented rates; what is no AWS has none
    direct: bool = False  # by `transport.py`; the sandbox stands where botocore's own session does


@dataclass
class Tally:
    """Calls that left this process. *writes* are those that can change AWS."""

    calls: int = 0
    writes: int = 0
    throttled: int = 0
    depth: int = 1  # the longest chain of calls each of which had to wait for the one before
    by_operation: dict[str, int] = field(default_factory=dict)

    def deepest(self, depth: int) -> None:
        """A chain of *depth* calls was seen."""
        self.depth = max(self.depth, depth)


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
        self.clock: Clock = clock or _Interruptible(self.stop)
        self.tally = Tally()
        self.on_wait = on_wait or (lambda waiting: None)
        self._session = botocore.session.Session(profile=options.profile)
        self._session.register_component(
            "data_loader", models(self._session.get_config_variable("data_path"))
        )
        chain = self._session.get_component("credential_provider")
        self.keyring = Keyring(chain.load_credentials)
        self._session.register_component("credential_provider", self.keyring)
        self.pace = Pace(documented=options.paced)
        self._endpoint_url = options.endpoint_url
        bundle = self._session.get_config_variable("ca_bundle")
        self._transport = Transport(connect=CONNECT, read=READ, ca_bundle=bundle) if options.direct else None
        self._clients: dict[tuple[str, str], Any] = {}
        self._pages: dict[str, Mapping[str, Any]] = {}  # by service
        self._welcome: dict[str, None] = {}  # the Regions that have taken the credentials, in that order
        self._lock = threading.Lock()  # botocore sessions are not thread-safe; the clients they make are
        self._random = random.Random()  # noqa: S311 - it spreads callers over time, it guards nothing
        self.readers = ThreadPoolExecutor(workers, thread_name_prefix="read")

    def close(self, *, wait: bool = False) -> None:
        """No connection of this run is left, and with *wait* no question that nobody needed the answer to."""
        self.readers.shutdown(wait=wait, cancel_futures=True)
        for client in self._clients.values():
            client.close()
        if self._transport is not None:
            self._transport.close()

    @staticmethod
    def default_region(profile: str | None) -> str | None:
        """The Region that AWS_REGION, AWS_DEFAULT_REGION or the profile name, or None."""
        named = os.environ.get("AWS_REGION") or botocore.session.Session(profile=profile).get_config_variable(
            "region"
        )
        return str(named) if named else None

    def regions(self) -> dict[str, str]:
        """Every Region that botocore knows, with its partition."""
        session = self._session
        return {
            region: partition
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("ec2", partition)
        }

    def offers(self, service: str, region: str) -> bool:
        """The service exists in the Region, as far as botocore knows."""
        with self._lock:
            partition = self._session.get_partition_for_region(region)
            return region in self._session.get_available_regions(service, partition)

    def client(self, service: str, region: str) -> Any:
        """The client for *service* in *region*, with the guard on."""
        key = (service, region)
        found = self._clients.get(key)
        if found is None:
            with self._lock:
                found = self._clients.get(key) or self._make(service, region)
                self._clients[key] = found
        return found

    def warm(self, services: Iterable[str], region: str) -> None:
        """Begin to build the clients of *services*, while others wait for the network."""
        for service in services:
            self.readers.submit(self.client, service, region)

    def _make(self, service: str, region: str) -> Any:
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=CONNECT,
            read_timeout=READ,
            max_pool_connections=WORKERS,
            user_agent=_USER_AGENT,
            s3={"addressing_style": "path"},  # one host for every bucket, so that connections are used again
        )
        client = self._session.create_client(
            service, region_name=region, endpoint_url=self._endpoint_url, config=config
        )
        client.meta.events.register("provide-client-params", guard)
        client.meta.events.register_first("before-send", self._count)
        if self._transport is not None:
            client.meta.events.register("before-send", self._transport)  # type: ignore[arg-type]
        return client

    def _count(self, event_name: str, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        with self._lock:
            self.tally.calls += 1
            self.tally.writes += not operation.startswith(READS)
            name = event_name.partition(".")[2]
            self.tally.by_operation[name] = self.tally.by_operation.get(name, 0) + 1

    def read(self, target: Target, service: str, region: str, operation: str, params: dict[str, Any]) -> Any:
        """AWS's whole answer, all pages of it. Throttling and outages are met with up to 8 attempts in 60 s a page."""
        client = self.client(service, region)

        def once(**given: Any) -> Any:
            return self._patient(target, service, region, operation, given)

        paging = self._paging(service, client, operation)
        if paging is None:
            return once(**params)
        name = client.meta.method_to_api_mapping[operation]
        model = client.meta.service_model.operation_model(name)
        paginator: Any = Paginator(once, paging, model)  # type: ignore[arg-type] # the stubs are wrong about it
        return _whole(paginator.paginate(**params), operation)

    def _paging(self, service: str, client: Any, operation: str) -> Mapping[str, Any] | None:
        """How the operation's answers come in pages, or None. botocore's own way makes a class for each call."""
        if service not in self._pages:
            loader = self._session.get_component("data_loader")
            try:
                self._pages[service] = loader.load_service_model(service, "paginators-1")["pagination"]
            except UnknownServiceError:
                self._pages[service] = {}
        found: Mapping[str, Any] | None = self._pages[service].get(
            client.meta.method_to_api_mapping[operation]
        )
        return found

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
        for last in (False, True):
            self.enter(account)
            pause = self.pace.wait(where, kind, self.clock.now())
            if pause > 0:
                self.on_wait(Waiting(target, operation, f"AWS's rate for {service} in {region}", 0.0, pause))
                self.clock.sleep(pause)
            try:
                with self.keyring.acting(account):
                    answer = getattr(client, operation)(**params)
            except ClientError as error:
                if is_throttle(error):
                    self.pace.refused(where, kind, self.clock.now())
                # A long run outlives an assumed role's credentials; a clock that is wrong makes it happen early.
                if last or code_of(error) not in EXPIRED or not self.keyring.drop(account):
                    raise
            else:
                self.pace.passed(where, kind)
                return answer
        raise AssertionError("unreachable")

    def enter(self, account: str) -> None:
        """The account's credentials are there: its role is assumed, unless it is the caller's own or already is."""
        role = self.keyring.role
        if role is not None:
            self.keyring.ensure(
                account,
                lambda params: self.read(
                    Target(CALLER, role.region), "sts", role.region, "assume_role", params
                ),
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
            raise Again(error) if is_outage(error) else error
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
