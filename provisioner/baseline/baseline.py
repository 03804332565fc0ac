"""`Baseline`: the settings for one account and Region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from .general import General
from .notices import secrets_of
from .problem import BaselineError, Path
from .section import Section
from .yaml_tree import Source

Kind = TypeVar("Kind", bound=Section)


class InvalidSection(Exception):
    """Raised by `in` for a section that the file has but that is invalid."""


class File(Protocol):
    """What a baseline needs of the file that it was made from."""

    @property
    def source(self) -> Source:
        """The text of the file, and the positions in it."""

    @property
    def kinds(self) -> Mapping[str, type[Section]]:
        """The classes of the sections that there are, by key."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """The placeholder of each value from the environment."""

    @property
    def original(self) -> File:
        """The file without overrides."""

    @property
    def overridden(self) -> Mapping[type[Section], str]:
        """The sections in `overrides`, and their keys."""

    @property
    def overrides_by_account(self) -> Mapping[str, tuple[int, ...]]:
        """The overrides, by index, that apply to each account."""

    def override(self, accounts: Mapping[str, tuple[int, ...]]) -> None:
        """Set the overrides that apply to each of these accounts."""

    def variant(self, overrides: tuple[int, ...]) -> File:
        """The file with these overrides merged in."""

    def filled(self, names: Mapping[str, str]) -> Baseline:
        """The baseline with these placeholders."""


@dataclass(frozen=True, eq=False, slots=True)
class Baseline:
    """The settings that the file asks for in one account and Region: sections, looked up by their class."""

    general: General
    sections: tuple[str, ...]
    _sections: Mapping[type[Section], Section] = field(repr=False)
    _file: File = field(repr=False)
    _names: Mapping[str, str]  # account, Region and partition that `at` was called with, or the sample values
    _invalid: frozenset[type[Section]] = field(default=frozenset(), repr=False)

    def __getitem__(self, kind: type[Kind]) -> Kind:
        """The section of that class. Raises KeyError if the file has none; check with `in`."""
        if kind not in self:
            keys = {each: key for key, each in self._file.kinds.items()}
            raise KeyError(f"{self.file} has no section {keys.get(kind, kind.__name__)!r}")
        section = self._sections[kind]
        assert isinstance(section, kind)  # noqa: S101 - for the type checker
        return section

    def __contains__(self, kind: type[Section]) -> bool:
        if kind in self._invalid:
            raise InvalidSection
        return kind in self._sections

    @property
    def partition(self) -> str:
        """The partition given to `at`; else that of `home_region`."""
        return self._names["partition"]

    @property
    def account_id(self) -> str:
        """The account given to `at`; else a sample."""
        return self._names["account_id"]

    @property
    def archive_account(self) -> str:
        """The account that has the log buckets and the keys; empty if that is the caller's, of an organization."""
        accounts = self.general.accounts
        return self.account_id if accounts is None else accounts.log_archive or ""

    @property
    def region(self) -> str:
        """The Region given to `at`; else `home_region`."""
        return self._names["region"]

    @property
    def file(self) -> str:
        """The name of the file, as given to `load` or `parse`."""
        return self._file.source.name

    @property
    def overridden(self) -> Mapping[type[Section], str]:
        """The sections in the file's `overrides`, and their keys."""
        return self._file.original.overridden

    @property
    def text(self) -> str:
        """The file's text, with placeholders not replaced."""
        return "\n".join(self._file.source.lines)

    @property
    def secrets(self) -> Mapping[str, str]:
        """The placeholder of each value from the environment, except for names that reports must show, and of each secret."""
        general = self.general
        plain = {
            general.organization_name,
            general.home_region,
            *general.named_regions,
            *(general.allowed_account_ids or ()),
        }
        filled = {value: name for value, name in self._file.secrets.items() if value not in plain}
        return {**dict(secrets_of(general.notices)), **filled}

    def at(self, *, account_id: str, region: str, partition: str) -> Baseline:
        """The baseline with the placeholders and overrides of an account and Region; cached.

        Raises BaselineError if a value becomes invalid, such as a name that is too long.
        """
        overrides = self.overrides_of(account_id)
        return self.with_overrides(overrides, account_id=account_id, region=region, partition=partition)

    def with_overrides(
        self, overrides: tuple[int, ...], *, account_id: str, region: str, partition: str
    ) -> Baseline:
        """As `at`, but with these items of `overrides`, by index, whichever apply to the account.

        Raises BaselineError as `at` does, and if the overrides contradict each other.
        """
        names = {"account_id": account_id, "region": region, "partition": partition}
        return self._file.original.variant(overrides).filled(names)

    def override(self, accounts: Mapping[str, tuple[int, ...]]) -> None:
        """Set which items of `overrides`, by index, `at` applies to each of these accounts.

        Raises BaselineError if overrides that are valid alone are invalid together.
        """
        self._file.override(accounts)

    def overrides_of(self, account_id: str) -> tuple[int, ...]:
        """The items of `overrides`, by index, that apply to the account."""
        return self._file.original.overrides_by_account.get(account_id, ())

    def problems_at(self, found: Iterable[tuple[Path, str]]) -> BaselineError:
        """The error for problems at these paths of the file that only AWS's answers show."""
        source = self._file.source
        located = [(source.find(path), message) for path, message in found]
        return BaselineError(source.problem(at.line, at.column, at.path, text) for at, text in located)

    def place(self, path: Path) -> str:
        """The position of the value at *path*: `baseline.yaml:14:5`. For a default, that of the mapping around it."""
        found = self._file.source.find(path)
        return self._file.source.problem(found.line, found.column, (), "").place
