"""Post to a URL that is a secret: within a time, without following it elsewhere, and without repeating it in an error."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from ... import __version__
from ...aws.errors import ConfigurationError
from ...aws.threads import try_start
from ...baseline.notices import is_loopback

Connector = Callable[[SplitResult, float], HTTPConnection]

_MOST: Final = 65536  # bytes of an answer that are read
_REASON: Final = re.compile(
    r"[a-z][a-z_]{2,39}"
)  # such as Slack's `no_service`; a longer text may repeat the URL


def post(url: str, body: bytes, headers: Mapping[str, str], connect: Connector, seconds: float) -> str:
    """Post the body, and return why it was not taken; an empty text for an answer of 200 to 299.

    *connect* opens the connection; all of it takes at most *seconds*, but for a name server that does not answer.
    """
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"User-Agent": f"provision/{__version__}", "Connection": "close", **headers}
    late = threading.Event()
    try:
        connection = connect(parts, seconds)
    except (ConfigurationError, ValueError) as error:
        return str(error)
    timer = threading.Timer(seconds, _end, (connection, late))
    timer.daemon = True
    try_start(timer)
    try:
        connection.request("POST", path, body, sent)
        why_not = _why_not(connection.getresponse())
        return f"no answer in {seconds:.0f} s" if late.is_set() else why_not
    except (OSError, HTTPException, ValueError) as error:
        return f"no answer in {seconds:.0f} s" if late.is_set() else _explained(error, seconds)
    finally:
        timer.cancel()
        connection.close()


def _end(connection: HTTPConnection, late: threading.Event) -> None:
    """Shut the socket down: whoever sends a byte now and then does not hold the thread."""
    late.set()
    if connection.sock is not None:
        with suppress(OSError):
            # Not the method of a TLS socket, which would send a message first.
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _why_not(response: HTTPResponse) -> str:
    if 200 <= response.status < 300:
        return ""
    if 300 <= response.status < 400:
        return f"it answers {response.status}, which leads elsewhere and is not followed: write the URL it leads to"
    text = response.read(_MOST).decode("utf-8", "replace").strip()
    reason = f": {text}" if _REASON.fullmatch(text) else ""
    gone = "; make a new one, or correct it" if response.status in {401, 403, 404, 410} else ""
    return f"it answers {response.status}{reason}{gone}"


def _explained(error: Exception, seconds: float) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}; AWS_CA_BUNDLE names certificates of your own"
    if isinstance(error, TimeoutError):
        return f"no answer in {seconds:.0f} s"
    if isinstance(error, OSError):
        tunnel = str(error) if str(error).startswith("Tunnel connection failed") else ""
        return f"it cannot be reached: {tunnel or error.strerror or type(error).__name__}"
    return f"what answers is not HTTP: {type(error).__name__}"


def connector(tls: Callable[[], ssl.SSLContext]) -> Connector:
    """Connections that trust what *tls* says, through the proxy that the environment names."""

    def connect(url: SplitResult, seconds: float) -> HTTPConnection:
        host = url.hostname or ""
        if url.scheme == "http":  # which is to this machine only
            return HTTPConnection(host, url.port, timeout=seconds)
        proxy = _proxy(host)
        if proxy is None:
            return HTTPSConnection(host, url.port, timeout=seconds, context=tls())
        connection = HTTPSConnection(proxy.hostname or "", proxy.port or 80, timeout=seconds, context=tls())
        connection.set_tunnel(host, url.port or 443, _proxy_login(proxy))
        return connection

    return connect


def _proxy(host: str) -> SplitResult | None:
    """The proxy for HTTPS, if the environment names one and does not except the host. Raises ValueError."""
    text = getproxies().get("https", "")
    if not text or is_loopback(host) or proxy_bypass(host):
        return None
    found = urlsplit(text if "://" in text else f"http://{text}")
    if found.scheme != "http" or not found.hostname:
        raise ValueError("HTTPS_PROXY: notices go through proxies with http:// only; set one, or NO_PROXY")
    return found


def _proxy_login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"}
