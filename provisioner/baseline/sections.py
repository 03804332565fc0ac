"""Make the typed sections of one file: placeholders are replaced, then pydantic validates the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from . import wording
from .accounts import Override
from .checks import Checker
from .general import General
from .partitions import arns_elsewhere
from .placeholders import Environment, Filler
from .problem import Path, Problem
from .section import Section
from .yaml_merge import keep_keys
from .yaml_tree import Entry, Source


@dataclass(eq=False, repr=False)
class SectionReader:
    """Makes the sections of a file, each once for every combination of the placeholders that it uses.

    *names* are the placeholders that are the same in all accounts and Regions. *secrets* maps each value from the
    environment to its placeholder.
    """

    source: Source
    kinds: Mapping[str, type[Section]]
    env: Environment
    names: dict[str, str]
    secrets: dict[str, str]
    # For each section, its placeholders that depend on account and Region.
    _used: dict[str, list[str]] = field(default_factory=dict)
    _made: dict[tuple[str, ...], Section] = field(default_factory=dict)

    @property
    def entries(self) -> Mapping[str, Entry]:
        """The keys and values at the top of the file."""
        return self.source.root.value if self.source.root else {}

    def general(self, default_region: Callable[[], str | None]) -> General | None:
        """The settings at the top of the file, or None if they are invalid; sets `organization_name` in *names*."""
        filler = Filler(
            self.source, {}, self.env, lambda path: _is_secret(General, path), (), secrets=self.secrets
        )
        fields = {key: each.node for key, each in self.entries.items() if key in General.model_fields}
        if "overrides" in fields:  # the sections in them are checked when they are merged
            fields["overrides"] = keep_keys(fields["overrides"], Override.model_fields)
        data = {key: filler.fill(node, (key,)) for key, node in fields.items()}
        if "home_region" not in data and (default := default_region()):
            data["home_region"] = default
        general = self.checker({}).section(General, (), data)
        if isinstance(general, list):
            self.source.problems.extend(general)
        name = data.get("organization_name")
        invalid = any(each.path == "organization_name" for each in self.source.problems)
        if isinstance(name, str) and not invalid:
            self.names["organization_name"] = name
        return None if isinstance(general, list) else general

    def section(self, name: str, names: Mapping[str, str]) -> Section | list[Problem]:
        """The section with these values for the placeholders, or all problems with it."""
        used = self._used.get(name)
        key = (name, *(names[each] for each in used or ()))
        if (
            used is not None and (made := self._made.get(key)) is not None
        ):  # one look-up: a thread may clear it
            return made
        node = self.entries[name].node
        filler = Filler(
            self.source,
            {**self.names, **names},
            self.env,
            lambda path: _is_secret(self.kinds[name], path[1:]),
            secrets=self.secrets,
        )
        data = {} if node.value is None and not node.invalid else filler.fill(node, (name,))
        shown = {**self.names, **names}
        if organization := self.entries.get("organization_name"):
            shown["organization_name"] = organization.node.text  # which may come from the environment
        checker = self.checker(shown)
        section = checker.section(self.kinds[name], (name,), data)
        if elsewhere := list(arns_elsewhere(data, names["partition"], (name,))):
            problems = section if isinstance(section, list) else []
            return [*problems, *(found for each in elsewhere for found in checker.problem(*each))]
        if not isinstance(section, list):
            used = self._used[name] = sorted(filler.used & names.keys())
            self._made[name, *(names[each] for each in used)] = section
        return section

    def checker(self, names: Mapping[str, str]) -> Checker:
        """The checker that shows these values for the placeholders."""
        return Checker(self.source, self.env, names, self.secrets)

    def clear(self) -> None:
        """Forget the sections made so far."""
        self._made.clear()


def _is_secret(kind: type[Section], path: Path) -> bool:
    """Whether the field at *path* of the section is a SECRET."""
    return any(each.get("writeOnly") for each in wording.fields_at(kind.model_json_schema(), path))
