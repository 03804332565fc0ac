"""Macie switched off: the session of each Region is ended, which deletes what it has."""

from __future__ import annotations

from typing import Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Change, Changes, Difference, Exists
from ...steps.registry import consents, disables
from ...steps.settings import owned
from .state import SERVICE, TITLE, administrator, read_session

_CONSENT: Final = "disable-macie"
_LOSES: Final = "all findings, jobs, settings and discovery results of the Region; `status: PAUSED` keeps them, and stops the bill"

consents(_CONSENT)


@disables("macie")
def disable_macie(aws: Aws, baseline: Baseline) -> Changes:
    """End the Region's session, if there is one. An administrator sets that of its members."""
    have = read_session(aws) if aws.offers(SERVICE) else None
    if have is None:
        return
    yield Exists(TITLE)
    change = Difference("status", have["status"], None)
    if owner := administrator(aws)():
        yield owned(TITLE, change, owner)
        return
    call = aws.write(SERVICE).disable_macie()
    yield Change(TITLE, (change,), call, "delete", consent=_CONSENT, loses=_LOSES)
