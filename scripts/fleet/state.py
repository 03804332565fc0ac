"""State that all server processes share: the rate limits of each account, and what has drifted in it.

There is no lock: two processes that count a call at the same moment may lose one, which is rare enough.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Final

from provisioner.sandbox.rules.rates import OWN_RATES, RATES, rate_of
from provisioner.steps.registry import all_steps

_STS: Final = 600.0  # calls a second: "IAM and AWS STS quotas"
# AWS documents no rates for these; those of the sandbox are made up.
_UNDOCUMENTED: Final = {"iam", "s3", "organizations", "account"}


@cache
def buckets() -> dict[str, float | None]:
    """The rate limits of one account in one Region: calls a second by bucket, or None where AWS documents none.

    A bucket holds the calls of one second.
    """
    clients = {client for step in all_steps().values() for client in step.clients}
    found: dict[str, float | None] = {}
    for service in sorted({*clients, *_UNDOCUMENTED, "sts"}):
        own = sorted(name for name, of in OWN_RATES if name == service and of)
        for operation in ("GetX", "PutX", *(of for name, of in OWN_RATES if name in own)):
            name, rate = _bucket(service, operation)
            found[name] = rate
    return {**found, "others": None}


def _bucket(service: str, operation: str) -> tuple[str, float | None]:
    if service == "sts":
        return service, _STS
    if service not in RATES or service in _UNDOCUMENTED:
        return service, None
    group, rate = rate_of(service, operation)
    return f"{service} {group}", rate


def bucket(service: str, operation: str) -> int:
    """The index of the bucket from which a call is taken."""
    names = [*buckets()]
    name, _ = _bucket(service, operation)
    return names.index(name if name in names else "others")


class State:
    """State of *accounts* accounts in *regions* Regions. *rate*: calls a second where AWS documents none.

    `due` and `given` have an item for each bucket of each account in each Region: when its next call is due, and how many
    calls it has had.
    """

    def __init__(self, accounts: int, regions: int, rate: float):
        self.regions = regions
        self.rates = [each or rate for each in buckets().values()]
        self._buckets = accounts * regions * len(self.rates)
        self._accounts = accounts
        memory = memoryview(mmap.mmap(-1, 16 * self._buckets + 2 * accounts))
        self.due = memory[: 8 * self._buckets].cast("d")
        self.given = memory[8 * self._buckets : 16 * self._buckets].cast("d")
        rest = memory[16 * self._buckets :]
        self.account_drift = rest[:accounts]  # 1 if a setting of the account has drifted
        self.region_drift = rest[accounts:]  # the Region in which a setting has drifted, counted from 1; or 0
        self._drifted: list[tuple[int, int]] = []

    def drift(self, share: float, named_regions: int, seed: int) -> None:
        """Let that share of the members drift, always the same ones for a *seed*."""
        random = Random(seed)  # noqa: S311 - it must be reproducible
        members = range(1, self._accounts)
        chosen = random.sample(members, round(share * len(members)))
        self._drifted = [(index, random.randrange(named_regions) + 1) for index in sorted(chosen)]
        self.reset()

    def reset(self) -> None:
        """Forget all calls and repairs."""
        self.due[:] = self.given[:] = memoryview(bytes(8 * self._buckets)).cast("d")
        self.account_drift[:] = self.region_drift[:] = bytes(self._accounts)
        for index, region in self._drifted:
            self.account_drift[index], self.region_drift[index] = 1, region

    @property
    def drifted(self) -> int:
        """The number of accounts that have drifted and are not repaired."""
        return sum(1 for a, r in zip(self.account_drift, self.region_drift, strict=True) if a or r)

    def slowest(self, accounts: Sequence[str], regions: Sequence[str]) -> tuple[float, str]:
        """The seconds that the calls of the busiest bucket take at its rate, and its name."""
        width = len(self.rates)
        busiest = max(range(self._buckets), key=lambda i: self.given[i] / self.rates[i % width])
        account, region = divmod(busiest // width, self.regions)
        seconds = self.given[busiest] / self.rates[busiest % width] - 1
        name = f"{[*buckets()][busiest % width]} of {accounts[account]} in {regions[region]}"
        return max(seconds, 0.0), name
