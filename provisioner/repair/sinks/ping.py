"""Tell a dead-man's switch that a run begins, and how it ended. It tells somebody when it hears nothing.

https://healthchecks.io/docs/http_api/: `/start`, then `/{exit-status}` with the output as body; 0 is success.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from ...baseline.notices import Ping
from .post import Connector, post

_BYTES: Final = 10_000  # of the summary, which is what healthchecks.io keeps


def send(ping: Ping, signal: str, text: str, connect: Connector, seconds: float) -> str:
    """Post *signal*, `start` or an exit code, with a summary; why it was not taken, or an empty text."""
    url = urlsplit(ping.url.get_secret_value())
    path = f"{url.path.rstrip('/')}/{signal}"
    body = text.encode()[:_BYTES]
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return post(urlunsplit(url._replace(path=path)), body, headers, connect, seconds)
