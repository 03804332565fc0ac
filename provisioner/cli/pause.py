"""The commands `pause` and `resume`: keep `repair` from repairing for some days, and end that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ..aws import Aws, ReadCache, describe
from ..aws.errors import BotoCoreError, ClientError, code_of
from ..model import Call
from ..repair.pause import LONGEST, Pause, end_pause, read_pause, set_pause
from ..repair.permissions import PARAMETER
from ..report import words
from .exit_codes import OK
from .options import CommandError
from .session import Session


def pause(session: Session, reason: str, until: str) -> int:
    """Set a pause. Raises CommandError."""
    now = datetime.now(UTC)
    end = _until(until, now)
    new = Pause(end, reason, session.identity.arn, session.options.steps)
    aws = Aws(session.home, session.cloud, ReadCache())
    if before := read_pause(aws, now).pause:
        session.screen.message(f"this renews a pause, which everybody is told: {before}", always=True)
    _send(session, aws, set_pause(aws, new))
    session.screen.results([words.clean(str(new))])
    if not new.steps:
        text = "what AWS needs to record is not paused: name its steps with `--target` to pause them too"
        session.screen.message(text, always=True)
    return OK


def resume(session: Session) -> int:
    """End the pause. Raises CommandError."""
    aws = Aws(session.home, session.cloud, ReadCache())
    found = read_pause(aws, datetime.now(UTC))
    if not found.present:
        session.screen.results([found.warning or "repairs are not paused"])
        return OK
    _send(session, aws, end_pause(aws))
    session.screen.results(["repairs go on"])
    return OK


def _send(session: Session, aws: Aws, call: Call) -> None:
    try:
        aws.send(call)
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "ParameterNotFound":  # somebody has just ended the pause
            return
        raise CommandError(
            "; ".join(words.failure(describe(f"writing the parameter {PARAMETER}", error)))
        ) from error
    session.log.write("pause", operation=f"ssm:{call.operation}", account=session.identity.account)


def _until(text: str, now: datetime) -> datetime:
    """The end of a pause: a time such as `2h`, or a moment such as `2027-01-31T18:00`."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    try:
        if text[-1:] in units and text[:-1].isdigit():
            end = now + timedelta(**{units[text[-1]]: int(text[:-1])})
        else:
            end = datetime.fromisoformat(text)
            end = (end if end.tzinfo else end.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CommandError(
            f"--until {text}: want a time such as 2h or 3d, or a moment such as 2027-01-31T18:00"
        ) from None
    if not now < end <= now + LONGEST:
        raise CommandError(f"--until {text}: a pause ends within {LONGEST.days} days from now")
    return end
