"""`Ask`: one request as the sandbox understands it, and moto's state behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.core.request import Request
from moto.utilities.utils import get_partition

from .words import Answer


class Surroundings(Protocol):
    """What a rule sees of the world that a request is made in."""

    memory: dict[str, Any]  # what rules remember beyond moto's own state; saved with it
    page_size: int
    empty_pages: bool
    propagation: int
    rates: bool
    expired: bool
    dirty: bool
    credentials_lifetime: float
    disabled: set[str]
    regions: dict[tuple[str | None, str], bool]
    limiter: Any

    def now(self) -> float:
        """The world's own time in seconds."""

    def has_ended(self, key: str, session: Any) -> bool:
        """The session is good no more; each question counts as a call."""

    def moto(self, ask: Ask) -> Answer:
        """What moto answers to the request."""


@dataclass
class Ask:
    """One request as the server understands it. *service* is botocore's name of it."""

    world: Surroundings
    account: str
    region: str
    service: str
    operation: str
    params: dict[str, Any]
    request: Request
    protocol: str
    access_key: str = ""
    known: bool = False  # the key is one that was made here
    rewritten: bool = False
    hidden: frozenset[str] | set[str] = frozenset()  # parameters that moto is not shown
    carried: dict[str, Any] = field(default_factory=dict)  # from one part of a rule to its next
    acting: str | None = None  # the account moto takes for the caller's, where that is another one

    @property
    def partition(self) -> str:
        """The partition of the Region that the request was signed for."""
        return str(get_partition(self.region))

    @property
    def memory(self) -> dict[str, Any]:
        """What the rules remember beyond moto's own state; saved with it."""
        return self.world.memory

    def store(self, service: str | None = None, account: str | None = None, region: str | None = None) -> Any:
        """Moto's backend of a service: of this request's account and Region unless told otherwise."""
        return backend(service or self.service, account or self.account, region or self.region)

    def note(self, kind: str) -> dict[Any, Any]:
        """The rules' own dictionary of one *kind*, e.g. what moto drops from a lifecycle rule."""
        kept: dict[Any, Any] = self.memory.setdefault(kind, {})
        return kept

    def rewrite(self, **params: Any) -> None:
        """Moto sees the request with these parameters (of services that speak JSON)."""
        self.params.update(params)
        self.rewritten = True

    def act_as(self, account: str) -> None:
        """Moto takes the request as made by *account*: a delegated administrator for its organization."""
        self.acting, self.rewritten = account, True

    def moto(self) -> Answer:
        """What moto answers to the request."""
        return self.world.moto(self)


GLOBAL_STORES = ("s3", "iam", "sts", "organizations", "account", "s3control")


def backend(service: str, account: str, region: str) -> Any:
    """Moto's object that holds one service's state in one account and Region (or partition)."""
    from moto.backends import get_backend

    held: Any = get_backend(service)[account]  # type: ignore[call-overload]
    return held[get_partition(region) if service in GLOBAL_STORES else region]
