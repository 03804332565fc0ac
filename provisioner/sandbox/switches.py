"""What a test can do to a world besides calling it: faults, denials, Regions, time, rates, more accounts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import denial
from .rules.rates import Limiter
from .stale import Stale
from .words import Interrupt, SandboxError

if TYPE_CHECKING:
    from .callers import Session

Lift = Callable[[], None]
_SET = {"rates", "page_size", "empty_pages", "stale_reads", "propagation", "expired"}
_SET |= {"credentials_lifetime", "credentials_calls"}


class Switches:
    """The part of a world that is not AWS. Nothing of it is saved, and `World.reset` undoes it."""

    memory: dict[str, Any]

    def _set_switches(self) -> None:
        self.page_size = 0  # where set, lists answer pages of that many
        self.empty_pages = False  # every other page of Organizations' lists is empty, and has a token
        self.stale_reads = 0  # so many reads of an operation after a write show what was before it
        self.propagation = 0  # so many calls a new bucket, policy, role or channel is refused
        self.rates = False  # who asks more often than AWS lets is throttled
        self.expired = False  # all credentials are good no more
        self.credentials_lifetime = (
            0.0  # where set, assumed credentials last no more seconds than that, and say so
        )
        self.credentials_calls = (
            0  # where set, assumed credentials are good for so many calls, and do not say so
        )
        self.disabled: set[str] = set()  # Regions that no account has enabled
        self.regions: dict[tuple[str | None, str], bool] = {}  # switched on and off; None is every account
        self.clock: Callable[[], float] = time.time  # seconds
        self.limiter = Limiter()
        self._ahead = 0.0
        self._used: Counter[str] = Counter()
        self._stale = Stale()
        self._denials: list[denial.Denial] = []
        self._interrupts: list[Interrupt] = []

    def set(self, **switches: Any) -> None:
        """Switches by name, e.g. `set(rates=True, page_size=5)`; raises `SandboxError` for one there is not."""
        if unknown := sorted(set(switches) - _SET):
            raise SandboxError(f"no such switch: {', '.join(unknown)}; there are {', '.join(sorted(_SET))}")
        for name, value in switches.items():
            setattr(self, name, type(getattr(self, name))(value))

    def now(self) -> float:
        """The world's own time in seconds: what its clock says, and what `later` has added."""
        return self.clock() + self._ahead

    def later(self, seconds: float) -> None:
        """So much time has gone by in the world."""
        self._ahead += seconds

    def interrupt(self, fn: Interrupt) -> Lift:
        """*fn* is consulted for each request, before it is dispatched and after its effect; the answer ends it.

        It may return a `Fault` to answer instead, or raise: a `ConnectionError` or `TimeoutError` is to
        the caller a connection that broke, and a `ConnectionRefusedError` an address where nobody is.
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
    ) -> Lift:
        """The caller may not do *operation* (`*` fits any text); the answer lifts the denial.

        With *scp*, the id of a service control policy (`p-…`), that policy denies it: to members only.
        """
        denied = denial.Denial(service, operation, region, account, scp)
        self._denials.append(denied)
        return lambda: self._denials.remove(denied)

    def disable(self, region: str, account: str | None = None) -> None:
        """The account, or every one, has not enabled the Region."""
        self.regions[account, region] = False

    def enable(self, region: str, account: str | None = None) -> None:
        """The account, or every one, has enabled the Region."""
        self.disabled.discard(region)
        self.regions[account, region] = True

    def expire(self, account: str | None = None) -> None:
        """Every session of the account, or of all accounts, has ended, whatever it was told."""
        held: dict[str, Session] = self.memory.get("sessions", {})
        for session in held.values():
            if account in (None, session.account):
                session.ends = self.now()

    def has_ended(self, key: str, session: Session) -> bool:
        """The session is good no more; each question counts as a call."""
        self._used[key] += 1
        spent = 0 < self.credentials_calls < self._used[key]
        return spent or self.now() >= session.ends
