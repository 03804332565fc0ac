"""GuardDuty switched off: the detector is suspended, with its settings and findings kept."""

from __future__ import annotations

from typing import Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Changes, Exists
from ...steps.registry import disables
from ...steps.settings import Guarded, Strictness, settings
from .state import DETECTOR, SERVICE, administrator_of, read_detector

_SUSPENDED: Final = Guarded(
    lambda have, want: have and not want,
    "suspend-guardduty",
    "GuardDuty looks at nothing and finds nothing; findings and settings are kept",
)


@disables("guardduty")
def suspend_guardduty(aws: Aws, baseline: Baseline) -> Changes:
    """Suspend the Region's detector, if there is one. An administrator sets that of its members."""
    have = read_detector(aws)
    if have is None:
        return
    yield Exists(DETECTOR)
    administrator, policy = administrator_of(aws, have), have.policy()
    yield from settings(
        DETECTOR,
        {"Enable": have.have["Status"] == "ENABLED"},
        {"Enable": False},
        lambda changed: aws.write(SERVICE).update_detector(DetectorId=have.id, **changed),
        Strictness({"Enable": _SUSPENDED}, exact=True),
        owner=lambda: administrator() or (policy and f"the organization's {policy}"),
    )
