"""The proof that what remediations do succeeds."""

from __future__ import annotations

from collections.abc import Collection

from ...aws import Aws
from ...baseline import Baseline
from ...model import Finding, Findings
from ...steps.registry import verify
from .remediation import STEP, remediation_title, remediations_of
from .section import Config
from .state import JsonObject


@verify(STEP)
def verify_config_remediation(aws: Aws, baseline: Baseline) -> Findings:
    """The last remediation of each resource did not fail."""
    describe = aws.read("config").describe_remediation_execution_status
    readings = {name: describe(ConfigRuleName=name) for name in remediations_of(baseline[Config], aws.target)}
    for name, reading in readings.items():
        missing = "NoSuchRemediationConfigurationException"
        yield _finding(remediation_title(name), reading.value("RemediationExecutionStatuses", missing))


def _finding(title: str, executions: Collection[JsonObject] | None) -> Finding:
    check = "executions"
    if executions is None:
        # A remediation that is missing is a change; this is one that AWS does not show everywhere yet.
        return Finding(title, check, None, "there is no such remediation yet")
    failed = [each for each in executions if each.get("State") == "FAILED"]
    if not failed:
        done = sum(each.get("State") == "SUCCEEDED" for each in executions)
        return Finding(title, check, True if done else None, f"{done} succeeded" if done else "none yet")
    shown = ", ".join(each["ResourceKey"]["resourceId"] for each in failed[:3])
    details = (detail.get("ErrorMessage") for each in failed for detail in each.get("StepDetails") or ())
    reason = next(filter(None, details), "AWS does not say why")
    return Finding(
        title, check, False, f"{len(failed)} of {len(executions)} failed, such as {shown}: {reason}"
    )
