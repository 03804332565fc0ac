"""A pause of unattended repair, kept in the account of the caller as a parameter of Systems Manager.

Source: Systems Manager API Reference, GetParameter and PutParameter. A pause ends by itself: AWS says when it was set, and it
lasts seven days from then at most, whatever its text asks for. One that cannot be read, or makes no sense, pauses nothing:
who may write the parameter must not be able to switch repairs off for good, or to hide that they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from ..aws import Aws
from ..aws.errors import BotoCoreError, ClientError, Incomplete, code_of
from ..model import Call
from ..report import words
from .permissions import PARAMETER

LONGEST: Final = timedelta(days=7)


@dataclass(frozen=True)
class Pause:
    """A pause: *until*, why, and by whom. *steps* are those that are paused; all, but what AWS needs to record, if empty."""

    until: datetime
    reason: str
    by: str
    steps: tuple[str, ...] = ()
    written: str = ""  # when it was set or renewed, by AWS's clock
    renewals: int = 0  # how often a pause was put in the place of one

    def __str__(self) -> str:
        what = f"of {', '.join(self.steps)} " if self.steps else ""
        text = f"repairs {what}are paused until {self.until:%Y-%m-%d %H:%M} UTC by {self.by}: {self.reason}"
        return f"{text} (renewed {words.plural(self.renewals, 'time')})" if self.renewals else text

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why each step is paused, for `Controls`."""
        return {step: str(self) for step in self.steps or ("",)}


@dataclass(frozen=True)
class PauseState:
    """The pause of now, if there is one, and what must be told about one that does not count."""

    pause: Pause | None = None
    warning: str = ""
    present: bool = field(default=False)  # there is a parameter, whether it counts or not


def read_pause(aws: Aws, now: datetime) -> PauseState:
    """The pause in the caller's account and home Region. Never raises AWS's errors: without an answer nothing is paused."""
    try:
        found = aws.read("ssm").get_parameter(Name=PARAMETER).value("Parameter", "ParameterNotFound")
    except (ClientError, BotoCoreError, Incomplete) as error:
        why = code_of(error) or str(error)
        text = f"whether repairs are paused cannot be read ({why}), so they are not: allow `ssm:GetParameter`"
        return PauseState(warning=f"{text} on the parameter {PARAMETER}")
    if found is None:
        return PauseState()
    renewals = max(int(found.get("Version", 1)) - 1, 0)
    return parse_pause(str(found.get("Value", "")), found["LastModifiedDate"], now, renewals)


def parse_pause(text: str, written: datetime, now: datetime, renewals: int = 0) -> PauseState:
    """The pause in the *text* of a parameter that was *written* at some time, and overwritten that often."""
    try:
        value = json.loads(text)
        until = datetime.fromisoformat(value["until"]).astimezone(UTC)
        steps = tuple(str(each) for each in value.get("steps", ()))
        when = written.astimezone(UTC).isoformat(timespec="seconds")
        pause = Pause(until, str(value["reason"]), str(value["by"]), steps, when, renewals)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return PauseState(
            warning=f"the parameter {PARAMETER} is no pause, and pauses nothing: delete it", present=True
        )
    if until - written.astimezone(UTC) > LONGEST:
        text = f"a pause until {until:%Y-%m-%d} is longer than {LONGEST.days} days, and does not count"
        return PauseState(warning=f"{text}: `provision resume` removes it", present=True)
    if until <= now:
        return PauseState(present=True)
    return PauseState(pause, present=True)


def set_pause(aws: Aws, pause: Pause) -> Call:
    """The request that sets a pause."""
    given = {"until": pause.until.isoformat(timespec="seconds"), "reason": pause.reason, "by": pause.by}
    text = json.dumps(given | ({"steps": pause.steps} if pause.steps else {}))
    description = "Written by `provision pause`: unattended repair is paused"
    call: Call = aws.write("ssm").put_parameter(
        Name=PARAMETER, Value=text, Type="String", Overwrite=True, Description=description
    )
    return call


def end_pause(aws: Aws) -> Call:
    """The request that ends a pause."""
    call: Call = aws.write("ssm").delete_parameter(Name=PARAMETER)
    return call
