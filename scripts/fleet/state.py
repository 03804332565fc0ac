"""What all serving processes share: how fast each account was asked, and what in it has drifted.

Two processes may count the same call at the same moment and lose one. That is one call in many thousands, and no lock.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from random import Random
from typing import Final

# Calls a second that AWS lets one account make in one Region, by what it counts together; it saves up those of a
# second. CloudTrail: "Quotas in AWS CloudTrail". STS: "IAM and AWS STS quotas". None is set when the server starts.
LANES: Final[dict[str, float | None]] = {
    "sts": 600,
    "cloudtrail reads": 10,
    "cloudtrail LookupEvents": 2,
    "cloudtrail writes": 1,
    "iam": None,
    "config": None,
    "s3": None,
    "organizations": None,
    "account": None,
    "others": None,
}
_NAMES: Final = tuple(LANES)


def lane(service: str, operation: str) -> int:
    """The number of the lane that a call is in."""
    if service == "cloudtrail":
        reads = operation.startswith(("Get", "Describe", "List"))
        service = (
            "cloudtrail reads"
            if reads
            else f"cloudtrail {'LookupEvents' if operation == 'LookupEvents' else 'writes'}"
        )
    return _NAMES.index(service if service in LANES else "others")


class State:
    """The state of *accounts* accounts in *regions* Regions. `due` and `given` have a number for each lane in each."""

    def __init__(self, accounts: int, regions: int, rate: float):
        self.regions = regions
        self.rates = [each or rate for each in LANES.values()]
        self._lanes = accounts * regions * len(LANES)
        self._accounts = accounts
        memory = memoryview(mmap.mmap(-1, 16 * self._lanes + 2 * accounts))
        self.due = memory[: 8 * self._lanes].cast("d")
        self.given = memory[8 * self._lanes : 16 * self._lanes].cast("d")
        rest = memory[16 * self._lanes :]
        self.policy = rest[:accounts]  # 1 where the password policy has drifted
        self.recorder = rest[accounts:]  # the Region whose recorder is stopped, counted from 1; or 0
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
        self.policy[:] = self.recorder[:] = bytes(self._accounts)
        for place, region in self._drifted:
            self.policy[place], self.recorder[place] = 1, region

    @property
    def drifted(self) -> int:
        """The accounts that have drifted and are not repaired."""
        return sum(1 for p, r in zip(self.policy, self.recorder, strict=True) if p or r)

    def slowest(self, accounts: Sequence[str], regions: Sequence[str]) -> tuple[float, str]:
        """The seconds that the lane that was asked most needs at the least, and which it is."""
        width = len(LANES)
        most = max(range(self._lanes), key=lambda i: self.given[i] / self.rates[i % width])
        place, spot = divmod(most // width, self.regions)
        seconds = self.given[most] / self.rates[most % width] - 1
        return max(seconds, 0.0), f"{_NAMES[most % width]} of {accounts[place]} in {regions[spot]}"
