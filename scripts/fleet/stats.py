"""What the server says of itself: at `/__stats`, until `/__reset` begins anew."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from time import process_time
from typing import Any, Final

from .answers import Organization
from .state import State
from .wire import Loop, Traffic

_UNSIGNED: Final = {
    "__type": "MissingAuthenticationTokenException",
    "message": "Missing Authentication Token",
}


class Stats:
    """Answers what nobody has signed."""

    def __init__(
        self, organization: Organization, state: State, accounts: Sequence[str], regions: Sequence[str]
    ):
        self.loop: Loop | None = None
        self._organization = organization
        self._state = state
        self._accounts = accounts
        self._regions = [*regions, "other Regions"]
        self._since = process_time()
        organization.unsigned = self.answer

    def answer(self, head: bytes) -> bytes:
        """The numbers; or they are set to nothing; or the request is refused, as AWS does it."""
        path = head.split(b" ")[1]
        if path == b"/__stats":
            return _json(200, self._numbers())
        if path == b"/__reset":
            self._reset()
            return _json(200, {})
        return _json(403, _UNSIGNED)

    def _numbers(self) -> Mapping[str, Any]:
        operations, moods = Counter[str](), Counter[str]()
        for (mood, *_), reply in self._organization.replies.items():
            operations[reply.name] += reply.given
            moods[mood or "answered"] += reply.given
        seconds, lane = self._state.slowest(self._accounts, self._regions)
        traffic = self.loop.traffic if self.loop else Traffic()
        return {
            "requests": sum(moods.values()) + self._organization.resets,
            "operations": {name: count for name, count in sorted(operations.items()) if count},
            "answers": {**moods, "reset": self._organization.resets},
            "bytes": {"received": traffic.received, "sent": traffic.sent},
            "connections": {"opened": traffic.opened, "peak": traffic.peak},
            "drifted": self._state.drifted,
            "rate": {"seconds": round(seconds, 3), "lane": lane},
            "asked_of_the_sandbox": self._organization.learned,
            "cpu": round(process_time() - self._since, 3),
        }

    def _reset(self) -> None:
        for reply in self._organization.replies.values():
            reply.given = 0
        self._organization.resets = self._organization.learned = 0
        self._state.reset()
        if self.loop:
            self.loop.begin_anew()
        self._since = process_time()


def _json(status: int, value: object) -> bytes:
    body = json.dumps(value).encode()
    kind = b"Content-Type: application/json"
    return b"HTTP/1.1 %d Told\r\n%b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body)
