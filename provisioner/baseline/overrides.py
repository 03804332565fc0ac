"""Errors in the `overrides` of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .accounts import Override
from .checks import unknown_key
from .problem import Problem, listed
from .section import Section
from .yaml_merge import keys_at, node_at, positions
from .yaml_tree import Source


def wrong_keys(source: Source, index: int, kinds: Mapping[str, type[Section]]) -> list[Problem]:
    """Problems with the keys of one override: unknown, empty, or not allowed to differ between accounts."""
    keys = keys_at(source, "overrides", index)
    sections = [key for key in keys if key in kinds]
    known = [*Override.model_fields, *(key for key, kind in kinds.items() if not kind.once)]
    unknown = [key for key in keys if key not in known and key not in kinds]
    problems = [unknown_key(source, ("overrides", index, key), known) for key in unknown]
    for key in sections:
        if kinds[key].once:
            text = "exists once in the organization, not in each account: change the section itself"
            problems.append(_problem(source, text, index, key))
        elif not node_at(source, "overrides", index, key).value:
            problems.append(_problem(source, "overrides nothing: say what is different", index, key))
        for path in kinds[key].same_for_all_accounts:
            if source.find(("overrides", index, key, *path)).path[3:] == path:
                text = "is the same for all accounts, as the log bucket's policy goes by it: change the section itself"
                problems.append(_problem(source, text, index, key, *path))
    if keys and not sections and not problems:
        example = [key for key, kind in kinds.items() if not kind.once][-1]
        text = f"overrides nothing: add a section, such as `{example}`, with what is different"
        problems.append(_problem(source, text, index))
    return problems


def name_overrides(
    problems: Iterable[Problem], source: Source, overrides: tuple[int, ...]
) -> Iterator[Problem]:
    """Add the names of the overrides to problems that the file has only with these overrides."""
    places = {index: set(positions(node_at(source, "overrides", index))) for index in overrides}
    names = listed((f"`overrides[{index}]`" for index in overrides), "and")
    for each in problems:
        index = next((i for i in overrides if (each.line - 1, each.column - 1) in places[i]), None)
        path = each.path if index is None else f"overrides[{index}].{each.path}"
        alone = index is not None and len(overrides) == 1
        yield replace(each, path=path, message=each.message if alone else f"with {names}: {each.message}")


def _problem(source: Source, message: str, *path: str | int) -> Problem:
    at = source.find(("overrides", *path))
    return source.problem(at.line, at.column, at.path, message)
