"""What S3 refuses in the transitions and the expiration of a lifecycle rule: one table for the file and the sandbox.

Source: "Transitioning objects using Amazon S3 Lifecycle" in the S3 User Guide, and the errors of
PutBucketLifecycleConfiguration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

# From the warmest to the coldest. Objects move down only, so of two classes the later one is the colder one.
WATERFALL: Final = (
    "STANDARD_IA",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)
# Classes between which no move is supported, in either direction.
_UNSUPPORTED: Final = {("ONEZONE_IA", "GLACIER_IR")}
# The least days from one class to a colder one.
_LEAST_DAYS: Final = {("GLACIER_IR", "DEEP_ARCHIVE"): 90, ("GLACIER", "DEEP_ARCHIVE"): 90}
# AWS's documents disagree about these: the API reference once takes "0 or any positive integer", and once not.
_DOUBTFUL_DAYS: Final = {"STANDARD_IA": 30, "ONEZONE_IA": 30, "GLACIER_IR": 90}
_DOUBTFUL_START: Final = {"STANDARD_IA": 30, "ONEZONE_IA": 30}

Transitions = Sequence[tuple[int, str]]  # (days, storage class)


class Conflict(NamedTuple):
    """A transition, by its *place* in the list, that S3 refuses beside the *other*: *least* are its least days, None for never."""

    place: int
    other: int
    least: int | None


def conflicts(transitions: Transitions) -> Iterator[Conflict]:
    """Transitions that S3 refuses beside others of the rule: at most one conflict for each, in their order."""
    found: dict[int, Conflict] = {}
    for other, (other_days, warm) in enumerate(transitions):
        for index, (days, cold) in enumerate(transitions):
            if warm == cold:
                if other < index:
                    found[index] = Conflict(index, other, None)
            elif WATERFALL.index(warm) < WATERFALL.index(cold):
                least = other_days + _LEAST_DAYS.get((warm, cold), 1)
                if (warm, cold) in _UNSUPPORTED:
                    found[index] = Conflict(index, other, None)
                elif days < least:
                    known = found.get(index)
                    if known is None or (known.least is not None and known.least < least):
                        found[index] = Conflict(index, other, least)
    yield from (found[index] for index in sorted(found))


def doubtful(transitions: Transitions) -> Iterator[str]:
    """A text for each transition that S3 may refuse: AWS's documents disagree."""
    for days, storage_class in transitions:
        warmer = WATERFALL[: WATERFALL.index(storage_class)]
        wants = [(_DOUBTFUL_START.get(storage_class, 0), "")]
        for other_days, warm in transitions:
            if warm in warmer and (apart := _DOUBTFUL_DAYS.get(warm)):
                wants.append((other_days + apart, f", {apart} days after {warm}"))
        least, why = max(wants)
        if days < least:
            yield f"{storage_class} on day {days}: some of AWS's documents want {least} or more{why}"
