"""What all serving processes share: how fast each account was asked, and what in it has drifted.

Two processes may count the same call at the same moment and lose one. That is one call in many thousands, and no lock.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Final

from provisioner.sandbox.rules.rates import OWN_RATES, RATES, rate_of
from provisioner.steps.registry import all_steps

# "IAM and AWS STS quotas". What else AWS documents, each service's sandbox says; for all others a rate is given.
_STS: Final = 600.0
_UNKNOWN: Final = {"iam", "s3", "organizations", "account"}  # the sandbox's rates for these are not AWS's


@cache
def lanes() -> dict[str, float | None]:
    """The calls a second that AWS lets one account make in one Region, by what it counts together; None: not documented.

    It saves up those of a second.
    """
    clients = {client for step in all_steps().values() for client in step.clients}
    found: dict[str, float | None] = {}
    for service in sorted({*clients, *_UNKNOWN, "sts"}):
        own = sorted(name for name, of in OWN_RATES if name == service and of)
        for operation in ("GetX", "PutX", *(of for name, of in OWN_RATES if name in own)):
            name, rate = _lane(service, operation)
            found[name] = rate
    return {**found, "others": None}


def _lane(service: str, operation: str) -> tuple[str, float | None]:
    if service == "sts":
        return service, _STS
    if service not in RATES or service in _UNKNOWN:
        return service, None
    group, rate = rate_of(service, operation)
    return f"{service} {group}", rate


def lane(service: str, operation: str) -> int:
    """The number of the lane that a call is in."""
    names = [*lanes()]
    name, _ = _lane(service, operation)
    return names.index(name if name in names else "others")


class State:
    """The state of *accounts* accounts in *regions* Regions. `due` and `given` have a number for each lane in each."""

    def __init__(self, accounts: int, regions: int, rate: float):
        self.regions = regions
        self.rates = [each or rate for each in lanes().values()]
        self._lanes = accounts * regions * len(lanes())
        self._accounts = accounts
        memory = memoryview(mmap.mmap(-1, 16 * self._lanes + 2 * accounts))
        self.due = memory[: 8 * self._lanes].cast("d")
        self.given = memory[8 * self._lanes : 16 * self._lanes].cast("d")
        rest = memory[16 * self._lanes :]
        self.account_drift = rest[:accounts]  # 1 where what the account has once has drifted
        self.region_drift = rest[accounts:]  # the Region in which something has drifted, counted from 1; or 0
        self._drifted: list[tuple[int, int]] = []

    def drift(self, share: float, named_regions: int, seed: int) -> None:
        """That share of the members has drifted, always the same ones for a *seed*."""
        chance = Random(seed)  # noqa: S311 - it shall be foreseeable
        members = range(1, self._accounts)
        chosen = chance.sample(members, round(share * len(members)))
        self._drifted = [(place, chance.randrange(named_regions) + 1) for place in sorted(chosen)]
        self.reset()

    def reset(self) -> None:
        """As at the beginning: nothing was asked, and what had drifted has drifted again."""
        self.due[:] = self.given[:] = memoryview(bytes(8 * self._lanes)).cast("d")
        self.account_drift[:] = self.region_drift[:] = bytes(self._accounts)
        for place, region in self._drifted:
            self.account_drift[place], self.region_drift[place] = 1, region

    @property
    def drifted(self) -> int:
        """The accounts that have drifted and are not repaired."""
        return sum(1 for p, r in zip(self.account_drift, self.region_drift, strict=True) if p or r)

    def slowest(self, accounts: Sequence[str], regions: Sequence[str]) -> tuple[float, str]:
        """The seconds that the lane that was asked most needs at the least, and which it is."""
        width = len(lanes())
        most = max(range(self._lanes), key=lambda i: self.given[i] / self.rates[i % width])
        place, spot = divmod(most // width, self.regions)
        seconds = self.given[most] / self.rates[most % width] - 1
        return max(seconds, 0.0), f"{[*lanes()][most % width]} of {accounts[place]} in {regions[spot]}"
