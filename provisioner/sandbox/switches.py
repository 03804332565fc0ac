"""Switches for tests: faults, denials, Regions, time, rate limits and eventual consistency."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import denial
from .model import Interrupt, SandboxError
from .rules.rates import Limiter

if TYPE_CHECKING:
    from .callers import Session

Undo = Callable[[], None]
_SET = {"rates", "page_size", "empty_pages", "stale_reads", "flapping", "propagation", "expired"}
_SET |= {"credentials_lifetime", "credentials_calls", "event_delay"}


class Switches:
    """The part of a world that is not AWS. It is never saved, and `World.reset` undoes it."""

    memory: dict[str, Any]

    def _set_switches(self) -> None:
        self.page_size = 0  # entries on a page of a list; 0 for AWS's own size
        self.empty_pages = False  # every other page of Organizations' lists is empty, with a token
        self.stale_reads = 0  # reads of each operation after a write that show the state before it
        self.flapping = False  # of the same read, only every other shows the state before a write
        self.propagation = 0  # calls for which a new bucket, policy, role or channel is not found
        self.rates = False  # calls above AWS's rate limits are throttled
        self.expired = False  # all credentials have expired
        self.credentials_lifetime = 0.0  # longest validity of assumed credentials in seconds; 0 for no limit
        self.credentials_calls = 0  # calls after which assumed credentials expire early; 0 for no limit
        self.event_delay = 0.0  # seconds until LookupEvents shows an event; for AWS up to 15 minutes
        self.disabled: set[str] = set()  # Regions that no account has enabled
        # By account, or None for every account, and Region: whether it is enabled.
        self.regions: dict[tuple[str | None, str], bool] = {}
        self.clock: Callable[[], float] = time.time  # seconds
        self.limiter = Limiter()
        self._offset = 0.0
        self._session_calls: Counter[str] = Counter()
        # By account and service: the state before the last write, and how many reads of each operation showed it.
        self._stale: dict[tuple[str, str], tuple[bytes, Counter[str]]] = {}
        self._denials: list[denial.Denial] = []
        self._interrupts: list[Interrupt] = []

    def set(self, **switches: Any) -> None:
        """Set switches by name, e.g. `set(rates=True, page_size=5)`. Raises `SandboxError` for an unknown one."""
        if unknown := sorted(set(switches) - _SET):
            raise SandboxError(f"no such switch: {', '.join(unknown)}; there are {', '.join(sorted(_SET))}")
        for name, value in switches.items():
            setattr(self, name, type(getattr(self, name))(value))

    def now(self) -> float:
        """The sandbox's own time in seconds: its clock, plus what `later` has added."""
        return self.clock() + self._offset

    def later(self, seconds: float) -> None:
        """Advance the sandbox's time."""
        self._offset += seconds

    def interrupt(self, fn: Interrupt) -> Undo:
        """Call *fn* for each request, before it is dispatched and after its effect, until the returned function is called.

        It may return a `Fault`, which becomes the response, or raise: for the caller, a `ConnectionError` or `TimeoutError` is a broken
        connection, and a `ConnectionRefusedError` an address where nothing listens.
        """
        self._interrupts.append(fn)
        return lambda: self._interrupts.remove(fn)

    def deny(
        self,
        service: str,
        operation: str,
        region: str | None = None,
        account: str | None = None,
        *,
        scp: str = "",
    ) -> Undo:
        """Deny *operation* (`*` matches any text) until the returned function is called.

        With *scp*, the id of a service control policy (`p-…`), that policy denies it: in members only.
        """
        denied = denial.Denial(service, operation, region, account, scp)
        self._denials.append(denied)
        return lambda: self._denials.remove(denied)

    def disable(self, region: str, account: str | None = None) -> None:
        """Disable the Region, in one account or in all."""
        self.regions[account, region] = False

    def enable(self, region: str, account: str | None = None) -> None:
        """Enable the Region, in one account or in all."""
        self.disabled.discard(region)
        self.regions[account, region] = True

    def expire(self, account: str | None = None) -> None:
        """End every session of the account, or of all accounts, before its stated expiration."""
        held: dict[str, Session] = self.memory.get("sessions", {})
        for session in held.values():
            if account in (None, session.account):
                session.ends = self.now()

    def has_ended(self, key: str, session: Session) -> bool:
        """Whether the session has expired; each question counts as a call."""
        self._session_calls[key] += 1
        spent = 0 < self.credentials_calls < self._session_calls[key]
        return spent or self.now() >= session.ends
