"""`Section`, the base class of every section of the file, and types that several sections use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from .partitions import unknown_region
from .problem import leaves

if TYPE_CHECKING:
    from .problem import Path

_ACCOUNT: Final = "an account id of 12 digits, in quotes where it starts with 0"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A conflict between two parts of the file. *path* starts at the root of the file."""

    path: Path
    message: str


class InvalidValue(ValueError):
    """Raised by a validator: an error message, and the path of the error below the validated value.

    Examples: `raise InvalidValue("days", "want more than 30")`, `raise InvalidValue(("transitions", 1), "...")`, and
    for several errors `raise InvalidValue.several([(path, message), ...])`.
    """

    def __init__(self, path: str | int | Path, message: str) -> None:
        super().__init__(message)
        self.wrongs: tuple[tuple[Path, str], ...] = ((path if isinstance(path, tuple) else (path,), message),)

    @classmethod
    def several(cls, wrongs: Iterable[tuple[str | int | Path, str]]) -> InvalidValue:
        """One exception for several errors."""
        each = list(starmap(cls, wrongs))
        each[0].wrongs = tuple(wrong for one in each for wrong in one.wrongs)
        return each[0]


# Marks a field, in `Annotated`, that AWS does not store as a setting, such as the name of a resource.
NO_SETTING: Final = Field(json_schema_extra={"setting": False})

# Marks a field, in `Annotated`, that is a secret: only there may a variable be used that is one by its name. `writeOnly`
# is JSON Schema's word for that.
SECRET: Final = Field(json_schema_extra={"writeOnly": True})


@dataclass(frozen=True, slots=True)
class NotInFullProfile:
    """Marks a field, in `Annotated`, that `profiles/full.yaml` does not use, and says why."""

    why: str


@dataclass(frozen=True, slots=True)
class ForOrganization:
    """Marks a field, in `Annotated`, that is for the management account of an organization only.

    Where it has one of *values*, or any if there are none, `provision init` writes *otherwise* for another account, or
    leaves the field out.
    """

    values: tuple[Any, ...] = ()
    otherwise: Any = None


class Section(BaseModel):
    """Base class of a section, or of a mapping in one: no unknown keys, no conversion of types, immutable.

    `Field(description=...)` is what editors and `provision explain` show. `json_schema_extra={"want": "a bucket name
    of 3 to 63 characters"}` describes the accepted values in error messages where the type does not.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_enum_values=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        hide_input_in_errors=True,
        defer_build=True,
    )

    # The section configures something that exists once in the organization, so no account can override it.
    once: ClassVar[bool] = False
    # The service's API writes field names in lowerCamelCase.
    lower_camel_case: ClassVar[bool] = False
    # Paths of fields that must be the same for all accounts.
    same_for_all_accounts: ClassVar[tuple[tuple[str, ...], ...]] = ()

    def contradictions(self, baseline: Any) -> Iterator[Contradiction]:  # noqa: ARG002 - for overriding
        """Check the section against the rest of the file, a `Baseline`. The default finds nothing."""
        yield from ()


def asks_for_nothing(section: Section) -> bool:
    """Tell whether a section has no value: each is None, empty, or a switch that is no setting."""
    return not any(_has_value(each) for each in section.model_dump(exclude=switches(type(section))).values())


def switches(kind: type[Section]) -> set[str]:
    """The fields of a section that are no setting and say how it is ensured, such as `exact` and `mode`."""
    return {
        name
        for name, field in kind.model_fields.items()
        if isinstance(field.json_schema_extra, dict)
        and field.json_schema_extra.get("setting") is False
        and (isinstance(field.default, bool) or field.json_schema_extra.get("control"))
    }


def _has_value(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_value, value.values()))
    return value is not None and value not in ([], ())


def aws_name(field: str, *, small: bool = False) -> str:
    """Convert a field name to AWS's: `is_multi_region_trail` to `IsMultiRegionTrail`, or with *small* `isMulti…`."""
    name = "".join(part.capitalize() for part in field.split("_"))
    return name[0].lower() + name[1:] if small else name


# The type of the error for numbers, true and false where the field takes their text. `paths` in its context has the path
# of each one below the field.
AS_WRITTEN: Final = "as_written"


def _refuse_scalars(value: Any) -> Any:
    if paths := [path for path, each in leaves(value) if isinstance(each, bool | int | float)]:
        raise PydanticCustomError(AS_WRITTEN, "text", {"paths": paths})
    return value


# On a field of text, in `Annotated`: a number, true or false is taken as it is written in the file, `1.30` as "1.30". On a
# mapping or list: all of those in it are.
AsWritten: Final = BeforeValidator(_refuse_scalars)


def _refuse_null(value: Any) -> Any:
    """Refuse a key without a value: if all lines below it are commented out, "no restriction" is not what is meant."""
    if value is None:
        raise PydanticCustomError("nothing", "nothing")
    return value


# On a field that may be left out, in `Annotated`: a key without a value is an error. Its JSON Schema needs `without_null`.
NOT_NULL: Final = BeforeValidator(_refuse_null)


def without_null(schema: dict[str, Any]) -> None:
    """Let the JSON Schema refuse null, as NOT_NULL does."""
    schema["anyOf"].remove({"type": "null"})


def known_region(region: str) -> str:
    """The Region. Raises InvalidValue for one that botocore does not know."""
    if message := unknown_region(region):
        raise InvalidValue((), message)
    return region


AccountId = Annotated[
    str,
    AsWritten,
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
"""Twelve digits as text, in quotes or not."""

Region = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{2,5}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$",
        json_schema_extra={"want": "a Region such as 'eu-west-1'"},
    ),
    AfterValidator(known_region),
]
"""The code of an AWS Region, such as `eu-west-1`."""

Text = Annotated[str, Field(min_length=1, max_length=1024)]
"""Text of 1 to 1024 characters."""
