"""IAM actions of Access Analyzer requests beyond the action of the operation's name."""

from __future__ import annotations

from ....sandbox.actions import Acts, act, authorizes, default_acts, linked_role_arn
from ....sandbox.model import WireCall
from ....sandbox.rules.permissions import role_arn
from .analyzers import PRINCIPAL


@authorizes("accessanalyzer")
def _access_analyzer(call: WireCall) -> Acts:
    """The first analyzer of an account creates the service-linked role (IAM User Guide, "Using service-linked roles for…")."""
    yield from default_acts(call)
    if call.operation == "CreateAnalyzer":
        linked = linked_role_arn(call, PRINCIPAL)
        if role_arn(call, linked.rpartition("/")[2]) != linked:  # the role does not exist
            yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=PRINCIPAL)
