"""Control a sandbox from other processes: `POST /_sandbox/<verb>` with JSON, and `GET /_sandbox` for call counts.

curl -H 'Content-Type: application/json' -d '{"accounts": 50}' $AWS_ENDPOINT_URL/_sandbox/organization
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from .faults import RandomFaults
from .model import CONTROL, SandboxError

if TYPE_CHECKING:
    from .switches import Undo
    from .world import World

Result = dict[str, Any]


class Control:
    """The HTTP verbs that change a world. Their effect ends with `lift` or `reset`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lifts: dict[int, Undo] = {}
        self._verbs: Mapping[str, Callable[..., Result | None]] = {
            "organization": self._organization,
            "standalone": world.standalone,
            "set": world.set,
            "deny": lambda **given: self._liftable(world.deny(**given)),
            "random_faults": lambda **given: self._liftable(world.interrupt(RandomFaults(**given))),
            "lift": lambda lift: self._lifts.pop(lift)(),
            "disable": world.disable,
            "enable": world.enable,
            "expire": world.expire,
            "later": world.later,
            "reset": self._reset,
        }

    def answer(self, method: str, path: str, kind: str, body: bytes) -> tuple[int, bytes]:
        """Carry out a request: the HTTP status, and a JSON result or `{"error": text}`."""
        verb = urlsplit(path).path.removeprefix(CONTROL).strip("/")
        try:
            if method == "GET" and not verb:
                result = self._seen(int(parse_qs(urlsplit(path).query).get("since", ["0"])[0]))
            elif method == "POST" and verb in self._verbs:
                # A page in a browser can post a form to this machine, but JSON only after a CORS preflight request.
                if kind.partition(";")[0].strip().lower() != "application/json":
                    raise SandboxError("send `Content-Type: application/json`")
                result = self._verbs[verb](**json.loads(body or b"{}")) or {}
            else:
                verbs = ", ".join(sorted(self._verbs))
                raise SandboxError(
                    f"no `{method} {path}`; there are GET {CONTROL}, and POST {CONTROL}/ with {verbs}"
                )
        except (SandboxError, TypeError, ValueError, KeyError) as error:
            return 400, json.dumps({"error": str(error)}).encode()
        return 200, json.dumps(result).encode()

    def _organization(self, **given: Any) -> Result:
        return {"accounts": [asdict(member) for member in self._world.organization(**given)]}

    def _liftable(self, lift: Undo) -> Result:
        number = max(self._lifts, default=0) + 1
        self._lifts[number] = lift
        return {"lift": number}

    def _reset(self) -> None:
        self._world.reset()
        self._lifts.clear()

    def _seen(self, since: int) -> Result:
        """Counts of the calls after the first *since*, by code, operation and account."""
        calls = self._world.calls[since:]
        return {
            "calls": len(self._world.calls),
            "writes": sum(call.writes for call in calls),
            "codes": Counter(call.code or "OK" for call in calls),
            "operations": Counter(f"{call.service}:{call.operation}" for call in calls),
            "accounts": Counter(call.account for call in calls),
            "throttled": {
                " ".join(where): count for where, count in self._world.limiter.throttled.items() if count
            },
        }
