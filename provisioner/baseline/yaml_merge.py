"""Parts of a file laid over each other: mappings are merged, key by key, and all else is replaced.

Every value keeps the place at which it stands in the file, so that a mistake is found where it was made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from .problem import Path
from .yaml_tree import Entry, Node, Source


def merged(below: Node, above: Node) -> Node:
    """*above* laid over *below*."""
    if not (isinstance(below.value, dict) and isinstance(above.value, dict)):
        return above
    value: dict[str, Entry] = dict(below.value)
    for key, entry in above.value.items():
        under = value.get(key)
        value[key] = entry._replace(node=merged(under.node, entry.node)) if under else entry
    return replace(above, value=value)


def only(nodes: Node, keys: Collection[str]) -> Node:
    """A list of mappings with no more than these keys in each."""
    if not isinstance(nodes.value, list):
        return nodes
    return replace(nodes, value=[_only(each, keys) for each in nodes.value])


def _only(node: Node, keys: Collection[str]) -> Node:
    if not isinstance(node.value, dict):
        return node
    return replace(node, value={key: entry for key, entry in node.value.items() if key in keys})


def part(source: Source, *path: str | int) -> Node:
    """What stands at *path*, or an empty mapping where nothing does."""
    spot = source.find(path)
    return spot.node if spot.path == path else Node({}, spot.line, spot.column)


def parts(source: Source, *path: str | int) -> list[str]:
    """The keys of the mapping, or the numbers of the list, at *path*."""
    where: Path = path
    value = part(source, *where).value
    if isinstance(value, dict):
        return list(value)
    return [str(index) for index in range(len(value))] if isinstance(value, list) else []


def spots(node: Node) -> Iterator[tuple[int, int]]:
    """Every line and column, counted from 0, at which a key or a value below *node* stands."""
    yield node.line, node.column
    if isinstance(node.value, dict):
        for entry in node.value.values():
            yield entry.line, entry.column
            yield from spots(entry.node)
    elif isinstance(node.value, list):
        for each in node.value:
            yield from spots(each)
