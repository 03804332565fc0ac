"""The YAML file → typed sections. Every mistake in it is found at once, and each has file:line:column.

`load` reads the file and checks it with sample values for the account and Region; `Baseline.at` fills in the
real ones. Nothing here knows AWS, and nothing reads the environment but through *env*.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from os import PathLike
from typing import Final, Protocol, runtime_checkable

from .baseline import Baseline, InvalidSection
from .checks import Checker, holds_bad, unknown_key
from .general import General, Override
from .overrides import retold, wrong_keys
from .placeholders import Filler
from .problem import BaselineError, Problem
from .section import Contradiction, Section
from .wording import advice
from .yaml_merge import merged, only, part, parts
from .yaml_source import MAX_BYTES, TOO_LARGE, read
from .yaml_tree import MOST_PROBLEMS, Source

SAMPLE_ACCOUNT: Final = "123456789012"
KEPT: Final = 256  # accounts and Regions whose baselines are remembered
_PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}


def load(
    path: str | PathLike[str],
    sections: Mapping[str, type[Section]],
    env: Mapping[str, str],
    default_region: Callable[[], str | None] = lambda: None,
) -> Baseline:
    """The baseline in a file, or in stdin for `-`. BaselineError holds every mistake in it, or why it cannot be read."""
    name = str(path)
    try:
        if name == "-":
            name = "<stdin>"
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:  # noqa: PTH123 - pathlib is long to load, and nothing else needs it
                data = file.read(MAX_BYTES + 1)
        if len(data) <= MAX_BYTES:
            return parse(_decoded(data, name), name, sections, env, default_region)
        message = TOO_LARGE
    except FileNotFoundError:
        message = "no such file; name one, or make baseline.yaml here"
    except IsADirectoryError:
        message = "a directory; name a file in it"
    except (OSError, ValueError) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    raise BaselineError([Problem(name, 0, 0, "", message)]) from None


def parse(
    text: str,
    name: str,
    sections: Mapping[str, type[Section]],
    env: Mapping[str, str],
    default_region: Callable[[], str | None] = lambda: None,
) -> Baseline:
    """The baseline in a text that came from *name*. BaselineError holds every mistake in it.

    *default_region* is asked where the text names no `home_region`.
    """
    source = read(text, name)
    root = source.root
    if root is None or root.value is None:
        if not source.problems:
            source.problems.append(
                Problem(name, 0, 0, "", "the file is empty; start it with 'organization_name: acme'")
            )
        raise BaselineError(source.problems)
    if not isinstance(root.value, dict):
        message = "want keys and values at the top of the file, such as 'organization_name: acme'"
        hint = advice([{"type": "object"}], root.value, root.text)
        source.problems.append(source.problem(root.line, root.column, (), message, hint))
        raise BaselineError(source.problems)
    return _File(source, sections, env, default_region).first()


def _decoded(data: bytes, name: str) -> str:
    """The text of a file in UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        index = error.start
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise BaselineError([Problem(name, 0, 0, "", "UTF-16; save it as UTF-8")])
    line = data.count(b"\n", 0, index) + 1
    column = len(data[data.rfind(b"\n", 0, index) + 1 : index].decode()) + 1
    message = f"byte 0x{data[index]:02x} is not UTF-8; save the file as UTF-8"
    raise BaselineError([Problem(name, line, column, "", message)])


@runtime_checkable
class Contradicting(Protocol):
    """A section that can contradict another part of the file."""

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """What this section says that another part of the file rules out."""


class _File:
    """A file that was read, and the baselines made from it so far."""

    def __init__(
        self,
        source: Source,
        kinds: Mapping[str, type[Section]],
        env: Mapping[str, str],
        default_region: Callable[[], str | None],
    ) -> None:
        self.source, self.kinds, self.env = source, kinds, env
        self.default_region = default_region
        self.entries = source.root.value if source.root else {}
        self.general: General | None = None
        self.names: dict[str, str] = {}  # the placeholders that are the same everywhere
        self.secrets: dict[str, str] = {}
        self.uses: dict[str, list[str]] = {}  # section → the other placeholders in it
        self.made: dict[tuple[str, ...], Section] = {}
        self.baselines: dict[tuple[str, ...], Baseline] = {}
        self.overridden: dict[str, tuple[int, ...]] = {}  # account → the overrides that count for it
        self.variants: dict[tuple[int, ...], _File] = {}
        self.whole = self  # of a variant: the file as it stands

    def name_of(self, kind: type[Section]) -> str:
        """The key in the file that a section's class stands for."""
        return next((name for name, each in self.kinds.items() if each is kind), kind.__name__)

    def first(self) -> Baseline:
        """The baseline of a sample account in the home Region; everything that can be wrong is reported."""
        known = [*General.model_fields, *self.kinds]
        problems = self.source.problems
        unknown = [key for key in self.entries if key not in known]
        problems.extend(unknown_key(self.source, (key,), known) for key in unknown[:MOST_PROBLEMS])
        self.general = self._general()
        baseline = self._make(self._sample(), problems)
        for index in range(len(parts(self.source, "overrides"))):
            problems.extend(self._alone(index))
        if problems or baseline is None:
            raise BaselineError(problems)
        return baseline

    def at(self, names: Mapping[str, str]) -> Baseline:
        """The baseline with these values, and with the overrides that count for its account."""
        return self.varied(self.overrides_of(names["account_id"]), names)

    def varied(self, overrides: tuple[int, ...], names: Mapping[str, str]) -> Baseline:
        """The baseline with these values, and with these overrides whatever the account."""
        return self.whole.variant(overrides).filled(names)

    def overrides_of(self, account_id: str) -> tuple[int, ...]:
        """The overrides that apply to the account."""
        return self.whole.overridden.get(account_id, ())

    def filled(self, names: Mapping[str, str]) -> Baseline:
        """The baseline with these values; made once, and kept as long as there are not many."""
        key = tuple(names.values())
        kept = self.baselines.get(key)
        if kept is None:
            problems: list[Problem] = []
            kept = self._make(names, problems)
            if problems or kept is None:
                raise BaselineError(problems)
            if len(self.baselines) >= KEPT:  # of an organization, one account comes after the other
                self.baselines.clear()
                self.made.clear()
            self.baselines[key] = kept
        return kept

    def override(self, accounts: Mapping[str, tuple[int, ...]]) -> None:
        """These overrides count for these accounts."""
        for several in sorted(set(accounts.values())):
            try:
                self.variant(several).filled(self._sample())
            except BaselineError as error:
                raise BaselineError(retold(error.problems, self.source, several)) from None
        self.overridden.update(accounts)

    def variant(self, overrides: tuple[int, ...]) -> _File:
        """The file with these overrides merged in, in this order."""
        if not overrides:
            return self
        if overrides not in self.variants:
            root = self.source.root
            for index in overrides:
                root = merged(root, part(self.source, "overrides", index)) if root else None
            source = Source(self.source.name, self.source.lines, root)
            made = _File(source, self.kinds, self.env, self.default_region)
            made.general, made.names, made.secrets, made.whole = self.general, self.names, self.secrets, self
            self.variants[overrides] = made
        return self.variants[overrides]

    def _alone(self, index: int) -> list[Problem]:
        """What is wrong with one override: with its keys, or with the sections that it makes."""
        problems = wrong_keys(self.source, index, self.kinds)
        if not problems and self.kinds.keys() & parts(self.source, "overrides", index):
            made = self.variant((index,))
            made.general = self.general
            found = list[Problem]()
            made._make(self._sample(), found)
            known = {*self.source.problems}
            found = [each for each in (*found, *made.source.problems) if each not in known]
            problems.extend(retold(found, self.source, (index,)))
        return problems

    def _sample(self) -> dict[str, str]:
        """What a sample account is called, in the home Region."""
        return {
            "account_id": SAMPLE_ACCOUNT, "region": self._home(), "partition": _partition(self._home())
        }  # fmt: skip

    def _home(self) -> str:
        return self.general.home_region if self.general else "us-east-1"

    def _general(self) -> General | None:
        """The top-level scalars, and `organization_name` for all that is filled later."""
        filler = Filler(self.source, {}, self.env, (), secrets=self.secrets)
        fields = {k: e.node for k, e in self.entries.items() if k in General.model_fields}
        if "overrides" in fields:  # what they say of sections is for `variant`
            fields["overrides"] = only(fields["overrides"], Override.model_fields)
        data = {key: filler.fill(node, (key,)) for key, node in fields.items()}
        if "home_region" not in data and (default := self.default_region()):
            data["home_region"] = default
        general = Checker(self.source, self.env, {}, self.secrets).section(General, (), data)
        found = general if isinstance(general, list) else []
        self.source.problems.extend(found)
        name = data.get("organization_name")
        if isinstance(name, str) and not any(
            each.path == "organization_name" for each in self.source.problems
        ):
            self.names["organization_name"] = name
        return None if isinstance(general, list) else general

    def _make(self, names: Mapping[str, str], problems: list[Problem]) -> Baseline | None:
        """The baseline with these values, unless something is wrong, which is added to *problems*."""
        have: dict[str, Section] = {}
        for name in filter(self.kinds.__contains__, self.entries):
            section = self._section(name, names)
            if isinstance(section, list):
                problems.extend(section)
            elif not (problems and holds_bad(self.entries[name].node)):
                have[name] = section
        if self.general is None:
            return None
        wrong = frozenset(
            self.kinds[name] for name in self.entries if name in self.kinds and name not in have
        )
        kinds = {self.kinds[name]: section for name, section in have.items()}
        baseline = Baseline(self.general, tuple(have), kinds, self, names, wrong)
        check = Checker(self.source, self.env, {}, self.secrets)
        for section in kinds.values():
            for each in _contradictions(section, baseline):
                problems.extend(check.said(each.path, each.message))
        return baseline

    def _section(self, name: str, names: Mapping[str, str]) -> Section | list[Problem]:
        """One section with these values. Made once for each set of the values that it uses."""
        used = self.uses.get(name)
        key = (name, *(names[each] for each in used or ()))
        if used is not None and (kept := self.made.get(key)) is not None:  # in one step: others may clear it
            return kept
        node = self.entries[name].node
        filler = Filler(self.source, {**self.names, **names}, self.env, secrets=self.secrets)
        data = {} if node.value is None and not node.bad else filler.fill(node, (name,))
        shown = {**self.names, **names, **self._organization()}
        section = Checker(self.source, self.env, shown, self.secrets).section(self.kinds[name], (name,), data)
        if not isinstance(section, list):
            self.uses[name] = sorted(filler.used & names.keys())
            self.made[name, *(names[each] for each in self.uses[name])] = section
        return section

    def _organization(self) -> dict[str, str]:
        """`organization_name` as it may be shown: not what the environment says."""
        entry = self.entries.get("organization_name")
        return {"organization_name": entry.node.text} if entry else {}


def _partition(region: str) -> str:
    return next((to for prefix, to in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def _contradictions(section: Section, baseline: Baseline) -> Iterator[Contradiction]:
    """What the section finds, as far as the sections that it looks at are right themselves."""
    if isinstance(section, Contradicting):
        with suppress(InvalidSection):
            yield from section.contradictions(baseline)
