"""Ensure the settings of a resource that are plain values: repair differences, keep or loosen stricter values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ..baseline.control import Control
from ..baseline.section import NO_SETTING, Section, aws_name
from ..compare.stricter import Split, Stricter, split
from .registry import consents

if TYPE_CHECKING:
    from ..model import Call, Changes, Difference, Note


@dataclass(frozen=True)
class Guarded:
    """Marks a field that may be stricter in AWS: a test for that, the `--allow` name to loosen it, and what is lost."""

    stricter: Stricter
    consent: str
    loses: str

    def __post_init__(self) -> None:
        consents(self.consent)


@dataclass(frozen=True)
class Strictness:
    """The guarded fields of a section, by AWS's name, and whether stricter values are undone (*exact*)."""

    guarded: Mapping[str, Guarded]
    exact: bool

    @classmethod
    def of(cls, section: type[Section], *, exact: bool) -> Strictness:
        """The strictness of a section's fields."""
        guarded = {
            aws_name(name, small=section.lower_camel_case): each
            for name, field in section.model_fields.items()
            for each in field.metadata
            if isinstance(each, Guarded)
        }
        return cls(guarded, exact)


class Settings(Control):
    """A section whose fields are settings of one resource, with AWS's names in snake_case."""

    exact: Annotated[bool, NO_SETTING] = Field(
        False,
        description="Also undo what is stricter in AWS than here; `apply` does so with `--allow` only.",
    )


def to_api(value: Any, *, small: bool = False, defaults: bool = True) -> Any:
    """Convert a section, or a list of them, to AWS's names, without what the file leaves out.

    Without *defaults*, fields for which the section has a value of its own are left out too: that is for a new resource.
    """
    if isinstance(value, Section):
        stated = value.model_dump(
            exclude_none=True, exclude=_no_settings(type(value)), exclude_unset=not defaults
        )
        return to_api(stated, small=value.lower_camel_case)
    if isinstance(value, Mapping):
        return {aws_name(key, small=small): to_api(each, small=small) for key, each in value.items()}
    return [to_api(each, small=small) for each in value] if isinstance(value, list) else value


@cache
def _no_settings(section: type[Section]) -> set[str]:
    """The names of the fields marked with `NO_SETTING`."""
    fields = section.model_fields.items()
    return {name for name, each in fields if (each.json_schema_extra or {}).get("setting") is False}  # type: ignore[union-attr]


def _undo(before: Mapping[str, Any], put: Callable[[dict[str, Any]], Call], *, whole: bool) -> Call | None:
    """The request that puts earlier values back; None if one was not set, and the request cannot leave it out."""
    known = {name: each for name, each in before.items() if each is not None}
    return put(known) if whole or len(known) == len(before) else None


def settings(
    resource: str,
    have: Mapping[str, Any],
    want: Mapping[str, Any],
    put: Callable[[dict[str, Any]], Call],
    strictness: Strictness,
    *,
    whole: bool = False,
    action: Literal["create", "update"] = "update",
    warn: Callable[[Mapping[str, Difference]], Iterable[Note]] = lambda repairs: (),
    owner: Callable[[], str] = lambda: "",
) -> Changes:
    """Repair all differences in one request. Stricter values are kept with a note, or if exact, loosened with consent.

    *have* and *want* are by AWS's names. *put* makes the request for the settings that change, or with *whole* for all
    settings, for APIs that reset what a request leaves out. *warn* yields notes on the repairs, given by field. *owner*
    names who above the account sets these settings, if anybody does: then differences are told, and nothing is written.
    """
    from ..model import Change, Difference, Kind, Note  # not needed to read a file

    guarded = strictness.guarded
    differences = split(have, want, {name: each.stricter for name, each in guarded.items()})

    if told := _owned(resource, differences, owner, exact=strictness.exact):
        yield from told
        return

    def repair(repairs: tuple[Difference, ...]) -> Change | None:
        """The change that makes these repairs; None if there are none."""
        if not repairs:
            return None
        changed, before = ({each.field: getattr(each, side) for each in repairs} for side in ("want", "have"))
        call = put({**have, **changed} if whole else changed)
        if action == "create":
            repairs = tuple(Difference(each.field, None, each.want) for each in repairs)
        undo = None
        if action == "update":
            undo = _undo(have if whole else before, put, whole=whole)
        return Change(resource, repairs, call, action, without=without, undo=undo)

    def without(fields: Collection[str]) -> Change | None:
        return repair(tuple(each for each in differences.repairs if each.field not in fields))

    repaired = {**have, **{each.field: each.want for each in differences.repairs}}
    if change := repair(differences.repairs):
        yield from warn({each.field: each for each in differences.repairs})
        yield change
    if not strictness.exact:
        for each in differences.stricter:
            text = f"{each.field} is {each.have}; the baseline asks for {_shown(each.want)}"
            yield Note(Kind.STRICTER, resource, text)
        return
    yield from _loosen(resource, differences.stricter, repaired, put, guarded, whole=whole)


def owned(resource: str, difference: Difference, owner: str) -> Note:
    """The note on a difference that only its owner above the account can remove."""
    from ..model import Kind, Note

    have, want = _shown(difference.have), _shown(difference.want)
    text = f"{difference.field} is {have}; the baseline asks for {want}, and {owner} sets it"
    return Note(Kind.OWNED, resource, text)


def _owned(resource: str, differences: Split, owner: Callable[[], str], *, exact: bool) -> list[Note]:
    """The notes on the differences; none if there is no owner, who is only asked for where something differs."""
    open_differences = (*differences.repairs, *(differences.stricter if exact else ()))
    name = owner() if open_differences else ""
    return [owned(resource, each, name) for each in open_differences if name]


def _shown(value: Any) -> Any:
    return "none" if value is None else value


def _loosen(
    resource: str,
    stricter: Iterable[Difference],
    repaired: Mapping[str, Any],
    put: Callable[[dict[str, Any]], Call],
    guarded: Mapping[str, Guarded],
    *,
    whole: bool,
) -> Changes:
    """A change for each consent that the stricter values need. *repaired* are the settings after the repairs."""
    from ..model import Change

    by_consent: dict[str, list[Difference]] = defaultdict(list)
    for each in stricter:
        by_consent[guarded[each.field].consent].append(each)
    for consent, several in by_consent.items():
        loosened = {each.field: each.want for each in several}
        loses = "; ".join(dict.fromkeys(guarded[each.field].loses for each in several))
        call = put({**repaired, **loosened} if whole else loosened)
        yield Change(resource, tuple(several), call, consent=consent, loses=loses)
