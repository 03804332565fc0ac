"""The key `lifecycle_rules` of a log bucket. Fields are those of S3's LifecycleRule, in snake_case."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from ...baseline import InvalidValue, Section
from ...baseline.problem import Path
from ...steps.settings import to_api

_STORAGE = Literal[
    "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"
]
_FROM_DAY_30 = {"STANDARD_IA", "ONEZONE_IA"}


class Transition(Section):
    """Move objects to a cheaper storage class."""

    days: int = Field(ge=0, description="Days after the object was created.")
    storage_class: _STORAGE


class NoncurrentTransition(Section):
    """Move old versions to a cheaper storage class."""

    noncurrent_days: int = Field(ge=0, description="Days after the version was replaced by a newer one.")
    storage_class: _STORAGE


class Expiration(Section):
    """Delete objects."""

    days: int = Field(ge=1, description="Days after the object was created.")


class NoncurrentExpiration(Section):
    """Delete old versions."""

    noncurrent_days: int = Field(ge=1, description="Days after the version was replaced by a newer one.")


class AbortUpload(Section):
    """Delete the parts of uploads that were never completed."""

    days_after_initiation: int = Field(ge=1, description="Days after the upload was started.")


class LifecycleRule(Section):
    """A rule that moves or deletes objects as they age. Rules of others, under other ids, stay."""

    id: str = Field(
        min_length=1, max_length=255, description="The rule's name. A rule of this id is replaced."
    )
    prefix: str = Field("", description="Only objects whose key starts with this. All if left out.")
    transitions: list[Transition] = Field(
        default=[], description="Moves to cheaper storage classes, at most one to each."
    )
    expiration: Expiration | None = Field(None, description="When objects are deleted. Never, if left out.")
    noncurrent_version_transitions: list[NoncurrentTransition] = Field(
        default=[], description="`transitions` for old versions."
    )
    noncurrent_version_expiration: NoncurrentExpiration | None = Field(
        None, description="`expiration` for old versions."
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
        current = [(each.days, each.storage_class) for each in self.transitions]
        days = self.expiration.days if self.expiration else None
        yield from _time_problems("", "days", current, days)
        old = [(each.noncurrent_days, each.storage_class) for each in self.noncurrent_version_transitions]
        gone = self.noncurrent_version_expiration
        days = gone.noncurrent_days if gone else None
        yield from _time_problems("noncurrent_version_", "noncurrent_days", old, days)
        if not self._actions():
            yield ("id",), "the rule does nothing: give it `transitions` or `expiration`"

    def _actions(self) -> dict[str, Any]:
        """What the rule does, under AWS's names."""
        return {key: value for key, value in to_api(self).items() if value and key not in {"Id", "Prefix"}}

    def to_api(self) -> dict[str, Any]:
        """The rule as PutBucketLifecycleConfiguration takes it."""
        return {"ID": self.id, "Status": "Enabled", "Filter": {"Prefix": self.prefix}, **self._actions()}


def _time_problems(
    version: str, days: str, transitions: Sequence[tuple[int, str]], expires: int | None
) -> Iterator[tuple[Path, str]]:
    """What S3 refuses in *transitions*, given as (days, storage class), and in the day of the expiration after them.

    *version* begins the names of the two fields, *days* is the name of the field in each of them.
    """
    field = f"{version}transitions"
    classes: set[str] = set()
    for index, (day, storage_class) in enumerate(transitions):
        if storage_class in _FROM_DAY_30 and day < 30:
            yield (field, index, days), f"want 30 or more for {storage_class}, got {day}"
        if storage_class in classes:
            yield (field, index, "storage_class"), f"want each class once, got {storage_class} again"
        classes.add(storage_class)
    last = max((day for day, _ in transitions), default=-1)
    if expires is not None and expires <= last:
        text = f"want more than the {last} days of the last transition, got {expires}"
        yield (f"{version}expiration", days), text
