"""What two operations have to do with each other, by their names: AWS writes a verb and then what is set.

`StopLogging` undoes `StartLogging`; `PutBucketLifecycle`, as S3's events say, is `PutBucketLifecycleConfiguration`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+")
_READS: Final = ("Get", "List", "Describe", "Head", "BatchGet", "Lookup", "Select")
_DELETES: Final = frozenset({"delete", "remove"})
_REMOVES: Final = _DELETES | frozenset(
    ["deregister", "detach", "disable", "disassociate", "reset", "revoke", "stop", "unsubscribe", "untag"]
)
_SWITCHES: Final = frozenset({"disable", "enable", "start", "stop"})
_REPLACES: Final = frozenset(["add", "attach", "enable", "put", "register", "replace", "set", "start", "tag"])
# Verbs that only undo each other; all others set the same thing.
_PAIRS: Final = (
    "attach detach",
    "associate disassociate",
    "deregister register",
    "disable enable",
    "start stop",
)
_PAIR_OF: Final = {verb: pair for pair in _PAIRS for verb in pair.split()}
_MEANINGLESS: Final = frozenset({"configuration", "resource"})
_SAME: Final = {"tagging": "tag", "untag": "tag"}


@dataclass(frozen=True)
class Operation:
    """The verb of an operation's name and its other words, without those of the resource."""

    verb: str
    words: frozenset[str]

    @property
    def whole(self) -> bool:
        """It creates or deletes a whole resource."""
        return not self.words and (self.verb in _DELETES or self.verb == "create")

    @property
    def removes(self) -> bool:
        """It takes something away or turns it off."""
        return self.verb in _REMOVES

    @property
    def replaces(self) -> bool:
        """It sets all of what it names."""
        return self.verb in _REPLACES

    @property
    def switches(self) -> bool:
        """It turns something on or off."""
        return self.verb in _SWITCHES

    def takes_away(self, other: Operation) -> bool:
        """It removes what the other sets, whatever their verbs: `DisassociateMembers` and `CreateMembers`."""
        return self.removes and not self.switches and self.words == other.words

    def same_family(self, other: Operation) -> bool:
        """Whether both set the same thing, or one undoes the other."""
        return self.words == other.words and _PAIR_OF.get(self.verb) == _PAIR_OF.get(other.verb)


def split(name: str, resource: frozenset[str]) -> Operation:
    """The verb and the other words of an operation's name, without `Batch` and the words of the *resource*."""
    first, *rest = [each.lower() for each in _WORD.findall(name.removeprefix("Batch"))] or [""]
    tags = {"tag"} if first in {"tag", "untag"} else set()
    return Operation(first, frozenset({*words(" ".join(rest)), *tags} - resource))


def words(text: str) -> Iterator[str]:
    """The words of a name in lower case and in the singular, without those that say nothing."""
    for word in (each.lower() for each in _WORD.findall(text)):
        singular = word[:-1] if word.endswith("s") and not word.endswith("ss") else word
        if singular not in _MEANINGLESS:
            yield _SAME.get(singular, singular)


def related(names: Iterable[str], own: str, resource: frozenset[str], *, whole: bool) -> Iterator[str]:
    """The operations among *names* that can undo *own*, those that remove and *own* itself first.

    With *whole*, those that create or delete the whole resource follow. Those with a word of *own* come before others.
    """
    operations = {name: split(name, resource) for name in names if not name.startswith(_READS)}
    family = [name for name, each in operations.items() if each.same_family(operations[own])]
    others = [name for name, each in operations.items() if each.whole and name not in family]

    def order(name: str) -> tuple[bool, bool, bool, str]:
        return not operations[name].removes, not share_words(name, own), name != own, name

    yield from sorted(family, key=order)
    if whole:
        yield from sorted(others, key=order)


def share_words(one: str, other: str) -> bool:
    """Whether the names of two operations have a word in common, beside the verb."""
    nothing = frozenset[str]()
    return not split(one, nothing).words.isdisjoint(split(other, nothing).words)
