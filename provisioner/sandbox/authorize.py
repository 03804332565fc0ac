"""IAM at the sandbox's gate: a caller that has one policy, and nothing else.

    world.interrupt(authorize(document))

What a request asks for is said in `actions`; what is not known there is denied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from .actions import act, acts, partition
from .policy_eval import Act, decide_identity
from .rules.organizations import organization_of
from .words import Fault, Interrupt, Phase, WireCall

_QUERY: Final = {"s3", "iam", "sts"}  # these say AccessDenied, with status 403
_FREE: Final = {("sts", "GetCallerIdentity")}  # needs no permission, and a Deny does not take it away


def authorize(policy: Mapping[str, Any]) -> Interrupt:
    """An interrupt that denies what an identity with only *policy* may not do, before it has any effect."""
    text = json.dumps(policy)

    def gate(call: WireCall, phase: Phase) -> Fault | None:
        if phase != "before" or (call.service, call.operation) in _FREE:
            return None
        document = filled(text, call)
        asked = acts(call)
        for one in asked:
            if decide_identity([document], one) != "allow":
                return _denied(call, one)
        unknown = act(call, f"{call.service}:{call.operation}", "what the sandbox does not know")
        return None if asked else _denied(call, unknown)

    return gate


def filled(text: str, call: WireCall) -> Any:
    """A policy with what IAM knows of the caller; who is in no organization keeps a variable that fits nothing."""
    text = text.replace("${aws:PrincipalAccount}", call.account)
    _, org = organization_of(call.account, partition(call))
    return json.loads(text.replace("${aws:PrincipalOrgID}", org) if org else text)


def _denied(call: WireCall, asked: Act) -> Fault:
    code, status = ("AccessDenied", 403) if call.service in _QUERY else ("AccessDeniedException", 400)
    why = f"because no identity-based policy allows the {asked.action} action"
    text = f"User: {asked.principal} is not authorized to perform: {asked.action} on resource: {asked.resource} {why}"
    return Fault(code, status, text)
