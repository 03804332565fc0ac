"""`Baseline`: what the file asks for in one account and Region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from .general import General
from .problem import BaselineError, Path
from .section import Section
from .yaml_tree import Source

Kind = TypeVar("Kind", bound=Section)


class InvalidSection(Exception):
    """Raised by `in` for a section that the file has and that is wrong itself: nothing can be said about it."""


class Origin(Protocol):
    """The file that a baseline was made from, and that makes the same for other accounts and Regions."""

    source: Source
    secrets: dict[str, str]

    def name_of(self, kind: type[Section]) -> str:
        """The key that a section's class stands for."""

    def at(self, names: Mapping[str, str]) -> Baseline:
        """The baseline with these placeholders, and with the overrides of their account."""

    def varied(self, overrides: tuple[int, ...], names: Mapping[str, str]) -> Baseline:
        """The baseline with these placeholders and overrides."""

    def override(self, accounts: Mapping[str, tuple[int, ...]]) -> None:
        """These overrides apply to these accounts."""

    def overrides_of(self, account_id: str) -> tuple[int, ...]:
        """The overrides that apply to the account."""


@dataclass(frozen=True, eq=False, slots=True)
class Baseline:
    """What the file asks for in one account and Region: a section for each step, by the section's class."""

    general: General
    sections: tuple[str, ...]
    _have: Mapping[type[Section], Section] = field(repr=False)
    _file: Origin = field(repr=False)
    _names: Mapping[str, str]  # what `at` was given, or the sample values
    _wrong: frozenset[type[Section]] = field(default=frozenset(), repr=False)

    def __getitem__(self, kind: type[Kind]) -> Kind:
        """The section of that class. KeyError where the file has none; ask with `in`."""
        if kind not in self:
            raise KeyError(f"{self.file} has no section {self._file.name_of(kind)!r}")
        section = self._have[kind]
        assert isinstance(section, kind)  # noqa: S101 - for the type checker
        return section

    def __contains__(self, kind: type[Section]) -> bool:
        if kind in self._wrong:
            raise InvalidSection
        return kind in self._have

    @property
    def partition(self) -> str:
        """The partition that is filled in: that of `home_region` until `at` is told another."""
        return self._names["partition"]

    @property
    def file(self) -> str:
        """The name of the file, as it was given."""
        return self._file.source.name

    @property
    def text(self) -> str:
        """The file's text; what the environment says is not in it."""
        return "\n".join(self._file.source.lines)

    @property
    def secrets(self) -> Mapping[str, str]:
        """What came from the environment, each with its placeholder; but for names that every plan must show."""
        general = self.general
        plain = {
            general.organization_name,
            general.home_region,
            *general.named_regions,
            *(general.allowed_account_ids or ()),
        }
        return {value: name for value, name in self._file.secrets.items() if value not in plain}

    def at(self, *, account_id: str, region: str, partition: str) -> Baseline:
        """The same with the placeholders and the overrides for this account and Region; kept, so call it freely.

        Raises BaselineError where a value is wrong with these, such as a name that is too long.
        """
        return self._file.at({"account_id": account_id, "region": region, "partition": partition})

    def varied(self, overrides: tuple[int, ...], *, account_id: str, region: str, partition: str) -> Baseline:
        """The same with these `overrides` and no others, by their place in the file, whichever count for the account.

        Raises BaselineError as `at` does, and where they are wrong together.
        """
        names = {"account_id": account_id, "region": region, "partition": partition}
        return self._file.varied(overrides, names)

    def override(self, accounts: Mapping[str, tuple[int, ...]]) -> None:
        """From now on `at` counts these `overrides`, by their place in the file, for each of these accounts.

        Raises BaselineError where two of them, each right for itself, are wrong together.
        """
        self._file.override(accounts)

    def overrides_of(self, account_id: str) -> tuple[int, ...]:
        """The `overrides` that count for the account, by their place in the file."""
        return self._file.overrides_of(account_id)

    def mistakes(self, found: Iterable[tuple[Path, str]]) -> BaselineError:
        """What is wrong at these paths of the file, found out only from AWS."""
        source = self._file.source
        spots = [(source.find(path), message) for path, message in found]
        return BaselineError(source.problem(s.line, s.column, s.path, message) for s, message in spots)

    def place(self, path: Path) -> str:
        """Where the value at *path* stands: `baseline.yaml:14:5`. For a default, what it would stand in."""
        spot = self._file.source.find(path)
        return self._file.source.problem(spot.line, spot.column, (), "").place
