"""Recorded answers, split where the account and the request number go, so that filling one in is a join."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import gmtime, strftime, time
from typing import Final

from .drift import Drift
from .recorder import ACCOUNT, NUMBER, REGION, SESSION_NAME, UNTIL, Recorded
from .state import bucket

_MARK: Final = re.compile(b"\0([AN])\0")
_TWELVE: Final = b"0" * 12


@dataclass
class Reply:
    """An answer to all equal requests, the rate limit that it counts against, and the drift that it repairs."""

    name: str
    bucket: int
    repairs: Drift | None
    pieces: list[bytes]
    accounts: list[int] = field(default_factory=list)  # indexes of the pieces that are the account
    numbers: list[int] = field(default_factory=list)  # indexes of those that are the request number
    given: int = 0  # how often it was sent

    def filled(self, account: bytes, number: bytes) -> bytes:
        """The answer to one request."""
        pieces = self.pieces
        for index in self.accounts:
            pieces[index] = account
        for index in self.numbers:
            pieces[index] = number
        return b"".join(pieces)


def reply(recorded: Recorded, region: bytes) -> Reply:
    """The reply in one Region. Account and number are 12 characters long, so Content-Length is always the same."""
    head, body = (text.replace(REGION, region) for text in (recorded.head, recorded.body))
    length = recorded.length or str(len(_MARK.sub(_TWELVE, body)))
    pieces = _MARK.split(b"%bContent-Length: %b\r\n\r\n%b" % (head, length.encode(), body))
    marks = range(1, len(pieces), 2)  # every second piece is the letter of a mark
    made = _reply(recorded, pieces)
    made.repairs = recorded.repairs if recorded.status < 300 else None
    made.accounts = [i for i in marks if pieces[i] == ACCOUNT[1:2]]
    made.numbers = [i for i in marks if pieces[i] == NUMBER[1:2]]
    return made


def credentials_reply(recorded: Recorded) -> Reply:
    """The reply to AssumeRole, whose length varies: `with_session` fills it in."""
    return _reply(recorded, [recorded.head, recorded.body])


def _reply(recorded: Recorded, pieces: list[bytes]) -> Reply:
    service, operation = recorded.call.service, recorded.call.operation
    return Reply(f"{service}:{operation}", bucket(service, operation), None, pieces)


def with_session(reply: Reply, account: bytes, number: bytes, session: bytes, duration: int) -> bytes:
    """The answer with credentials of *account*, which are valid for *duration* seconds."""
    until = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(time() + duration)).encode()
    head, body = (text.replace(NUMBER, number) for text in reply.pieces)
    body = body.replace(ACCOUNT, account).replace(SESSION_NAME, session).replace(UNTIL, until)
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
