"""The field `event_rule` of the section `alarms`."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from ...baseline import NO_SETTING
from ...steps.settings import Guarded, Settings

ROLE_NAME: Final = r"^[A-Za-z0-9_+=,.@-]{1,64}$"
ROLE_WANT: Final[dict[str, Any]] = {"want": "up to 64 letters, digits and any of + = , . @ _ -"}


def _every_event(have: Any, want: Any) -> bool:
    return bool(have == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" and want == "ENABLED")


class EventRule(Settings):
    """An EventBridge rule to the same topic: in seconds, where an alarm takes minutes. It sees this account only."""

    name: Annotated[str, NO_SETTING] = Field(
        "security-tampering",
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="The rule's name, on the default event bus.",
        json_schema_extra={"want": "up to 64 letters, digits, '.', '-' and '_'"},
    )
    state: Annotated[
        Literal["ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"],
        Guarded(_every_event, "narrow-event-rule", "reads no longer match the rule"),
    ] = Field("ENABLED", description="The second also sees calls that only read; the rule matches none.")
    all_regions: Annotated[bool, NO_SETTING] = Field(
        False,
        description="Hear of every Region of the file: a rule of this name in each other one sends its events to the default"
        " event bus of the home Region. Each event is billed. AWS does this in its commercial Regions.",
    )
    role_name: Annotated[str, NO_SETTING] = Field(
        "security-events-to-home-region",
        pattern=ROLE_NAME,
        description="The role with which EventBridge sends them there. It is created.",
        json_schema_extra=ROLE_WANT,
    )
