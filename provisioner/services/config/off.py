"""AWS Config switched off: the recorder of each Region is stopped, and keeps its history and rules."""

from __future__ import annotations

from typing import Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Change, Changes, Difference, Exists, Kind, Note
from ...steps.registry import consents, disables
from .state import read_config, recorder_title

_CONSENT: Final = "stop-config-recorder"

consents(_CONSENT)


@disables("config_recorder")
def stop_config_recorder(aws: Aws, baseline: Baseline) -> Changes:
    """Stop the Region's recorder. What Control Tower and AWS services set up is left alone."""
    have = read_config(aws)
    if have.control_tower is not None:
        yield Note(Kind.FOREIGN, have.control_tower, "managed by Control Tower; left alone")
        return
    if have.recorder is None:
        return
    name = str(have.recorder["name"])
    yield Exists(recorder_title(name))
    if not have.status.get("recording"):
        return
    write = aws.write("config")
    yield Change(
        recorder_title(name),
        (Difference("recording", have=True, want=False),),
        write.stop_configuration_recorder(ConfigurationRecorderName=name),
        consent=_CONSENT,
        loses="nothing is recorded from now on; rules and Security Hub judge what was recorded last",
        undo=write.start_configuration_recorder(ConfigurationRecorderName=name),
    )
