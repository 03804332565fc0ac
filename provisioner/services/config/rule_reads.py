"""Read Config rules by name: many in one request, and one alone before it is replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ...aws import Reading
from .state import JsonObject

_MOST_NAMES: Final = 25  # that AWS takes in one request
_MISSING: Final = "NoSuchConfigRuleException"


def ask(describe: Callable[..., Reading], key: str, names: Iterable[str]) -> dict[str, Reading]:
    """Ask AWS for these rules, in answers that have a list under *key*: the answer for each, by its name.

    AWS is asked for the names, as other services may have hundreds of rules. If one name is missing it answers
    nothing for all of them; then it is asked for all rules.
    """
    ordered = sorted(names)
    batches = [ordered[start : start + _MOST_NAMES] for start in range(0, len(ordered), _MOST_NAMES)]
    asked = [describe(ConfigRuleNames=batch) for batch in batches]
    if any(each.value(key, _MISSING) is None for each in asked):
        return dict.fromkeys(ordered, describe())
    return {name: each for batch, each in zip(batches, asked, strict=True) for name in batch}


def by_name(readings: Mapping[str, Reading], key: str) -> dict[str, JsonObject]:
    """What the answers have under *key*, by the name of the rule."""
    return {
        name: each
        for name, reading in readings.items()
        for each in reading.get(key)
        if each["ConfigRuleName"] == name
    }


def is_deleting(rule: JsonObject) -> bool:
    """Whether AWS Config is about to delete the rule."""
    return rule.get("ConfigRuleState") == "DELETING"


def basis(reading: Reading, name: str) -> Reading:
    """The one rule in an answer, as the basis of a request that replaces it."""

    def settings(answer: JsonObject) -> Any:
        rules = (each for each in answer["ConfigRules"] if each["ConfigRuleName"] == name)
        return next(({**each, "ConfigRuleState": ""} for each in rules if not is_deleting(each)), _MISSING)

    return reading.at(settings, ConfigRuleNames=[name])
