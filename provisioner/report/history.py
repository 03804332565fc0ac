"""What drifted when and who did it, from the lines of the journal. They come as objects or mappings of that shape.

What an earlier run found says nothing of who made a difference of now: it may have been repaired since, and made again by
another. So the differences of a run are explained by what that run itself found, and by nothing else.

The journal belongs to `repair`, which is above this room: only the names of its fields are known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, Final

Address = tuple[str, str, str, str]  # account, Region, step, resource
MAX_DRIFTS: Final = 20_000  # the newest; a page with more would be slow, and the journal has them all


@dataclass
class History:
    """The runs and drifts of the journal, oldest first. *own* are those of the run that is reported, by address and field."""

    runs: list[Mapping[str, Any]] = field(default_factory=list)
    drifts: list[Mapping[str, Any]] = field(default_factory=list)
    own: dict[tuple[Address, str], Mapping[str, Any]] = field(default_factory=dict)
    left_out: int = 0  # drifts older than those in the list


def read_history(records: Iterable[Any], own: Iterable[Any] = ()) -> History:
    """The history of these lines, and the drifts of the run that is reported, *own*.

    A run is its first line, with the fields of its last one where it has ended.
    """
    found = History()
    runs: dict[str, dict[str, Any]] = {}
    for line in map(_line, records):
        kind, run = line.get("type"), str(line.get("run", ""))
        if kind == "run_started":
            runs[run] = {**line, "started": line.get("time", "")}
        elif kind == "run_ended":
            runs[run] = {**runs.get(run, {}), **line}
        elif kind == "drift":
            found.drifts.append(line)
    found.runs = [*runs.values()]
    found.left_out = max(0, len(found.drifts) - MAX_DRIFTS)
    del found.drifts[: found.left_out]
    found.own = {
        (address(line), str(each["field"])): line for line in map(_line, own) for each in line["differences"]
    }
    return found


def _line(record: Any) -> Mapping[str, Any]:
    return asdict(record) if is_dataclass(record) and not isinstance(record, type) else record


def address(drift: Mapping[str, Any]) -> Address:
    """Where a drift is."""
    where = drift.get("address") or {}
    return tuple(str(where.get(each, "")) for each in ("account", "region", "step", "resource"))  # type: ignore[return-value]
