"""The order of steps as an SVG drawing: a box for each step, to the right of those that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 44, 56, 14, 4
_NARROW, _LETTER = 180, 8.4  # pixels of the narrowest box, and of a letter of a name

Node = tuple[str, tuple[str, ...], str, str]
"""A step: its name, the steps that it needs, its state, and what stands below its name."""


def graph(nodes: Sequence[Node]) -> str:
    """The SVG. A table beside it tells the same to who cannot see it."""
    column = _columns({name: needs for name, needs, _, _ in nodes})
    box = max(_NARROW, *(28 + round(_LETTER * len(name)) for name, *_ in nodes)) if nodes else _NARROW
    rows: dict[int, int] = {}
    at: dict[str, tuple[int, int]] = {}
    for name, *_ in _sorted(nodes, column):
        x = column[name]
        at[name] = (
            _MARGIN + x * (box + _GAP_X),
            _MARGIN + rows.get(x, 0) * (_HEIGHT + _GAP_Y),
        )
        rows[x] = rows.get(x, 0) + 1
    width = _MARGIN * 2 + (max(column.values(), default=0) + 1) * (box + _GAP_X) - _GAP_X
    height = _MARGIN * 2 + max(rows.values(), default=1) * (_HEIGHT + _GAP_Y) - _GAP_Y
    lines = [_arrow(at[need], at[name], box) for name, needs, _, _ in nodes for need in needs if need in at]
    boxes = [_box(at[name], box, name, state, text) for name, _, state, text in nodes]
    head = f'<svg class="graph" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'{head} aria-hidden="true">{"".join(lines)}{"".join(boxes)}</svg>'


def _sorted(nodes: Sequence[Node], column: Mapping[str, int]) -> list[Node]:
    """The nodes so that what is needed stands near to what needs it: connected ones first, then the order of the run."""
    needed = {need for _, needs, _, _ in nodes for need in needs}
    alone = {name for name, needs, _, _ in nodes if not needs and name not in needed}
    order = {name: number for number, (name, *_) in enumerate(nodes)}
    users: Mapping[str, list[int]] = {
        name: [order[user] for user, needs, _, _ in nodes if name in needs] for name in order
    }
    return sorted(
        nodes,
        key=lambda each: (each[0] in alone, min(users[each[0]], default=order[each[0]]), column[each[0]]),
    )


def _columns(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The length of the longest way to each step."""
    found: dict[str, int] = {}

    def column(name: str) -> int:
        if name not in found:
            found[name] = max((column(each) + 1 for each in needs[name] if each in needs), default=0)
        return found[name]

    for name in needs:
        column(name)
    return found


def _arrow(start: tuple[int, int], end: tuple[int, int], width: int) -> str:
    x, y = start[0] + width, start[1] + _HEIGHT // 2
    to_x, to_y = end[0], end[1] + _HEIGHT // 2
    bend = (to_x - x) // 2 if to_x - x < _GAP_X * 2 else _GAP_X
    path = f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x - 5} {to_y}"
    return f'<path class="arrow" d="{path}"/><path class="head" d="M{to_x - 6} {to_y - 4}l6 4l-6 4z"/>'


def _box(at: tuple[int, int], width: int, name: str, state: str, text: str) -> str:
    x, y = at
    return (
        f'<g class="node s-{escape(state)}"><rect x="{x}" y="{y}" width="{width}" height="{_HEIGHT}" rx="6"/>'
        f'<rect class="bar" x="{x}" y="{y + 8}" width="4" height="{_HEIGHT - 16}" rx="2"/>'
        f'<text x="{x + 14}" y="{y + 19}">{escape(name)}</text>'
        f'<text class="sub" x="{x + 14}" y="{y + 35}">{escape(text)}</text></g>'
    )
