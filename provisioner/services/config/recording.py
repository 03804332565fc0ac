"""Which resource types AWS Config records, and which of them continuously: AWS's shapes, and what they mean.

AWS has three ways to say what is recorded, and two to say how often. Both come down to one kind of set, so
that settings are compared by what they record, and the larger set is the stricter one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

# What `includeGlobalResourceTypes` adds. The same in every Region, so recording it once is enough.
IAM_TYPES: Final = frozenset({"AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"})
ALL, INCLUSION, EXCLUSION = (
    "ALL_SUPPORTED_RESOURCE_TYPES",
    "INCLUSION_BY_RESOURCE_TYPES",
    "EXCLUSION_BY_RESOURCE_TYPES",
)
GROUP_KEYS: Final = frozenset(
    {
        *("allSupported", "includeGlobalResourceTypes", "resourceTypes", "exclusionByResourceTypes"),
        "recordingStrategy",
    }
)


@dataclass(frozen=True)
class Types:
    """The *named* resource types, or, with *but*, every type except those, also such as AWS adds later."""

    named: frozenset[str] = frozenset()
    but: bool = False

    def __contains__(self, kind: str) -> bool:
        return (kind in self.named) != self.but

    def __or__(self, other: Types) -> Types:
        if self.but and other.but:
            return Types(self.named & other.named, but=True)
        if self.but or other.but:
            most, least = (self, other) if self.but else (other, self)
            return Types(most.named - least.named, but=True)
        return Types(self.named | other.named)

    def __ge__(self, other: Types) -> bool:
        """Every type of *other* is in this set too."""
        return self | other == self

    def __str__(self) -> str:
        if not self.but:
            return _words(self.named) or "nothing"
        return f"every type but {_words(self.named)}" if self.named else "every type"


def _words(types: Collection[str]) -> str:
    first = sorted(types)[:5]
    more = [f"{len(types) - 5} more"] if len(types) > 5 else []
    return ", ".join(first + more)


EVERYTHING: Final = Types(but=True)
WITHOUT_IAM: Final = Types(IAM_TYPES, but=True)


def recorded(group: Mapping[str, Any] | None) -> Types:
    """What a recorder with this `recordingGroup` records; without one, AWS records all but IAM."""
    group = group or {}
    included, excluded = group.get("resourceTypes") or (), _excluded(group)
    strategy = (group.get("recordingStrategy") or {}).get("useOnly")
    if group.get("allSupported") or not (strategy or included or excluded):
        return EVERYTHING if group.get("includeGlobalResourceTypes") else WITHOUT_IAM
    if strategy == EXCLUSION or (excluded and not included):
        return Types(frozenset(excluded), but=True)
    return Types(frozenset(included))


def recording_group(types: Types, *, by_exclusion: bool = False) -> dict[str, Any]:
    """The `recordingGroup` that records these types, with every field in it, lists sorted.

    *by_exclusion*: all but IAM is said with a list of exclusions, not with `allSupported`; it means the same.
    """
    everything = types == EVERYTHING or (types == WITHOUT_IAM and not by_exclusion)
    return {
        "allSupported": everything,
        "includeGlobalResourceTypes": types == EVERYTHING,
        "resourceTypes": [] if types.but else sorted(types.named),
        "exclusionByResourceTypes": {
            "resourceTypes": sorted(types.named) if types.but and not everything else []
        },
        "recordingStrategy": {"useOnly": ALL if everything else EXCLUSION if types.but else INCLUSION},
    }


def shown_group(group: Mapping[str, Any] | None) -> dict[str, Any]:
    """The group as AWS has it, what it leaves out filled in as AWS takes it, lists sorted."""
    types, group = recorded(group), group or {}
    filled = recording_group(types, by_exclusion=bool(_excluded(group)))
    return {**filled, **{key: _sorted(value) for key, value in group.items() if key in GROUP_KEYS and value}}


def sendable(value: Mapping[str, Any]) -> dict[str, Any]:
    """A group or a mode without its empty lists: AWS refuses what is left of another strategy."""
    return {key: each for key, each in value.items() if each not in ([], {"resourceTypes": []})}


def continuous(mode: Mapping[str, Any] | None) -> Types:
    """What this `recordingMode` records at each change; the rest once a day. AWS's default is everything."""
    mode = mode or {}
    default = mode.get("recordingFrequency") or "CONTINUOUS"
    others = frozenset(
        kind
        for override in mode.get("recordingModeOverrides") or ()
        if override["recordingFrequency"] != default
        for kind in override["resourceTypes"]
    )
    return Types(others, but=default == "CONTINUOUS")


def recording_mode(types: Types, description: str | None = None) -> dict[str, Any]:
    """The `recordingMode` that records these types continuously. *description* is that of its override."""
    default, other = ("CONTINUOUS", "DAILY") if types.but else ("DAILY", "CONTINUOUS")
    override = {"resourceTypes": sorted(types.named), "recordingFrequency": other}
    if description:
        override["description"] = description
    return {
        "recordingFrequency": default,
        "recordingModeOverrides": [override] if types.named else [],
    }


def shown_mode(mode: Mapping[str, Any] | None) -> dict[str, Any]:
    """The mode as AWS has it, what it leaves out filled in, lists sorted."""
    mode = mode or {}
    return {
        "recordingFrequency": mode.get("recordingFrequency") or "CONTINUOUS",
        "recordingModeOverrides": [
            {key: _sorted(value) for key, value in override.items()}
            for override in mode.get("recordingModeOverrides") or ()
        ],
    }


def _excluded(group: Mapping[str, Any]) -> list[str]:
    return (group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or []


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(each) for key, each in value.items()}
    return sorted(value) if isinstance(value, list) else value
