"""IAM actions of AWS Config requests beyond the action of the operation's name, from AWS's pages."""

from __future__ import annotations

from ....sandbox.actions import Acts, act, authorizes, default_acts, partition
from ....sandbox.model import WireCall
from ..principal import principal


@authorizes("config")
def _config(call: WireCall) -> Acts:
    """The ARNs of recorders and rules end with an id that AWS generates."""
    name, params = call.operation, call.params
    here = f"arn:{partition(call)}:config:{call.region}:{call.account}"
    if name == "PutConfigurationRecorder":
        recorder = params["ConfigurationRecorder"]
        yield act(call, f"config:{name}", f"{here}:configuration-recorder/{recorder.get('name')}/a1b2c3d4")
        role = recorder.get("roleARN") or ""
        yield act(call, "iam:PassRole", role, iam__PassedToService=principal(partition(call)))
    elif name == "StartConfigurationRecorder":
        recorder = params["ConfigurationRecorderName"]
        yield act(call, f"config:{name}", f"{here}:configuration-recorder/{recorder}/a1b2c3d4")
    elif name == "PutConfigRule":
        yield act(call, f"config:{name}", f"{here}:config-rule/config-rule-a1b2c3")
        if params.get("Tags"):
            yield act(call, "config:TagResource", f"{here}:config-rule/config-rule-a1b2c3")
    else:
        yield from default_acts(call)
