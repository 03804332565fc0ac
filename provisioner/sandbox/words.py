"""The nouns of the sandbox. Nothing here imports moto."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# Operations that change nothing: what the sandbox need not save, and what a test counts as no write.
READS = ("Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Select")

CONTROL = "/_sandbox"  # where the HTTP door has the switches; no bucket can have that name

Phase = Literal["before", "after"]


class SandboxError(Exception):
    """The sandbox cannot be used: the text says why and what to do."""


class Refused(Exception):
    """What AWS would answer instead: an error code, its text, the HTTP status, and headers of its own."""

    def __init__(self, code: str, message: str, status: int = 400, **headers: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True)
class Fault:
    """An error answer for a test to inject."""

    code: str
    status: int = 400
    message: str = "injected"


@dataclass(frozen=True)
class WireCall:
    """One request that reached the server. *service* is botocore's name; *code* is None for success.

    *caller* is the ARN of who made it: a user, or the session of an assumed role.
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
        """The operation is one that changes something; a session token (sts) is no change."""
        return self.service != "sts" and not self.operation.startswith(READS)


Interrupt = Callable[[WireCall, Phase], Fault | None]


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes
