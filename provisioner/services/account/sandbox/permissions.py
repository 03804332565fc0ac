"""IAM actions of S3 Control requests, which have names of their own."""

from __future__ import annotations

from ....sandbox.actions import Acts, act, authorizes
from ....sandbox.model import WireCall


@authorizes("s3control")
def _s3control(call: WireCall) -> Acts:
    """The actions on the public access block of an account have no resource."""
    verb = "Get" if call.operation.startswith("Get") else "Put"
    if call.operation.endswith("PublicAccessBlock"):
        yield act(call, f"s3:{verb}AccountPublicAccessBlock", "*")
