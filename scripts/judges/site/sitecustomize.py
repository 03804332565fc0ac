"""Let every name below `localhost` be this machine, as RFC 6761 says, in the Python of a judge.

Clients put an account or a bucket in front of the host of the endpoint, and not every resolver knows such names.
"""

# ruff: noqa: INP001 - Python imports it by its name from a folder of PYTHONPATH

from __future__ import annotations

import socket
from typing import Any

_ask = socket.getaddrinfo


def _getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    below = isinstance(host, str) and host.endswith(".localhost")
    return _ask("localhost" if below else host, *args, **kwargs)


socket.getaddrinfo = _getaddrinfo
