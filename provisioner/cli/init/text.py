"""The text of a new file: a profile with the facts of the account, and with comments. Knows no AWS.

What a profile says before its first section is written anew, but for the comment at its top. Of the sections, values
that are samples and what is for another kind of account become comments.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from ...baseline import ForOrganization, General, Section
from ...baseline.general import ALL
from ...baseline.problem import Path, clean
from ...baseline.yaml_source import read
from ...baseline.yaml_tree import Node, resolve
from ...steps.registry import all_sections
from .facts import Facts

_WIDTH: Final = 118
_PLACEHOLDER: Final = ("acme", "choose your own")
_ACCOUNT: Final = "123456789012"  # a sample
# Values that AWS and RFC 2606 keep for samples. They must not get into an account.
_SAMPLES: Final = re.compile(r"111122223333|\bexample\.(com|org|net)\b")
_SET_YOUR_OWN: Final = "with samples: set your own, and take the `#` away"
_OF_MANAGEMENT: Final = "for the management account of an organization"


class Template:
    """A profile as lines, with the positions of its values."""

    def __init__(self, name: str, text: str, facts: Facts) -> None:
        self.facts = facts
        self.source = read(text, name)
        self.lines = list(self.source.lines)
        self.above: dict[int, list[str]] = {}  # comments, by the line that they come above
        root = self.source.root
        self.entries: Mapping[str, Any] = root.value if root else {}
        self.sections = [key for key in self.entries if key not in General.model_fields]
        self.samples: list[str] = []  # the fields that became comments because of a sample
        self._comment_out()

    def render(self, name: str, origin: str, comments: Mapping[str, Sequence[str]]) -> str:
        """The file with this `organization_name`, which comes from *origin*, and with *comments* at its sections."""
        above = {line: [*texts] for line, texts in self.above.items()}
        for key, texts in comments.items():
            if key in self.entries:
                place = above.setdefault(self._start(key), [])
                place[:0] = [line for text in texts for line in _comment(text)]
        body = self._start(self.sections[0])
        lines = [*self._top(), *map(clean, self._head(name, origin)), ""]
        for number in range(body, len(self.lines)):
            lines += [*above.get(number, []), self.lines[number]]
        return "\n".join(lines).rstrip("\n") + "\n"

    def _start(self, section: str) -> int:
        """The first line of a section, with the comments above it."""
        line: int = self.entries[section].line
        while line and self.source.lines[line - 1].startswith("#"):
            line -= 1
        return line

    def _top(self) -> Iterator[str]:
        """The comment at the top of the profile, and what the file is for."""
        first = min(entry.line for entry in self.entries.values())
        yield from "\n".join(self.source.lines[:first]).rstrip().splitlines()
        facts = self.facts
        if facts.account:
            alias = f" ({facts.alias})" if facts.alias else ""
            yield "#"
            yield from _comment(
                f"Written by `provision init` for account {facts.account}{alias}. What AWS had of it then is at each"
                " section; `provision diff` says it now."
            )
            if facts.unread:
                yield from _comment(f"The caller may not read {', '.join(facts.unread)}.")
        yield ""

    def _head(self, name: str, origin: str) -> Iterator[str]:
        """The keys that belong to no section."""
        facts = self.facts
        yield f"organization_name: {_scalar(name)} # {origin}; {_about('organization_name')}"
        yield f"home_region: {_scalar(facts.home_region)} # {_about('home_region')}"
        regions = self._regions()
        value = ALL if regions == [ALL] else f"[{', '.join(map(_scalar, regions))}]"
        yield f"regions: {value} # {_about('regions')}"
        if facts.enabled:
            yield from _comment(f"enabled in the account: {', '.join(facts.enabled)}")
        mark = "" if facts.account and not facts.of_organization else "# "
        yield f'{mark}allowed_account_ids: ["{facts.account or _ACCOUNT}"] # {_about("allowed_account_ids")}'
        mark = "" if facts.of_organization else "# "
        yield f"{mark}accounts: # {self._whose()}"
        yield f"{mark}  all: true # or organizational_units, tags, ids"
        yield '#   log_archive: "111122223333" # the account that has the log buckets; the caller\'s, where left out'

    def _regions(self) -> list[str]:
        """Those that were asked for; else `all`, only the home Region, or all enabled ones, as the profile has it."""
        have = self.entries["regions"].node.value
        if self.facts.regions:
            return [*self.facts.regions]
        if have == ALL:
            return [ALL]
        if len(have) > 1 and self.facts.enabled:
            return [*self.facts.enabled]
        return [self.facts.home_region]

    def _whose(self) -> str:
        """The comment beside `accounts`."""
        organization, account = self.facts.organization, self.facts.account
        if organization is None:
            return "all accounts of an organization, from its management account"
        if self.facts.of_organization:
            return f"all accounts of {organization.id}; without this, only the account itself"
        if organization.management_account == account:
            return f"all accounts of {organization.id}, whose management account this is"
        return f"all accounts of {organization.id}, from its management account {organization.management_account}"

    def _comment_out(self) -> None:
        """Make comments of what is a sample, and of what only a management account may ask for, if this is none."""
        reasons = {(key, name): _SET_YOUR_OWN for key in self.sections for name in self._with_samples(key)}
        if self.facts.account and not self.facts.manages:
            for path, marker in self._of_organization():
                if marker.otherwise is None:
                    reasons[path[0], path[1]] = _OF_MANAGEMENT
                else:
                    self._replace(path, marker.otherwise)
        self.samples = [f"{key}.{name}" for (key, name), why in reasons.items() if why == _SET_YOUR_OWN]
        for (key, name), reason in reasons.items():
            self._hide(self.entries[key].node.value[name], reason)

    def _with_samples(self, key: str) -> Iterator[str]:
        """The fields of a section that have a sample."""
        for name, entry in _mapping(self.entries[key].node).items():
            if any(_SAMPLES.search(text) for text in _texts(entry.node)):
                yield name

    def _of_organization(self) -> Iterator[tuple[tuple[str, ...], ForOrganization]]:
        """The fields that are for the management account of an organization."""
        for key in self.sections:
            for path, marker in _marked(all_sections()[key], self.entries[key].node):
                yield (key, *path), marker

    def _replace(self, path: Path, value: Any) -> None:
        """Write another value in the place of one."""
        found = self.source.find(path)
        line, end = self.lines[found.line], found.column + len(found.node.text)
        self.lines[found.line] = line[: found.column] + json.dumps(value).strip('"') + line[end:]

    def _hide(self, entry: Any, reason: str) -> None:
        """Make a comment of a key, and of the lines below it that are indented more."""
        indent = " " * entry.column
        self.above.setdefault(entry.line, []).append(f"{indent}# {reason}:")
        for number in range(entry.line, len(self.lines)):
            line = self.lines[number]
            if number > entry.line and (not line.strip() or len(line) - len(line.lstrip()) <= entry.column):
                break
            self.lines[number] = f"{indent}# {line[entry.column :]}"


def placeholder(facts: Facts) -> tuple[tuple[str, str], ...]:
    """What the `organization_name` could be, the best first, each with where it comes from."""
    return (*facts.names, _PLACEHOLDER)


def _marked(kind: type[Section], node: Node) -> Iterator[tuple[tuple[str, ...], ForOrganization]]:
    """The fields of a section, and of mappings in it, that are marked, and have a value that the mark is for."""
    have = _mapping(node)
    for name, field in kind.model_fields.items():
        if name not in have:
            continue
        below = have[name].node
        for mark in field.metadata:
            value = resolve(below.text) if isinstance(below.value, str) else below.value
            if isinstance(mark, ForOrganization) and (not mark.values or value in mark.values):
                yield (name,), mark
        for each in _sections_in(field.annotation):
            yield from (((name, *path), mark) for path, mark in _marked(each, below))


def _sections_in(annotation: Any) -> Iterator[type[Section]]:
    """The sections that a field may have as its value."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for each in get_args(annotation):
        yield from _sections_in(each)


def _mapping(node: Node) -> dict[str, Any]:
    return node.value if isinstance(node.value, dict) else {}


def _texts(node: Node) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(node.value, dict | list):
        below = [each.node for each in node.value.values()] if isinstance(node.value, dict) else node.value
        for each in below:
            yield from _texts(each)
    elif isinstance(node.value, str):
        yield node.value


def _scalar(text: str) -> str:
    """A text as YAML: in quotes, unless it can only be a text."""
    plain = re.fullmatch(r"[a-z][a-z0-9-]*", text) and isinstance(resolve(text), str)
    return text if plain else json.dumps(text)


def _comment(text: str) -> list[str]:
    """The lines of a comment. What AWS has put into a name cannot end it."""
    return textwrap.wrap(
        clean(text), _WIDTH, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip


def _about(key: str) -> str:
    """What the schema says about a key, in one phrase."""
    text = General.model_fields[key].description or ""
    first = text.split(". ")[0].rstrip(".")
    return first[:1].lower() + first[1:]
