"""Types that the whole sandbox shares. Nothing here imports moto."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# Operations that start with one of these change nothing: they are not saved, and tests do not count them as writes.
READS = ("Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Select")

CONTROL = "/_sandbox"  # path of the control API over HTTP; no bucket can have that name

Phase = Literal["before", "after"]


class SandboxError(Exception):
    """The sandbox cannot be used; the text has the reason and the remedy."""


class MissingPackage(SandboxError):
    """A package of the extra `sandbox` is not installed."""


class Refused(Exception):
    """An error response of AWS: code, message, HTTP status and extra headers."""

    def __init__(self, code: str, message: str, status: int = 400, **headers: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True)
class Fault:
    """An error response for a test to inject."""

    code: str
    status: int = 400
    message: str = "injected"


@dataclass(frozen=True)
class WireCall:
    """One request that reached the sandbox. *service* is botocore's name; *code* is None for success.

    *caller* is the ARN of the user or assumed-role session that made it.
    """

    account: str
    region: str
    service: str
    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None
    caller: str = field(default="", compare=False)

    @property
    def writes(self) -> bool:
        """Whether the operation changes something; issuing a session (sts) does not count."""
        return self.service != "sts" and not self.operation.startswith(READS)


Interrupt = Callable[[WireCall, Phase], Fault | None]


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes
