"""Security Hub switched off: the hub of each Region is disabled, which AWS does not undo."""

from __future__ import annotations

from typing import Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Change, Changes, Difference, Exists
from ...steps.owners import policy_owner
from ...steps.registry import consents, disables
from ...steps.settings import owned
from .central import central_owner
from .section import SecurityHub
from .state import HUB, POLICY, STEP, THROTTLED, read_hub

_CONSENT: Final = "disable-security-hub"
_LOSES: Final = "standards, controls that are off, insights and integrations now, and the findings of the Region after 90 days"

consents(_CONSENT)


@disables(STEP)
def disable_security_hub(aws: Aws, baseline: Baseline) -> Changes:
    """Disable the Region's hub, if there is one and nobody above the account sets it."""
    if read_hub(aws) is None:
        return
    yield Exists(HUB)
    change = Difference(HUB, "enabled", None)
    central = central_owner(baseline[SecurityHub], aws.target, baseline.general.home_region)
    if owner := central or policy_owner(aws, POLICY)():
        yield owned(HUB, change, owner)
        return
    call = aws.write("securityhub").disable_security_hub().waiting(THROTTLED)
    yield Change(HUB, (change,), call, "delete", consent=_CONSENT, loses=_LOSES)
