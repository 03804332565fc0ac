"""A resource whose settings are plain values: what differs is repaired, what is stricter is kept or loosened with consent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ..baseline.section import NO_SETTING, Section, aws_name
from ..compare.stricter import Stricter, split

if TYPE_CHECKING:
    from ..model import Call, Changes, Difference, Note


@dataclass(frozen=True)
class Guarded:
    """On a field: which side of it is stricter, the `--allow` name that lets us loosen it, and what is lost then."""

    stricter: Stricter
    consent: str
    loses: str


@dataclass(frozen=True)
class Strictness:
    """What is kept where AWS is stricter: the fields that have a stricter side, and whether to undo it (*exact*)."""

    guarded: Mapping[str, Guarded]
    exact: bool

    @classmethod
    def of(cls, section: type[Section], *, exact: bool) -> Strictness:
        """That of a section's fields, by AWS's name."""
        fields = section.model_fields.items()
        marks = {
            aws_name(name, small=section.small_names): mark
            for name, each in fields
            for mark in each.metadata
            if isinstance(mark, Guarded)
        }
        return cls(marks, exact)


class Settings(Section):
    """A section whose fields are settings of one resource, under AWS's names in snake_case."""

    exact: Annotated[bool, NO_SETTING] = Field(
        False,
        description="Also undo what is stricter in AWS than here; `apply` does so with `--allow` only.",
    )


def to_api(value: Any, *, small: bool = False) -> Any:
    """What a section, or a list of them, states, under AWS's names; what the file leaves out is left out."""
    if isinstance(value, Section):
        stated = value.model_dump(exclude_none=True, exclude=_no_settings(type(value)))
        return to_api(stated, small=value.small_names)
    if isinstance(value, Mapping):
        return {aws_name(key, small=small): to_api(each, small=small) for key, each in value.items()}
    return [to_api(each, small=small) for each in value] if isinstance(value, list) else value


@cache
def _no_settings(section: type[Section]) -> set[str]:
    """The fields that are no settings of AWS's."""
    fields = section.model_fields.items()
    return {name for name, each in fields if (each.json_schema_extra or {}).get("setting") is False}  # type: ignore[union-attr]


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
) -> Changes:
    """Repair what differs from *want* in one request; keep what is stricter, unless it is to be undone, and allowed.

    *put* makes the request for some settings by AWS's names: for those that change, or where *whole* for all that are
    there, as AWS forgets what such a request leaves out. *warn* says what a repair does besides, by field.
    """
    from ..model import Change, Difference, Kind, Note  # a file is read without it

    guarded = strictness.guarded
    found = split(have, want, {name: each.stricter for name, each in guarded.items()})
    then = dict(have)
    if found.repairs:
        changed = {each.field: each.want for each in found.repairs}
        then |= changed
        yield from warn({each.field: each for each in found.repairs})
        repairs = found.repairs
        if action == "create":
            repairs = tuple(Difference(each.field, None, each.want) for each in repairs)
        yield Change(resource, repairs, put(then if whole else changed), action)
    if not strictness.exact:
        for each in found.stricter:
            asked = "none" if each.want is None else each.want
            yield Note(Kind.STRICTER, resource, f"{each.field} is {each.have}; the baseline asks for {asked}")
        return
    by_consent: dict[str, list[Difference]] = defaultdict(list)
    for each in found.stricter:
        by_consent[guarded[each.field].consent].append(each)
    for consent, several in by_consent.items():
        loosened = {each.field: each.want for each in several}
        loses = "; ".join(dict.fromkeys(guarded[each.field].loses for each in several))
        call = put({**then, **loosened} if whole else loosened)
        yield Change(resource, tuple(several), call, consent=consent, loses=loses)
