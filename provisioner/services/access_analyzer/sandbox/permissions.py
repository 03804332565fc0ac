"""What requests to Access Analyzer ask to be allowed beside the action of their name."""

from __future__ import annotations

from ....sandbox import iam
from ....sandbox.actions import Acts, act, authorizes, named, partition
from ....sandbox.rules.permissions import role_arn
from ....sandbox.words import WireCall
from .analyzers import PRINCIPAL


@authorizes("accessanalyzer")
def _access_analyzer(call: WireCall) -> Acts:
    """The first analyzer of an account makes the service's role (IAM User Guide, "Using service-linked roles for…")."""
    yield from named(call)
    if call.operation == "CreateAnalyzer":
        name = iam.linked_name(PRINCIPAL)
        linked = f"arn:{partition(call)}:iam::{call.account}:role/aws-service-role/{PRINCIPAL}/{name}"
        if role_arn(call, name) != linked:  # without a path: it is not there
            yield act(call, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName=PRINCIPAL)
