"""Statistics of the server: `GET /__stats` returns them, `GET /__reset` sets them to zero."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from time import process_time
from typing import Any, Final

from .answers import Organization
from .wire import Loop, Traffic

_UNSIGNED: Final = {
    "__type": "MissingAuthenticationTokenException",
    "message": "Missing Authentication Token",
}


class Stats:
    """Answers unsigned requests: statistics, and an error for all others."""

    def __init__(self, organization: Organization):
        self.loop: Loop | None = None
        self._organization = organization
        self._cpu_before = process_time()
        organization.unsigned = self.answer

    def answer(self, head: bytes) -> bytes:
        """The answer to an unsigned request with that head."""
        path = head.split(b" ")[1]
        if path == b"/__stats":
            return _json(200, self._numbers())
        if path == b"/__reset":
            self._reset()
            return _json(200, {})
        return _json(403, _UNSIGNED)

    def _numbers(self) -> Mapping[str, Any]:
        operations, answers = Counter[str](), Counter[str]()
        organization = self._organization
        for (fault, *_), reply in organization.replies.items():
            operations[reply.name] += reply.given
            answers[fault or "answered"] += reply.given
        seconds, bucket = organization.state.slowest(organization.accounts, organization.regions)
        traffic = self.loop.traffic if self.loop else Traffic()
        return {
            "requests": sum(answers.values()) + organization.resets,
            "operations": {name: count for name, count in sorted(operations.items()) if count},
            "answers": {**answers, "reset": organization.resets},
            "bytes": {"received": traffic.received, "sent": traffic.sent},
            "connections": {"opened": traffic.opened, "peak": traffic.peak},
            "drifted": organization.state.drifted,
            "rate": {"seconds": round(seconds, 3), "bucket": bucket},
            "asked_of_the_sandbox": organization.recordings,
            "cpu": round(process_time() - self._cpu_before, 3),
        }

    def _reset(self) -> None:
        for reply in self._organization.replies.values():
            reply.given = 0
        self._organization.resets = self._organization.recordings = 0
        self._organization.state.reset()
        if self.loop:
            self.loop.reset()
        self._cpu_before = process_time()


def _json(status: int, value: object) -> bytes:
    body = json.dumps(value).encode()
    kind = b"Content-Type: application/json"
    return b"HTTP/1.1 %d Stats\r\n%b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body)
