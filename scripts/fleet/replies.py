"""Recorded answers, cut where account and number go, so that giving one is a join."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import gmtime, strftime, time
from typing import Final

from .drift import Drift
from .recorder import ACCOUNT, NAME, NUMBER, REGION, UNTIL, Recorded
from .state import lane

_CUT: Final = re.compile(b"\0([AN])\0")
_TWELVE: Final = b"0" * 12


@dataclass
class Reply:
    """An answer to all who ask the same, and what giving it does."""

    name: str
    lane: int
    repairs: Drift | None
    pieces: list[bytes]
    accounts: list[int] = field(default_factory=list)  # which of the pieces are the account
    numbers: list[int] = field(default_factory=list)  # which are the number of the request
    given: int = 0

    def filled(self, account: bytes, number: bytes) -> bytes:
        """The answer to one request."""
        pieces = self.pieces
        for place in self.accounts:
            pieces[place] = account
        for place in self.numbers:
            pieces[place] = number
        return b"".join(pieces)


def reply(recorded: Recorded, region: bytes) -> Reply:
    """The reply in one Region. Where the account and the number go, there is room for 12 characters."""
    head, body = (text.replace(REGION, region) for text in (recorded.head, recorded.body))
    length = recorded.length or str(len(_CUT.sub(_TWELVE, body)))
    whole = b"%bContent-Length: %b\r\n\r\n%b" % (head, length.encode(), body)
    pieces = _CUT.split(whole)  # every second one is a mark's letter
    marks = range(1, len(pieces), 2)
    call = recorded.call
    repairs = recorded.repairs if recorded.status < 300 else None
    return Reply(
        f"{call.service}:{call.operation}",
        lane(call.service, call.operation),
        repairs,
        pieces,
        [i for i in marks if pieces[i] == ACCOUNT[1:2]],
        [i for i in marks if pieces[i] == NUMBER[1:2]],
    )


def loose(recorded: Recorded) -> Reply:
    """A reply of no fixed length: credentials, to be filled by `with_session`."""
    call = recorded.call
    pieces = [recorded.head, recorded.body]
    return Reply(f"{call.service}:{call.operation}", lane(call.service, call.operation), None, pieces)


def with_session(reply: Reply, account: bytes, number: bytes, session: bytes, lasts: int) -> bytes:
    """The answer that gives credentials of *account*, good for *lasts* seconds."""
    until = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(time() + lasts)).encode()
    head, body = reply.pieces
    body = body.replace(ACCOUNT, account).replace(NAME, session).replace(UNTIL, until).replace(NUMBER, number)
    head = head.replace(NUMBER, number)
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
