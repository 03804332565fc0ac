"""What to do about drift: `mode` and `when_contested` of a section or a resource, and `exceptions` of the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from .section import (
    NO_SETTING,
    AccountId,
    AsWritten,
    InvalidValue,
    NotInFullProfile,
    Region,
    Section,
    Text,
)

ANNOUNCED: Final = timedelta(days=7)  # in which it is told that an exception ends
Mode = Literal["enforce", "alert", "ignore"]
WhenContested = Literal["repair", "stop"]
# Marks a field, in `Annotated`, that says what to do about drift; AWS does not store it as a setting.
_CONTROL: Final = Field(json_schema_extra={"setting": False, "control": True})


class Control(Section):
    """A section, or a resource in one, with what to do about its drift. What is left out is as in the section around it."""

    mode: Annotated[Mode | None, _CONTROL] = Field(
        None,
        description="What to do about drift: `enforce` (the default) repairs it, `alert` only tells it, `ignore` does not"
        " count it.",
    )
    when_contested: Annotated[WhenContested | None, _CONTROL] = Field(
        None,
        description="What `repair` does about drift that comes back three times in a day: `repair` it each time (the"
        " default), or `stop` and tell it.",
    )

    def controls(self) -> Iterator[tuple[str, "Control"]]:
        """The controls of resources in the section, by a pattern of their names in plans. The default has none."""
        yield from ()

    def control_of(self, resource: str) -> tuple[Mode, WhenContested]:
        """What to do about drift of a resource of the section, by its name in plans."""
        found = [each for pattern, each in self.controls() if fnmatchcase(resource, pattern)]
        mode = next((each.mode for each in found if each.mode), self.mode)
        contested = next((each.when_contested for each in found if each.when_contested), self.when_contested)
        return mode or "enforce", contested or "repair"


class Regional(Control):
    """A section of which something is in each Region. It may be limited to some of the file's Regions."""

    regions: Annotated[list[Region], Field(min_length=1), _CONTROL] = Field(
        default=[],
        description="Only in these of the file's Regions. What is in others already stays there, and what exists once in"
        " an account is not limited.",
    )

    def runs_in(self, region: str) -> bool:
        """Whether the section is for the Region."""
        return not self.regions or region in self.regions


class Switchable(Regional):
    """A section that can also say that its service is to be off, which is not the same as leaving the section out."""

    state: Annotated[
        Literal["enabled", "disabled"] | None, NO_SETTING, NotInFullProfile("turns the service off")
    ] = Field(
        None,
        description="`disabled` turns the service off, which needs an `--allow`, and the rest of the section then counts for"
        " nothing. A section that is left out leaves the service as it is.",
    )

    @property
    def is_off(self) -> bool:
        """Whether the service is to be turned off."""
        return self.state == "disabled"


def _check_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise InvalidValue((), f"want a day such as 2027-01-31, got '{text}'") from None
    return text


Day = Annotated[
    str,
    AsWritten,
    AfterValidator(_check_day),
    WithJsonSchema({"type": "string", "format": "date", "want": "a day such as 2027-01-31"}),
]


class DriftException(Section):
    """A difference that is accepted until a day. It is shown, and neither repaired nor counted."""

    address: str = Field(
        min_length=3,
        max_length=512,
        pattern=r"^[a-z_*?]+/.+$",
        description="STEP/RESOURCE, as `diff` prints them; `*` stands for any text.",
        json_schema_extra={"want": "STEP/RESOURCE, as `diff` prints them"},
    )
    field: Text | None = Field(
        None,
        description="Only this field, as `diff` names it; `*` stands for any text. All fields, if left out.",
    )
    accounts: list[AccountId] = Field(default=[], description="Only in these accounts; in all, if left out.")
    reason: Text = Field(description="Why the difference is accepted.")
    owner: Text = Field(description="Who answers for it.")
    expires: Day = Field(description="The first day on which it no longer counts: 2027-01-31.")

    def covers(self, account: str, step: str, resource: str) -> bool:
        """Whether the exception is about this resource."""
        return (not self.accounts or account in self.accounts) and fnmatchcase(
            f"{step}/{resource}", self.address
        )

    def covers_field(self, field: str) -> bool:
        """Whether it is about this field of its resource."""
        return self.field is None or fnmatchcase(field, self.field)

    def counts(self, today: date) -> bool:
        """Whether it has not expired."""
        return today < date.fromisoformat(self.expires)

    def __str__(self) -> str:
        """`STEP/RESOURCE: FIELD`."""
        return f"{self.address}: {self.field}" if self.field else self.address


@dataclass(frozen=True)
class EndingException:
    """An exception that has expired, or does so within the days for which that is announced. *name* has its last day, too."""

    name: str
    text: str
    expired: bool


def ending(exceptions: tuple[DriftException, ...], today: date) -> Iterator[EndingException]:
    """Yield each exception that no longer counts, and each that is going to end soon."""
    for each in exceptions:
        who = f"{each.owner} accepted it ({each.reason}); renew it in `exceptions`, or remove it"
        places = f" in {', '.join(each.accounts)}" if each.accounts else ""
        name = f"exception for {each}{places} until {each.expires}"
        if not each.counts(today):
            text = f"the exception for {each} expired on {each.expires} and no longer counts: {who}"
            yield EndingException(name, text, expired=True)
        elif not each.counts(today + ANNOUNCED):
            text = f"the exception for {each} counts until {each.expires}, when what it accepts is repaired: {who}"
            yield EndingException(name, text, expired=False)
