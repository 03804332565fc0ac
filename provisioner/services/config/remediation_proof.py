"""The proof that remediations can be done, and that what they do succeeds."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...aws import Aws
from ...baseline import Baseline
from ...model import Finding, Findings
from ...steps import existing
from ...steps.existing import Existing, Look
from ...steps.registry import verify
from .remediation import STEP, remediation_title, remediations_of
from .remediation_section import Remediation
from .section import Config
from .state import JsonObject


@verify(STEP)
def verify_config_remediation(aws: Aws, baseline: Baseline) -> Findings:
    """The document and the role of each remediation exist, and the last remediation of each resource did not fail."""
    describe, want = (
        aws.read("config").describe_remediation_execution_status,
        remediations_of(baseline[Config], aws.target),
    )
    readings = {name: describe(ConfigRuleName=name) for name in want}
    home = baseline.general.home_region
    looks = {name: [*_look_at_needs(aws, home, each)] for name, each in want.items()}
    for name, reading in readings.items():
        for look in looks[name]:
            found = look()
            if found.error:
                raise found.error
            yield Finding(
                remediation_title(name), found.what, bool(found.ok), found.name if found.ok else found.text
            )
        missing = "NoSuchRemediationConfigurationException"
        yield _finding(remediation_title(name), reading.value("RemediationExecutionStatuses", missing))


def _look_at_needs(aws: Aws, home: str, want: Remediation) -> Iterator[Look]:
    """Start to look at the document of a remediation, and at its role if the file names one of this account."""
    yield existing.document(aws, want.target_id)
    for arn in want.roles:
        yield _foreign_role(arn) if existing.is_foreign(aws, arn) else existing.role(aws, home, arn)


def _foreign_role(arn: str) -> Look:
    """The answer for a role of another account, which Systems Manager does not assume."""
    return lambda: Existing(
        "role", arn, ok=False, detail="is of another account", remedy="name one of this one"
    )


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
