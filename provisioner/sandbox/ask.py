"""`Request`: one parsed AWS request, with access to moto's state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.core.request import Request as HttpRequest

from .model import Response
from .partitions import partition_of


class SandboxState(Protocol):
    """The part of a world that rules may use."""

    memory: dict[str, Any]  # the rules' own state, beyond moto's; saved with it
    page_size: int
    empty_pages: bool
    propagation: int
    rates: bool
    expired: bool
    dirty: bool
    credentials_lifetime: float
    event_delay: float
    disabled: set[str]
    regions: dict[tuple[str | None, str], bool]
    limiter: Any

    def now(self) -> float:
        """The sandbox's own time in seconds."""

    def has_ended(self, key: str, session: Any) -> bool:
        """Whether the session has expired; each question counts as a call."""

    def moto(self, request: Request) -> Response:
        """Moto's response to the request."""


@dataclass
class Request:
    """One parsed request. *service* is botocore's service name."""

    world: SandboxState
    account: str
    region: str
    service: str
    operation: str
    params: dict[str, Any]
    http: HttpRequest
    protocol: str
    access_key: str = ""
    known: bool = False  # the access key was created here
    rewritten: bool = False
    omitted: frozenset[str] | set[str] = frozenset()  # parameters that moto does not get
    scratch: dict[str, Any] = field(default_factory=dict)  # values that the parts of a rule pass on
    acting_account: str | None = None  # the account that moto takes for the caller's, if not the caller's own

    @property
    def partition(self) -> str:
        """The partition of the Region that the request was signed for."""
        return partition_of(self.region)

    @property
    def memory(self) -> dict[str, Any]:
        """What the rules store beyond moto's own state; saved with it."""
        return self.world.memory

    def store(self, service: str | None = None, account: str | None = None, region: str | None = None) -> Any:
        """Moto's backend of a service, by default of this request's service, account and Region."""
        return backend(service or self.service, account or self.account, region or self.region)

    def saved(self, kind: str) -> dict[Any, Any]:
        """The rules' own dictionary of one *kind*, e.g. the lifecycle rules as they were put."""
        kept: dict[Any, Any] = self.memory.setdefault(kind, {})
        return kept

    def rewrite(self, **params: Any) -> None:
        """Change parameters of the request that moto gets (JSON protocols only)."""
        self.params.update(params)
        self.rewritten = True

    def act_as(self, account: str) -> None:
        """Make moto take the request as made by *account*, e.g. by the management account for a delegated administrator."""
        self.acting_account, self.rewritten = account, True

    def page(self, key: str, items: list[Any], size: int) -> dict[str, Any]:
        """The page of *items* that the request's `NextToken` asks for, under *key*."""
        start = int(self.params.get("NextToken") or 0)
        more = {"NextToken": str(start + size)} if start + size < len(items) else {}
        return {key: items[start : start + size], **more}

    def moto(self) -> Response:
        """Moto's response to the request."""
        return self.world.moto(self)


GLOBAL_STORES = ("s3", "iam", "sts", "organizations", "account", "s3control")


def backend(service: str, account: str, region: str) -> Any:
    """Moto's object with the state of one service in one account and Region, or partition for global services."""
    from moto.backends import get_backend

    held: Any = get_backend(service)[account]  # type: ignore[call-overload]
    return held[partition_of(region) if service in GLOBAL_STORES else region]
