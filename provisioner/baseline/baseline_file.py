"""`BaselineFile`: the file that baselines are made from, with its overrides, and all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from .baseline import Baseline, InvalidSection
from .checks import contains_invalid, unknown_key
from .control import Regional
from .general import General
from .overrides import name_overrides, without, wrong_keys
from .partitions import partition_of
from .placeholders import Environment
from .problem import BaselineError, Path, Problem, listed
from .section import Section, asks_for_nothing, switches
from .sections import SectionReader
from .yaml_merge import drop_keys, keys_at, merge, node_at
from .yaml_tree import MAX_PROBLEMS, Source

_SAMPLE_ACCOUNT: Final = "123456789012"
_MAX_CACHED: Final = 256  # accounts and Regions


class BaselineFile:
    """A file that was read, and the baselines made from it so far. *kinds* are the sections' classes by key."""

    def __init__(
        self,
        source: Source,
        kinds: Mapping[str, type[Section]],
        env: Mapping[str, str],
        default_region: Callable[[], str | None],
    ) -> None:
        self.source, self.kinds, self.default_region = source, kinds, default_region
        self.env = Environment.of(env)
        self.secrets: dict[str, str] = {}
        self.general: General | None = None
        self._reader = SectionReader(source, kinds, self.env, {}, self.secrets)
        self._baselines: dict[tuple[str, ...], Baseline] = {}
        self.overrides_by_account: dict[str, tuple[int, ...]] = {}  # those that apply to each account
        self.variants: dict[tuple[int, ...], BaselineFile] = {}
        self.original = self  # of a variant: the file without overrides

    def first(self) -> Baseline:
        """The baseline of a sample account in the home Region. Raises BaselineError with all errors in the file."""
        known = [*General.model_fields, *self.kinds]
        problems = self.source.problems
        unknown = [key for key in self._reader.entries if key not in known]
        problems.extend(unknown_key(self.source, (key,), known) for key in unknown[:MAX_PROBLEMS])
        self.general = self._reader.general(self.default_region)
        baseline = self.check(problems)
        if baseline is not None and not problems:
            problems.extend(self._empty(baseline))
        for index in self._override_indexes:
            problems.extend(self._problems_of_override(index))
        if problems or baseline is None:
            raise BaselineError(problems)
        return baseline

    @property
    def _override_indexes(self) -> range:
        items = node_at(self.source, "overrides").value
        return range(len(items) if isinstance(items, list) else 0)

    @property
    def overridden(self) -> Mapping[type[Section], str]:
        """The sections in `overrides`, and their keys."""
        found = (key for index in self._override_indexes for key in keys_at(self.source, "overrides", index))
        return {self.kinds[key]: key for key in found if key in self.kinds}

    def override(self, accounts: Mapping[str, tuple[int, ...]]) -> None:
        """Set the overrides that apply to each of these accounts."""
        for overrides in sorted(set(accounts.values())):
            try:
                self.variant(overrides).filled(self._sample())
            except BaselineError as error:
                raise BaselineError(name_overrides(error.problems, self.source, overrides)) from None
        self.overrides_by_account.update(accounts)

    def variant(self, overrides: tuple[int, ...]) -> BaselineFile:
        """The file with these overrides merged in, in this order."""
        if not overrides:
            return self
        if overrides not in self.variants:
            root = self.source.root
            for index in overrides:
                root = merge(root, node_at(self.source, "overrides", index)) if root else None
                root = drop_keys(root, without(self.source, index)) if root else None
            source = Source(self.source.name, self.source.lines, root)
            file = BaselineFile(source, self.kinds, self.env, self.default_region)
            file.general, file.secrets, file.original = self.general, self.secrets, self
            file._reader = SectionReader(source, self.kinds, self.env, self._reader.names, self.secrets)
            self.variants[overrides] = file
        return self.variants[overrides]

    def filled(self, names: Mapping[str, str]) -> Baseline:
        """The baseline with these placeholders, cached."""
        key = tuple(names.values())
        baseline = self._baselines.get(key)
        if baseline is None:
            problems: list[Problem] = []
            baseline = self._make(names, problems)
            if problems or baseline is None:
                raise BaselineError(problems)
            if len(self._baselines) >= _MAX_CACHED:  # accounts are run one after the other
                self._baselines.clear()
                self._reader.clear()
            self._baselines[key] = baseline
        return baseline

    def _problems_of_override(self, index: int) -> list[Problem]:
        """Problems with the keys of one override, or with the sections that it results in."""
        problems = wrong_keys(self.source, index, self.kinds)
        changed = {*self.kinds, "without"}.intersection(keys_at(self.source, "overrides", index))
        if changed and not problems:
            variant = self.variant((index,))
            found = list[Problem]()
            variant.check(found)
            known = {*self.source.problems}
            found = [each for each in (*found, *variant.source.problems) if each not in known]
            problems.extend(name_overrides(found, self.source, (index,)))
        return problems

    def _sample(self) -> dict[str, str]:
        """The placeholders of a sample account in the home Region."""
        home = self.general.home_region if self.general else "us-east-1"
        return {"account_id": _SAMPLE_ACCOUNT, "region": home, "partition": partition_of(home)}

    def _empty(self, baseline: Baseline) -> Iterator[Problem]:
        """Problems with sections that ask for nothing, and with a file that has none."""
        checker = self._reader.checker({})
        for key in baseline.sections:
            kind = self.kinds[key]
            if asks_for_nothing(baseline[kind]):
                example = next((each for each in kind.model_fields if each not in switches(kind)), "")
                hint = f"set a field, such as `{example}`" if example else "add what it is for"
                yield from checker.problem((key,), f"asks for nothing: {hint}, or remove `{key}`")
        if not baseline.sections and not self.overridden:
            known = listed((f"`{key}`" for key in self.kinds), "and")
            message = (
                f"asks for nothing: add a section, such as `{next(iter(self.kinds))}`; there are {known}"
            )
            yield Problem(self.source.name, 0, 0, "", message)

    def check(self, problems: list[Problem]) -> Baseline | None:
        """The baseline of a sample account in the home Region, if it is valid there and in each Region that the file names.

        Adds what is invalid to *problems*.
        """
        sample = self._sample()
        baseline = self._make(sample, problems)
        for region in self.general.named_regions if self.general else ():
            if problems or self.source.problems:  # most would be the same as in the home Region
                break
            self._make({**sample, "region": region}, problems)
        return baseline

    def _make(self, names: Mapping[str, str], problems: list[Problem]) -> Baseline | None:
        """The baseline with these placeholders, unless something is invalid, which is added to *problems*."""
        entries = self._reader.entries
        present = [name for name in entries if name in self.kinds]
        valid: dict[str, Section] = {}
        for name in present:
            section = self._reader.section(name, names)
            if isinstance(section, list):
                problems.extend(section)
            elif not (problems and contains_invalid(entries[name].node)):
                valid[name] = section
        if self.general is None:
            return None
        sections = {self.kinds[name]: section for name, section in valid.items()}
        invalid = frozenset(self.kinds[name] for name in present if name not in valid)
        baseline = Baseline(self.general, tuple(valid), sections, self, names, invalid)
        checker = self._reader.checker({})
        for section in sections.values():
            with suppress(InvalidSection):  # nothing can be said about a section that is invalid itself
                for each in section.contradictions(baseline):
                    problems.extend(checker.problem(each.path, each.message))
        for path, message in _regions_not_in_file(self.general, valid):
            problems.extend(checker.problem(path, message))
        return baseline


def _regions_not_in_file(general: General, sections: Mapping[str, Section]) -> Iterator[tuple[Path, str]]:
    """The `regions` of sections that are none of the file's, each with its path and what is wrong."""
    for key, section in sections.items():
        for index, region in enumerate(section.regions if isinstance(section, Regional) else ()):
            if not general.covers(region):
                text = f"{region} is not among the Regions of the file: add it to `regions` there, or drop it here"
                yield (key, "regions", index), text
