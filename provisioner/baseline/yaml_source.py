"""Parse YAML text to a tree of nodes with positions, and report all errors in the YAML.

It uses the parser's events instead of `yaml.load`, so that a file cannot create Python objects, grow without limit,
or contain itself. Keys are always text, as written.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import yaml

from .problem import Path, Problem, did_you_mean, quoted
from .yaml_errors import explain, invalid_character
from .yaml_invisible import direction_marks, has_any, in_lines, in_scalar
from .yaml_tree import MAX_PROBLEMS, Entry, Node, Source, resolve

MAX_BYTES: Final = 1 << 20
TOO_LARGE: Final = "larger than 1 MiB; a baseline is a few kilobytes"
MAX_NODES: Final = 100_000
MAX_DEPTH: Final = 50

# libyaml is about six times as fast as the pure Python parser.
FAST: Final = hasattr(yaml, "CSafeLoader")
_LOADER: Final = yaml.CSafeLoader if FAST else yaml.SafeLoader

_TAG: Final = "tag:yaml.org,2002:"
_TAGS: Final = {type(None): "null", list: "seq", dict: "map"}  # others are named as in Python


def read(text: str, name: str) -> Source:
    """Parse a YAML text. The source has the tree and the problems; `root` is None if there is no tree."""
    text = text.removeprefix("\ufeff")  # a byte order mark
    source = Source(name, _lines(text))
    if len(text) > MAX_BYTES:
        source.problems.append(Problem(name, 0, 0, "", TOO_LARGE))
        return source
    if invalid := invalid_character(text):
        index, message = invalid
        *above, before = _lines(text[:index])
        source.problems.append(source.problem(len(above), len(before), (), message))
        return source
    if not FAST and len(text) > MAX_BYTES // 20:
        warnings.warn("PyYAML was built without libyaml; reading a large baseline is slow", stacklevel=2)
    composer = _Composer(source, invisible=has_any(text))
    if not composer.found:
        _compose(text, composer)
    if composer.found:  # other problems follow from these
        source.problems[:] = composer.found
        source.root = None
    return source


def _compose(text: str, composer: _Composer) -> None:
    """Build the tree of the text, and report what is no YAML."""
    source = composer.source
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except _Stop:
        pass
    except yaml.YAMLError as error:
        line, column, message = explain(error, source, composer.bracket)
        mark = getattr(error, "problem_mark", None)
        last = mark.line if mark else line
        if composer.invisible and (found := in_lines(source.lines, min(line, last), max(line, last))):
            line, column, message = found
        source.problems.append(source.problem(line, column, (), message))


class _Stop(Exception):
    """Stop parsing: the rest of the file would give no useful problems."""


@dataclass(eq=False, repr=False, slots=True)
class _Open:
    """A list or mapping that is still open."""

    node: Node
    anchor: str | None
    key: tuple[str, int, int] | None = None
    merged: list[Node] = field(default_factory=list)


class _Composer:
    """Builds the tree from events, and reports errors that the parser does not."""

    def __init__(self, source: Source, *, invisible: bool = False) -> None:
        self.source, self.invisible = source, invisible
        marks = islice(direction_marks(source.lines), MAX_PROBLEMS) if invisible else ()
        # Problems with invisible characters.
        self.found = [source.problem(each.line, each.column, (), each.message) for each in marks]
        self.second: yaml.Event | None = None  # the start of a second document
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node] = {}
        self.total = 0

    def take(self, event: yaml.Event) -> None:
        """Add one event to the tree."""
        if self.second is not None and not _is_empty(event):
            self._report(
                self.second, "a second document starts here; one file holds one baseline", whole=True
            )
            raise _Stop
        match event:
            case yaml.ScalarEvent() if self.second is not None:
                pass  # nothing after the last `---`
            case yaml.ScalarEvent():
                self._add(self._scalar(event))
            case yaml.CollectionStartEvent():
                self._open(event)
            case yaml.CollectionEndEvent():
                self._close()
            case yaml.AliasEvent():
                self._add(self._alias(event))
            case yaml.DocumentStartEvent() if self.source.root is not None:
                self.second = event

    @property
    def bracket(self) -> tuple[int, int] | None:
        """The position of the innermost [ or { that is still open."""
        opened = ((each.node.line, each.node.column) for each in reversed(self.stack))
        return next((at for at in opened if self.source.character(*at) in {"[", "{"}), None)

    def _report(self, at: yaml.Event | Node, message: str, hint: str = "", *, whole: bool = False) -> None:
        if self.source.full:
            raise _Stop
        line, column = (at.line, at.column) if isinstance(at, Node) else _start(at)
        path = () if whole else self._path()
        self.source.problems.append(self.source.problem(line, column, path, message, hint))

    def _path(self) -> Path:
        """The path of the next node."""
        keys = (each.key[0] if each.key else len(each.node.value) for each in self.stack)
        in_key = bool(self.stack) and isinstance(self.stack[-1].node.value, dict) and not self.stack[-1].key
        return tuple(keys)[: -1 if in_key else None]

    def _count(self, at: yaml.Event, size: int, height: int) -> None:
        self.total += size
        if self.total > MAX_NODES:
            self._report(at, f"more than {MAX_NODES:,} values, counting each alias in full", whole=True)
            raise _Stop
        if len(self.stack) + height > MAX_DEPTH:
            self._report(at, f"nested more than {MAX_DEPTH} levels deep", whole=True)
            raise _Stop

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        self._count(event, 1, 1)
        plain = event.style in (None, "") and event.tag is None
        if self.invisible:
            self._find_invisible(event)
        text: str = event.value
        node = Node(resolve(text) if plain else text, *_start(event), text)
        node.shown_at_key = plain and not text
        if event.tag is not None:
            self._tag(event, node, resolve(text))
        self._anchor(event, node)
        return node

    def _find_invisible(self, event: yaml.ScalarEvent) -> None:
        start, end = event.start_mark, event.end_mark
        if not (start and end):
            return
        marks = (start.line, start.column), (end.line, end.column)
        if len(self.found) < MAX_PROBLEMS and (
            found := in_scalar(self.source.lines, *marks, plain=event.style in (None, ""))
        ):
            self.found.append(self.source.problem(found.line, found.column, (), found.message))

    def _tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, node: Node, value: Any) -> None:
        """Report a tag, unless it names the type that the value has anyway, or is `!!str` on a scalar."""
        tag: str | None = event.tag
        if tag in {None, "!"} or (tag == _TAG + "str" and isinstance(node.value, str)):
            return
        if tag == _TAG + _TAGS.get(type(value), type(value).__name__):
            node.value = value
            return
        node.invalid = True
        name = "!!" + tag[len(_TAG) :] if tag.startswith(_TAG) else tag
        self._report(event, f"tag {quoted(name)} is not allowed here; take it away")

    def _anchor(self, event: yaml.NodeEvent, node: Node) -> None:
        if event.anchor is None:
            return
        if first := self.anchors.get(event.anchor):
            self._report(
                event, f"anchor {quoted('&' + event.anchor)} is already set in line {first.line + 1}"
            )
        else:
            self.anchors[event.anchor] = node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        anchor = event.anchor or ""
        node = self.anchors.get(anchor)
        name = quoted("*" + anchor)
        if node is None:
            self._report(event, f"{name} has no anchor above it", did_you_mean(anchor, self.anchors))
        elif any(each.node is node for each in self.stack):
            self._report(event, f"{name} would hold itself")
        else:
            self._count(event, node.size, node.height)
            return node
        return Node(None, *_start(event), invalid=True)

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        self._count(event, 1, 1)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        node = Node(value, *_start(event), shown_at_key=not event.flow_style and event.anchor is None)
        self._tag(event, node, value)
        self._anchor(event, node)
        self.stack.append(_Open(node, event.anchor))

    def _close(self) -> None:
        done = self.stack.pop()
        for node in done.merged:
            done.node.value = {**node.value, **done.node.value}
        self._add(done.node)

    def _add(self, node: Node) -> None:
        """Add the node to the innermost open list or mapping."""
        if not self.stack:
            self.source.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif top.key is None:
            top.key = self._key(node)
            return
        else:
            self._entry(top, *top.key, node)
            top.key = None
        top.node.size += node.size
        top.node.height = max(top.node.height, node.height + 1)

    def _key(self, node: Node) -> tuple[str, int, int]:
        if isinstance(node.value, (list, dict)):
            self._report(node, "a key must be text, not a list or a mapping; if this is text, quote it")
            raise _Stop
        return node.text, node.line, node.column

    def _entry(self, top: _Open, key: str, line: int, column: int, node: Node) -> None:
        if key == "<<":
            top.merged.extend(self._mergeable(node))
        elif first := top.node.value.get(key):
            at = Node(None, line, column)
            self._report(at, f"this key is given twice, here and in line {first.line + 1}; keep one of them")
        else:
            top.node.value[key] = Entry(line, column, node)

    def _mergeable(self, node: Node) -> Iterator[Node]:
        """The mappings that the key `<<` merges."""
        for each in node.value if isinstance(node.value, list) else [node]:
            if isinstance(each.value, dict):
                yield each
            elif not each.invalid:
                self._report(each, "want a mapping to merge, such as '<<: *name'")


def _start(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line, mark.column) if mark else (0, 0)


def _is_empty(event: yaml.Event) -> bool:
    """Tell whether the event is part of a document without content."""
    if isinstance(event, yaml.ScalarEvent):
        return not event.value and event.style in (None, "") and event.tag is None and event.anchor is None
    return not isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent)


def _lines(text: str) -> list[str]:
    """Split into lines as YAML 1.1 does."""
    for each in ("\r\n", "\r", "\x85", "\u2028", "\u2029"):
        text = text.replace(each, "\n")
    return text.split("\n")
