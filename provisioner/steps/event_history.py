"""The history that AWS keeps of the calls in an account and Region. The service that keeps it registers how it is read."""

from __future__ import annotations

from dataclasses import dataclass

from .registry import all_steps


@dataclass(frozen=True)
class EventHistory:
    """The *service* by botocore's name, and its operation as botocore and as IAM write it."""

    service: str
    method: str
    operation: str


_registered: list[EventHistory] = []


def keeps_event_history(service: str, method: str, operation: str) -> None:
    """Register the operation that reads the history. Its parameters and answer are those of CloudTrail's LookupEvents."""
    _registered.append(EventHistory(service, method, operation))


def event_history() -> EventHistory:
    """How the history is read."""
    all_steps()  # imports the services' folders
    return _registered[-1]
