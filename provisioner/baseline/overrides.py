"""Errors in the `overrides` of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .accounts import Override
from .checks import unknown_key
from .problem import Problem, did_you_mean, listed
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
    problems.extend(_wrong_without(source, index, kinds))
    if keys and not sections and "without" not in keys and not problems:
        example = [key for key, kind in kinds.items() if not kind.once][-1]
        text = f"overrides nothing: add a section, such as `{example}`, with what is different, or `without: [{example}]`"
        problems.append(_problem(source, text, index))
    return problems


def without(source: Source, index: int) -> list[str]:
    """The sections that one override takes away."""
    items = node_at(source, "overrides", index, "without").value
    return [str(each.value) for each in items] if isinstance(items, list) else []


def _wrong_without(source: Source, index: int, kinds: Mapping[str, type[Section]]) -> Iterator[Problem]:
    """Problems with the sections that one override takes away."""
    for number, key in enumerate(without(source, index)):
        if key not in kinds:
            hint = did_you_mean(key, kinds) or f"there are {listed((f'`{each}`' for each in kinds), 'and')}"
            yield _problem(source, f"the file has no section '{key}'; {hint}", index, "without", number)
        elif kinds[key].once:
            text = f"`{key}` exists once in the organization, not in each account"
            yield _problem(source, text, index, "without", number)
        elif key in keys_at(source, "overrides", index):
            yield _problem(
                source, f"`{key}` is also overridden here: keep one of the two", index, "without", number
            )


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
