"""From the bytes of a request to those of its answer. What was asked before is a look-up and a join."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from time import monotonic
from typing import Final

from provisioner.sandbox.seed import MANAGEMENT

from . import replies
from .moods import MOODS
from .recorder import (
    DRIFTED,
    ELSEWHERE,
    HOME,
    IN_SYNC,
    ROLE,
    SESSION,
    TOKEN,
    Question,
    Recorded,
    Recorder,
)
from .replies import Reply
from .signatures import signed
from .state import State, lanes

_ASSUMED: Final = re.compile(rb"(?:^|&)RoleArn=arn%3Aaws%3Aiam%3A%3A(\d{12})%3Arole%2F([^&]+)")
_SESSION: Final = re.compile(rb"(^|&)RoleSessionName=([^&]+)")
_LASTS: Final = re.compile(rb"(?:^|&)DurationSeconds=(\d+)")
_TOKEN: Final = TOKEN.lower()
_STAND: Final = {each: each.encode() for each in (MANAGEMENT, IN_SYNC, DRIFTED)}
Key = tuple[
    str, str, bytes, bytes, bytes, bytes, bytes
]  # mood, who stands for it, Region, service, line, target, body


@dataclass(frozen=True)
class Weather:
    """What goes wrong: shares of all requests, and an *account* and a *region* that nobody may enter."""

    broken: float = 0.0
    reset: float = 0.0
    account: str = ""
    region: str = ""


class Organization:
    """Answers for all accounts. *accounts* begin with the management account, *regions* with the home Region."""

    def __init__(
        self,
        recorder: Recorder,
        accounts: Sequence[str],
        regions: Sequence[str],
        state: State,
        weather: Weather,
    ):
        self.replies: dict[Key, Reply] = {}
        self._recorded: dict[tuple[Key, str], Recorded] = {}
        self.resets = 0
        self.learned = 0  # answers that the sandbox was asked for
        self.unsigned: Callable[[bytes], bytes] = lambda head: b""
        self.checks_signatures = False
        self._recorder = recorder
        self._places = {each.encode(): place for place, each in enumerate(accounts)}
        self._spots = {each.encode(): spot for spot, each in enumerate(regions)}
        self._state = state
        self._gaps = [1 / each for each in state.rates]
        self._width = len(lanes())
        signed = {each.regional: each.service.encode() for each in recorder.drifts}
        self._account_drift, self._region_drift = signed.get(False, b""), signed.get(True, b"")
        self._weather = weather
        self._denied = weather.account.encode(), weather.region.encode()
        self._chance = Random(1)  # noqa: S311 - it shall be foreseeable
        self._number = 0

    def __call__(self, head: bytes, low: bytes, body: bytes) -> bytes | None:
        """The answer to a signed request; None where the connection is to break."""
        at = low.find(b"credential=")
        scope = low[at + 11 : low.find(b"/aws4_request", at)].split(b"/")
        if at < 0 or len(scope) != 4:
            return self.unsigned(head)
        access, _, region, service = scope
        account, place, mood = _STAND[MANAGEMENT], 0, ""
        if access.startswith(b"asia"):
            account = access[4:16]
            place = self._places.get(account, 0)
            if not place or _TOKEN + account not in low:  # a token of another account's, or none
                mood = "unknown"
            elif region == self._denied[1]:
                mood = "denied"
        if (
            self.checks_signatures
            and not mood
            and not signed(head, body, account.decode() if place else None)
        ):
            mood = "unsigned"
        spot = self._spots.get(region, len(self._spots))
        if service == b"sts" and b"Action=AssumeRole&" in body:
            return self._assume(head, body, region, spot, mood or ("denied" if place else ""))
        kind = self._kind(service, place, spot)
        stand = _STAND[kind]
        if place and account in body:
            body = body.replace(account, stand)
        line = head[: head.find(b"\r\n")]
        if place and account in line:
            line = line.replace(account, stand)
        at = low.find(b"\r\nx-amz-target:")
        target = low[at + 15 : at + 120].partition(b"\r")[0] if at > 0 else b""
        key = (mood, kind, region, service, line, target, body)
        reply = self._chosen(key, place, spot, head)
        return reply.filled(account, b"%012d" % self._number) if reply else None

    def _kind(self, service: bytes, place: int, spot: int) -> str:
        """The account that stands for this one, as far as the service and the Region go."""
        if not place:
            return MANAGEMENT
        state = self._state
        if service == self._account_drift and state.account_drift[place]:
            return DRIFTED
        if service == self._region_drift and state.region_drift[place] == spot + 1:
            return DRIFTED
        return IN_SYNC

    def _chosen(self, key: Key, place: int, spot: int, head: bytes) -> Reply | None:
        """The reply to give: what was asked for, or what rate limit or bad weather make of it."""
        reply = self.replies.get(key) or self._learn(key, spot, head)
        self._number += 1
        state, now = self._state, monotonic()
        lane, gap = (place * state.regions + spot) * self._width + reply.lane, self._gaps[reply.lane]
        due = max(state.due[lane], now)
        if due - now + gap > max(1.0001, gap):  # the calls of a second are saved up, one at least
            return self._other("throttled", key, spot, head)
        state.due[lane] = due + gap
        state.given[lane] += 1
        reset = False
        if self._weather.reset or self._weather.broken:
            chance = self._chance.random()
            reset = chance < self._weather.reset
            if not reset and chance < self._weather.reset + self._weather.broken:
                return self._other("broken", key, spot, head)
        if reply.repairs is not None and not reply.repairs.regional:
            state.account_drift[place] = 0
        elif reply.repairs is not None and state.region_drift[place] == spot + 1:
            state.region_drift[place] = 0
        if reset:  # after its effect: the caller cannot know of it
            self.resets += 1
            return None
        reply.given += 1
        return reply

    def _other(self, mood: str, key: Key, spot: int, head: bytes) -> Reply:
        key = (mood, *key[1:])
        reply = self.replies.get(key) or self._learn(key, spot, head)
        reply.given += 1
        return reply

    def _assume(self, head: bytes, body: bytes, region: bytes, spot: int, mood: str) -> bytes | None:
        """Credentials of a member, for who calls from the management account."""
        asked, named, lasts = _ASSUMED.search(body), _SESSION.search(body), _LASTS.search(body)
        account = asked[1] if asked else b""
        if (
            asked is None
            or asked[2] != ROLE.encode()
            or account not in self._places
            or account == self._denied[0]
        ):
            mood = mood or "denied"
        stand = body.replace(account, _STAND[IN_SYNC]) if account else body
        stand = _SESSION.sub(rb"\1RoleSessionName=" + SESSION, stand)
        line = head[: head.find(b"\r\n")]
        reply = self._chosen((mood, MANAGEMENT, region, b"sts", line, b"", stand), 0, spot, head)
        if reply is None:
            return None
        number = b"%012d" % self._number
        session, seconds = named[2] if named else b"", int(lasts[1]) if lasts else 3600
        return replies.with_session(reply, account, number, session, seconds)

    def _learn(self, key: Key, spot: int, head: bytes) -> Reply:
        """Ask the sandbox, in the place of who asked."""
        mood, kind, region, service, line, target, body = key
        elsewhere = 0 < spot < len(self._spots)
        if elsewhere:
            line, body = (text.replace(region, ELSEWHERE.encode()) for text in (line, body))
        place = ELSEWHERE if elsewhere else region.decode() if spot else HOME
        method, path, _ = line.decode().split(" ")
        question = Question(kind, place, service.decode(), method, path, _headers(head), body)
        if kind == DRIFTED and self._recorder.writes(question):
            # The account that stands for the drifted ones stays so; that in sync is brought to where it is.
            line, body = (text.replace(_STAND[DRIFTED], _STAND[IN_SYNC]) for text in (line, body))
            kind, path = IN_SYNC, line.decode().split(" ")[1]
            question = replace(question, account=kind, path=path, body=body)
        first = (mood, kind, b"", service, line, target, body), place
        recorded = self._recorded.get(first)
        if recorded is None:
            recorded = self._recorded[first] = self._recorder.record(question, MOODS.get(mood))
            self.learned += 1
        assumes = service == b"sts" and b"Action=AssumeRole&" in body
        reply = replies.loose(recorded) if assumes else replies.reply(recorded, region)
        self.replies[key] = reply
        return reply


def _headers(head: bytes) -> dict[str, str]:
    lines = (each.partition(":") for each in head.decode("latin-1").split("\r\n")[1:])
    return {name.title(): value.strip() for name, _, value in lines}
