"""The IAM permissions that the remediations of AWS Config's rules need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.permission import APPLY, VERIFY, Permission, allow, permits, with_or_without_path, within
from .regional import arns_in_region
from .remediation import remediations_of
from .remediation_section import Remediation
from .section import Config


@permits("config_remediation")
def config_remediation_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and repair the remediations and their exceptions. Their ARNs end in an id that AWS chooses.

    Reads are of all of the Region, as the rules are, and exceptions have no resource types.
    """
    want, in_region = remediations_of(baseline[Config], target), within(target)
    if not want:
        return
    title, status = "ConfigSettings", "DescribeRemediationExecutionStatus"
    yield from allow(title, "config", ["DescribeRemediationConfigurations"], condition=in_region)
    yield from allow(title, "config", [status], condition=in_region, purposes=VERIFY)
    yield from _of_needs(target, want.values())
    rules = [each for each in baseline[Config].rules.values() if each.remediation]
    on, narrowed = arns_in_region(target, baseline, "remediation-configuration/*", rules)
    put = ["PutRemediationConfigurations"]
    yield from allow("ConfigRemediation", "config", put, on=on, condition=narrowed, purposes=APPLY)
    if any(each.exceptions for each in want.values()):
        reads = "DescribeRemediationExceptions GetComplianceDetailsByConfigRule"
        yield from allow(title, "config", reads, condition=in_region)
        put = ["PutRemediationExceptions"]
        yield from allow(title, "config", put, condition=in_region, purposes=APPLY)


def _of_needs(target: Target, remediations: Iterable[Remediation]) -> Iterator[Permission]:
    """Look at the documents, of which AWS's own belong to no account, and at the roles."""
    for each in remediations:
        name = each.target_id
        owner = "" if name.startswith("AWS") else target.account
        document = (
            name if name.startswith("arn:") else arn(target.partition, "ssm", "*", owner, f"document/{name}")
        )
        yield from allow("ConfigRemediationLook", "ssm", ["DescribeDocument"], on=[document], purposes=VERIFY)
        for role in each.roles:
            on = with_or_without_path(role)
            yield from allow("ConfigRemediationLook", "iam", ["GetRole"], on=on, purposes=VERIFY)
