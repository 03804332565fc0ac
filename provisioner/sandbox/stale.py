"""Eventual consistency: for a while after a write, a read shows what was before it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ask import Ask


class Stale:
    """For each account and service the state before its last write, and which reads have shown it."""

    def __init__(self) -> None:
        self._was: dict[tuple[str, str], bytes] = {}
        self._shown: dict[tuple[str, str], Counter[str]] = {}

    def wrote(self, ask: Ask, was: bytes | None) -> None:
        """A write has changed the service; *was* is the state before it, None where nobody wants to know."""
        key = (ask.account, ask.service)
        if was is not None:
            self._was[key], self._shown[key] = was, Counter()

    def before(self, ask: Ask, reads: int) -> bytes | None:
        """The state that this read shall show; None for the present one."""
        key = (ask.account, ask.service)
        if key not in self._was or self._shown[key][ask.operation] >= reads:
            return None
        self._shown[key][ask.operation] += 1
        return self._was[key]
