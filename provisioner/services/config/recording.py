"""Which resource types AWS Config records, and which of them continuously: AWS's shapes, converted to sets of types.

AWS has three ways to say what is recorded, and two to say how often. All of them become a `Types` set, so
that settings are compared by what they record, and the larger set is the stricter one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# The types that `includeGlobalResourceTypes` adds. They are the same in every Region: recording them in one is enough.
IAM_TYPES: Final = frozenset({"AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"})
ALL: Final = "ALL_SUPPORTED_RESOURCE_TYPES"
INCLUSION: Final = "INCLUSION_BY_RESOURCE_TYPES"
EXCLUSION: Final = "EXCLUSION_BY_RESOURCE_TYPES"
_MOST_SHOWN: Final = 5  # types in a message


@dataclass(frozen=True)
class Types:
    """A set of resource types: the *named* ones or, if *all_but*, every other type, types that AWS adds later included."""

    named: frozenset[str] = frozenset()
    all_but: bool = False

    def __contains__(self, kind: str) -> bool:
        return (kind in self.named) != self.all_but

    def __or__(self, other: Types) -> Types:
        if self.all_but and other.all_but:
            return Types(self.named & other.named, all_but=True)
        if self.all_but or other.all_but:
            large, small = (self, other) if self.all_but else (other, self)
            return Types(large.named - small.named, all_but=True)
        return Types(self.named | other.named)

    def __str__(self) -> str:
        shown = sorted(self.named)[:_MOST_SHOWN]
        if len(self.named) > _MOST_SHOWN:
            shown.append(f"{len(self.named) - _MOST_SHOWN} more")
        names = ", ".join(shown)
        if not self.all_but:
            return names or "nothing"
        return f"every type but {names}" if names else "every type"


EVERYTHING: Final = Types(all_but=True)
WITHOUT_IAM: Final = Types(IAM_TYPES, all_but=True)


def recorded_types(group: Mapping[str, Any] | None) -> Types:
    """The types that a recorder with this `recordingGroup` records; without one, AWS records all but IAM's."""
    group = group or {}
    included, excluded = group.get("resourceTypes") or (), _excluded(group)
    strategy = (group.get("recordingStrategy") or {}).get("useOnly")
    if group.get("allSupported") or not (strategy or included or excluded):
        return EVERYTHING if group.get("includeGlobalResourceTypes") else WITHOUT_IAM
    if strategy == EXCLUSION or (excluded and not included):
        return Types(frozenset(excluded), all_but=True)
    return Types(frozenset(included))


def recording_group(types: Types, *, by_exclusion: bool = False) -> dict[str, Any]:
    """The `recordingGroup` that records these types, with all its fields, lists sorted.

    All types but IAM's can be said with `allSupported` or, if *by_exclusion*, with a list of exclusions.
    """
    everything = types == EVERYTHING or (types == WITHOUT_IAM and not by_exclusion)
    return {
        "allSupported": everything,
        "includeGlobalResourceTypes": types == EVERYTHING,
        "resourceTypes": [] if types.all_but else sorted(types.named),
        "exclusionByResourceTypes": {
            "resourceTypes": sorted(types.named) if types.all_but and not everything else []
        },
        "recordingStrategy": {"useOnly": ALL if everything else EXCLUSION if types.all_but else INCLUSION},
    }


def normal_group(group: Mapping[str, Any] | None) -> dict[str, Any]:
    """The `recordingGroup` as AWS has it, missing fields filled in as AWS takes them, lists sorted."""
    group = group or {}
    filled = recording_group(recorded_types(group), by_exclusion=bool(_excluded(group)))
    return filled | {key: _sorted(group[key]) for key in filled if group.get(key)}


def without_empty_lists(value: Mapping[str, Any]) -> dict[str, Any]:
    """A group or a mode as AWS takes it: AWS refuses the empty lists of another strategy."""
    return {key: each for key, each in value.items() if each not in ([], {"resourceTypes": []})}


def continuous_types(mode: Mapping[str, Any] | None) -> Types:
    """The types that this `recordingMode` records at each change, others daily. Without one, AWS takes all."""
    mode = mode or {}
    default = mode.get("recordingFrequency") or "CONTINUOUS"
    others = frozenset(
        kind
        for override in mode.get("recordingModeOverrides") or ()
        if override["recordingFrequency"] != default
        for kind in override["resourceTypes"]
    )
    return Types(others, all_but=default == "CONTINUOUS")


def recording_mode(types: Types, description: str | None = None) -> dict[str, Any]:
    """The `recordingMode` that records these types continuously. *description* is that of its override."""
    default, other = ("CONTINUOUS", "DAILY") if types.all_but else ("DAILY", "CONTINUOUS")
    override = {"resourceTypes": sorted(types.named), "recordingFrequency": other}
    if description:
        override["description"] = description
    return {"recordingFrequency": default, "recordingModeOverrides": [override] if types.named else []}


def normal_mode(mode: Mapping[str, Any] | None) -> dict[str, Any]:
    """The `recordingMode` as AWS has it, missing fields filled in as AWS takes them, lists sorted."""
    mode = mode or {}
    return {
        "recordingFrequency": mode.get("recordingFrequency") or "CONTINUOUS",
        "recordingModeOverrides": [_sorted(each) for each in mode.get("recordingModeOverrides") or ()],
    }


def _excluded(group: Mapping[str, Any]) -> list[str]:
    return (group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or []


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(each) for key, each in value.items()}
    return sorted(value) if isinstance(value, list) else value
