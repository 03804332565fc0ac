"""The key `lifecycle_rules` of a log bucket. Fields are those of S3's LifecycleRule, in snake_case."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from ...baseline import InvalidValue, NotInFullProfile, Section
from ...baseline.problem import Path
from ...baseline.section import aws_name
from ...steps.settings import to_api
from .lifecycle_limits import Transitions, conflicts, doubtful

_STORAGE = Literal[
    "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"
]
_MOST_DAYS: Final = 2**31 - 1  # S3 reads days as a 32-bit integer
_NONCURRENT: Final = "Days after the version was overwritten or deleted, or its object expired."


class Transition(Section):
    """Move objects to a cheaper storage class. Which objects are too small for it, the bucket's `transition_default_minimum_object_size` says."""

    days: int = Field(ge=0, le=_MOST_DAYS, description="Days after the object was created.")
    storage_class: _STORAGE


class NoncurrentTransition(Section):
    """Move old versions to a cheaper storage class."""

    noncurrent_days: int = Field(ge=0, le=_MOST_DAYS, description=_NONCURRENT)
    storage_class: _STORAGE


class Expiration(Section):
    """Expire objects: in a bucket with versioning they become old versions behind a delete marker, without it they are deleted."""

    days: int = Field(ge=1, le=_MOST_DAYS, description="Days after the object was created.")


class NoncurrentExpiration(Section):
    """Delete old versions, for good: those of expired objects, and those that somebody overwrote or deleted."""

    noncurrent_days: int = Field(ge=1, le=_MOST_DAYS, description=_NONCURRENT)


class AbortUpload(Section):
    """Delete the parts of uploads that were never completed."""

    days_after_initiation: int = Field(ge=1, le=_MOST_DAYS, description="Days after the upload was started.")


class LifecycleRule(Section):
    """A rule that moves or deletes objects as they age. Rules of others, under other ids, stay."""

    id: str = Field(
        min_length=1,
        max_length=255,
        description="The rule's name. Of a rule of this id, what the file leaves out stays, unless it deletes objects or old versions.",
    )
    prefix: Annotated[str, NotInFullProfile("all logs of a bucket are kept for as long")] = Field(
        "", max_length=1024, description="Only objects whose key starts with this. All if left out."
    )
    transitions: list[Transition] = Field(
        default=[], description="Moves to cheaper storage classes, at most one to each."
    )
    expiration: Expiration | None = Field(
        None,
        description="When objects expire; never, if left out. With versioning, `noncurrent_version_expiration` "
        "says how many days later they are deleted.",
    )
    noncurrent_version_transitions: list[NoncurrentTransition] = Field(
        default=[], description="`transitions` for old versions."
    )
    noncurrent_version_expiration: NoncurrentExpiration | None = Field(
        None,
        description="When old versions are deleted. Never, if left out, and neither are expired objects then.",
    )
    abort_incomplete_multipart_upload: AbortUpload | None = Field(
        None,
        description="When incomplete uploads are deleted. They are billed, and no listing of objects shows them.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problems := list(self._problems()):
            raise InvalidValue.several(problems)
        return self

    def _problems(self) -> Iterator[tuple[Path, str]]:
        expires = self.expiration.days if self.expiration else None
        yield from _time_problems("", "days", self._current, expires)
        gone = self.noncurrent_version_expiration
        expires = gone.noncurrent_days if gone else None
        yield from _time_problems("noncurrent_version_", "noncurrent_days", self._old, expires)
        if not self._actions():
            yield ("id",), "the rule does nothing: give it `transitions` or `expiration`"

    @property
    def _current(self) -> Transitions:
        return [(each.days, each.storage_class) for each in self.transitions]

    @property
    def _old(self) -> Transitions:
        return [(each.noncurrent_days, each.storage_class) for each in self.noncurrent_version_transitions]

    def warnings(self, *, versioned: bool) -> Iterator[str]:
        """A text for each thing that S3 may refuse, or that does not do what it seems to."""
        yield from doubtful(self._current)
        yield from (f"old versions: {text}" for text in doubtful(self._old))
        if versioned and self.expiration and not self.noncurrent_version_expiration:
            yield (
                "`expiration` deletes nothing in a bucket with versioning, it only hides: say with "
                "`noncurrent_version_expiration` when the hidden versions are deleted"
            )

    def left_out(self, have: Mapping[str, Any]) -> dict[str, Any]:
        """The actions of the rule in AWS that stay beside those of the file: none that deletes objects or old versions.

        And none that S3 refuses beside those of the file: a move after the deletion, or by date beside one by days.
        """
        stated = {aws_name(name) for name in self.model_fields_set} | {"ID", "Status", "Filter", "Prefix"}
        limits = {
            "Transitions": ("Days", self.expiration.days if self.expiration else None),
            "NoncurrentVersionTransitions": (
                "NoncurrentDays",
                self.noncurrent_version_expiration.noncurrent_days
                if self.noncurrent_version_expiration
                else None,
            ),
        }
        kept = {}
        for action, value in have.items():
            days, limit = limits.get(action, ("", None))
            late = limit is not None and any(each.get(days, limit) >= limit for each in value)
            if action not in {*stated, "Expiration", "NoncurrentVersionExpiration"} and value and not late:
                kept[action] = value
        return kept

    def _actions(self) -> dict[str, Any]:
        """What the rule does, under AWS's names."""
        return {key: value for key, value in to_api(self).items() if value and key not in {"Id", "Prefix"}}

    def to_api(self) -> dict[str, Any]:
        """The rule as PutBucketLifecycleConfiguration takes it."""
        return {"ID": self.id, "Status": "Enabled", "Filter": {"Prefix": self.prefix}, **self._actions()}


def _time_problems(
    version: str, days: str, transitions: Transitions, expires: int | None
) -> Iterator[tuple[Path, str]]:
    """What S3 refuses in *transitions*, given as (days, storage class), and in the day of the expiration after them.

    *version* begins the names of the two fields, *days* is the name of the field in each of them.
    """
    field = f"{version}transitions"
    for index, other, least in conflicts(transitions):
        (day, cold), (other_day, warm) = transitions[index], transitions[other]
        if cold == warm:
            yield (field, index, "storage_class"), f"want each class once, got {cold} again"
        elif least is None:
            yield (
                (field, index, "storage_class"),
                f"S3 moves nothing from {warm} to {cold}: leave one of them out",
            )
        else:
            want = f"want {least} or more for {cold}, after {warm} on day {other_day}"
            yield (field, index, days), f"{want}, got {day}"
    last = max((day for day, _ in transitions), default=-1)
    if expires is not None and expires <= last:
        text = f"want more than the {last} days of the last transition, got {expires}"
        yield (f"{version}expiration", days), text
