"""Merge nodes of a YAML tree: mappings are merged key by key, all other values are replaced.

Every node keeps its position in the file, for error messages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from .yaml_tree import Entry, Node, Source


def merge(node: Node, override: Node) -> Node:
    """The node with the values of *override* merged in."""
    if not (isinstance(node.value, dict) and isinstance(override.value, dict)):
        return override
    value: dict[str, Entry] = dict(node.value)
    for key, entry in override.value.items():
        below = value.get(key)
        value[key] = entry._replace(node=merge(below.node, entry.node)) if below else entry
    return replace(override, value=value)


def drop_keys(node: Node, keys: Collection[str]) -> Node:
    """The mapping without these keys. Any other node is returned as it is."""
    if not isinstance(node.value, dict):
        return node
    return replace(node, value={key: entry for key, entry in node.value.items() if key not in keys})


def keep_keys(node: Node, keys: Collection[str]) -> Node:
    """A list of mappings, with only these keys in each mapping. Any other node is returned as it is."""
    if not isinstance(node.value, list):
        return node
    return replace(
        node,
        value=[
            replace(each, value={key: entry for key, entry in each.value.items() if key in keys})
            if isinstance(each.value, dict)
            else each
            for each in node.value
        ],
    )


def node_at(source: Source, *path: str | int) -> Node:
    """The node at *path*, or an empty mapping if there is none."""
    found = source.find(path)
    return found.node if found.path == path else Node({}, found.line, found.column)


def keys_at(source: Source, *path: str | int) -> list[str]:
    """The keys of the mapping at *path*; an empty list if there is no mapping."""
    value = node_at(source, *path).value
    return list(value) if isinstance(value, dict) else []


def positions(node: Node) -> Iterator[tuple[int, int]]:
    """Line and column, from 0, of the node and of every key and value below it."""
    yield node.line, node.column
    if isinstance(node.value, dict):
        for entry in node.value.values():
            yield entry.line, entry.column
            yield from positions(entry.node)
    elif isinstance(node.value, list):
        for each in node.value:
            yield from positions(each)
