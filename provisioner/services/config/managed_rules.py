"""The identifiers of AWS Config's managed rules, and their parameters, to find a misspelt one.

AWS adds rules all the time, so that an identifier that is not in the list may still be right: only one that looks like
a misspelt one of the list is wrong. The same holds for parameters. A line of the list is an identifier, when the rule is
evaluated (at changes, periodically, or both), and its parameters, with `!` those that AWS requires. Source: AWS Config
Developer Guide, "List of AWS Config Managed Rules", as moto 5.2.5 has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_CLOSE: Final = 0.8  # similarity of two identifiers, of which one may be the other, misspelt
_WORD: Final = 0.7  # and of two words in them
_SHORT: Final = 5  # letters: `EBS` for `EFS` is another service


class _ManagedRule(NamedTuple):
    trigger: str
    parameters: tuple[str, ...]
    required: frozenset[str]


@cache
def _rules() -> Mapping[str, _ManagedRule]:
    """Each managed rule that is known, by its identifier."""
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="ascii").splitlines()
    return {
        identifier: _ManagedRule(
            trigger,
            tuple(name.removesuffix("!") for name in names),
            frozenset(name[:-1] for name in names if name.endswith("!")),
        )
        for identifier, trigger, *names in map(str.split, lines)
    }


@cache
def identifiers() -> frozenset[str]:
    """The identifiers of the managed rules that are known."""
    return frozenset(_rules())


@cache
def _vocabulary() -> frozenset[str]:
    return frozenset(word for each in identifiers() for word in each.split("_"))


def intended(identifier: str) -> str:
    """The known identifier of which this one is a misspelling, or an empty text.

    A name as in `encrypted-volumes`, the words in another order or run together, and misspelt words are seen.
    """
    upper = identifier.strip().upper().replace("-", "_")
    if upper in identifiers():
        return "" if upper == identifier else upper
    for key in (_letters, _words):
        if same := next((each for each in sorted(identifiers()) if key(each) == key(upper)), ""):
            return same
    from difflib import get_close_matches

    near = get_close_matches(upper, sorted(identifiers()), 3, _CLOSE)
    return next((each for each in near if _is_misspelt(upper.split("_"), each.split("_"))), "")


def intended_parameter(identifier: str, name: str) -> str:
    """The parameter of a known rule of which this one is a misspelling, or an empty text. AWS compares their case, too."""
    from difflib import get_close_matches

    known = {each.lower(): each for each in parameters_of(identifier)}
    if name in known.values():
        return ""
    near = get_close_matches(name.lower(), known, 1, _CLOSE) or get_close_matches(
        name.lower().replace("_", "").replace("-", ""), known, 1, _CLOSE
    )
    return known[near[0]] if near else ""


def parameters_of(identifier: str) -> tuple[str, ...]:
    """The names of the parameters of a rule that is known; empty for another."""
    return _rules()[identifier].parameters if identifier in _rules() else ()


def missing_parameters(identifier: str, given: Collection[str]) -> list[str]:
    """The parameters that AWS requires of a known rule, and that are not *given*, also those with a default."""
    return sorted(_rules()[identifier].required.difference(given)) if identifier in _rules() else []


def is_evaluated_at_changes_only(identifier: str) -> bool:
    """Whether AWS evaluates a known rule at changes only, so that it takes no frequency."""
    return identifier in _rules() and _rules()[identifier].trigger == "changes"


def similar(identifier: str) -> str:
    """The known identifier that is most like an unknown one, or an empty text."""
    from difflib import get_close_matches

    near = [] if identifier in identifiers() else get_close_matches(identifier, sorted(identifiers()), 1)
    return near[0] if near else ""


def _letters(identifier: str) -> str:
    return identifier.replace("_", "")


def _words(identifier: str) -> list[str]:
    return sorted(identifier.split("_"))


def _is_misspelt(words: list[str], known: list[str]) -> bool:
    """Tell whether the words are those of a known identifier, with at least one misspelt."""
    odd = [*(Counter(words) - Counter(known)).elements()]
    left = [*(Counter(known) - Counter(words)).elements()]
    return len(odd) == len(left) > 0 and all(map(_is_misspelt_word, odd, left))


def _is_misspelt_word(word: str, known: str) -> bool:
    if word.rstrip("0123456789") != word or known.rstrip("0123456789") != known:
        return False  # another version
    if known.rstrip("S") == word.rstrip("S"):
        return True
    if word in _vocabulary() and len(word) <= _SHORT:
        return False
    from difflib import SequenceMatcher

    return SequenceMatcher(None, word, known).ratio() >= _WORD
