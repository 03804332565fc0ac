"""One request to AWS, as every attempt sends it. Sends nothing itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from ..model import Target
from .guard import READS
from .options import Waiting


class Request(NamedTuple):
    """One request. *name* is AWS's spelling of the operation; *visit* is explained at `Keyring.ensure`."""

    target: Target
    service: str
    region: str
    operation: str
    name: str
    params: dict[str, Any]
    visit: int | None = None

    @property
    def writes(self) -> bool:
        """Whether the request can change AWS."""
        return not self.name.startswith(READS)

    def waiting(self, until: str, waited: float, limit: float) -> Waiting:
        """Return a wait before this request or for its answer, in the Region that it is sent to. Times are seconds."""
        return Waiting(replace(self.target, region=self.region), self.operation, until, waited, limit)
