"""Check every request against one identity policy, as IAM would for a caller that has no other.

world.interrupt(authorize(document))

`actions` gives what a request needs; a request that it does not know is denied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ..compare.policy_eval import Act, decide_identity
from .actions import act, acts, partition
from .model import Fault, Interrupt, Phase, WireCall
from .rules.organizations import organization_of

_QUERY: Final = {"s3", "iam", "sts"}  # their code is AccessDenied, with status 403
_ALWAYS_ALLOWED: Final = {("sts", "GetCallerIdentity")}  # needs no permission, and no Deny takes it away


def authorize(policy: Mapping[str, Any]) -> Interrupt:
    """An interrupt that denies what an identity with only *policy* may not do, before the call has any effect."""
    text = json.dumps(policy)

    def check(call: WireCall, phase: Phase) -> Fault | None:
        if phase != "before" or (call.service, call.operation) in _ALWAYS_ALLOWED:
            return None
        document = filled(text, call)
        needed = acts(call)
        if not needed:  # whatever the policy allows
            return _denied(call, act(call, f"{call.service}:{call.operation}", "unknown to the sandbox"))
        denied = next((one for one in needed if decide_identity([document], one) != "allow"), None)
        return None if denied is None else _denied(call, denied)

    return check


def filled(text: str, call: WireCall) -> Any:
    """A policy with its variables replaced by the caller's values; `aws:PrincipalOrgID` stays if there is no organization."""
    text = text.replace("${aws:PrincipalAccount}", call.account)
    _, org = organization_of(call.account, partition(call))
    return json.loads(text.replace("${aws:PrincipalOrgID}", org) if org else text)


def _denied(call: WireCall, asked: Act) -> Fault:
    code, status = ("AccessDenied", 403) if call.service in _QUERY else ("AccessDeniedException", 400)
    why = f"because no identity-based policy allows the {asked.action} action"
    text = f"User: {asked.principal} is not authorized to perform: {asked.action} on resource: {asked.resource} {why}"
    return Fault(code, status, text)
