"""What a part of the baseline is made of: the base of every section, and common types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

if TYPE_CHECKING:
    from .problem import Path

_ACCOUNT: Final = "an account id of 12 digits, in quotes where it starts with 0"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two places of the file that cannot both be meant. *path* starts at the root of the file."""

    path: Path
    message: str


class Wrong(ValueError):
    """Raised by a validator: what is wrong, and where below the value that it validates.

    `raise Wrong("days", "want more than 30")`, `raise Wrong(("transitions", 1), "...")`, and for several
    at once `raise Wrong.several([(path, message), ...])`.
    """

    def __init__(self, path: str | int | Path, message: str) -> None:
        super().__init__(message)
        self.wrongs: tuple[tuple[Path, str], ...] = ((path if isinstance(path, tuple) else (path,), message),)

    @classmethod
    def several(cls, wrongs: Iterable[tuple[str | int | Path, str]]) -> Wrong:
        """All of them as one exception."""
        each = list(starmap(cls, wrongs))
        each[0].wrongs = tuple(wrong for one in each for wrong in one.wrongs)
        return each[0]


# On a field, in `Annotated`: it says which resource is meant or how to go about it, and is no setting that AWS keeps.
NO_SETTING: Final = Field(json_schema_extra={"setting": False})


class Section(BaseModel):
    """A section of the file, or a mapping in one: nothing unknown, nothing converted, nothing changed later.

    `Field(description=...)` is what editors and `provision explain` show. Where the type does not say what
    is wanted, `json_schema_extra={"want": "a bucket name of 3 to 63 characters"}` does, in error messages.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_enum_values=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        hide_input_in_errors=True,
    )

    # What it asks for exists once in an organization, and so for no account in particular.
    once: ClassVar[bool] = False
    # AWS writes the names of this service's fields with a small first letter.
    small_names: ClassVar[bool] = False
    # Where below it something is said that must be the same for every account.
    one_for_all: ClassVar[tuple[tuple[str, ...], ...]] = ()


def aws_name(field: str, *, small: bool = False) -> str:
    """The field under AWS's name for it: `is_multi_region_trail` is `IsMultiRegionTrail`; *small*: `isMulti…`."""
    name = "".join(part.capitalize() for part in field.split("_"))
    return name[0].lower() + name[1:] if small else name


def _as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


AccountId = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(pattern=r"^[0-9]{12}$"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^[0-9]{12}$"},
                {"type": "integer", "minimum": 10**11, "maximum": 10**12 - 1},
            ],
            "want": _ACCOUNT,
        }
    ),
]
"""Twelve digits as text. YAML may give a number; one that starts with 0 is text to our reader anyway."""

Region = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{2,5}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$",
        json_schema_extra={"want": "a Region such as 'eu-west-1'"},
    ),
]
"""The code of an AWS Region."""

Text = Annotated[str, Field(min_length=1, max_length=1024)]
"""Text with something in it."""
