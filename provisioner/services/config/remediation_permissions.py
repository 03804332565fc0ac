"""The IAM permissions that the remediations of AWS Config's rules need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.permission import APPLY, VERIFY, Permission, allow, permits, with_or_without_path
from .regional import arns_in_region, in_each_region
from .remediation import remediations_of
from .remediation_section import Remediation
from .section import Config


@permits("config_remediation")
def config_remediation_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and repair the remediations and their exceptions. Their ARNs end in an id that AWS chooses.

    Reads are of all of the Region, as the rules are, and exceptions have no resource types.
    """
    want, in_region = remediations_of(baseline[Config], target), in_each_region(baseline)
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
    """Look at the documents, and at the roles."""
    documents = arn(target.partition, "ssm", "*", "*", "document/*")  # AWS's own, too
    yield from allow("DocumentsRead", "ssm", ["DescribeDocument"], on=[documents], purposes=VERIFY)
    for role in (role for each in remediations for role in each.roles):
        yield from allow("ConfigRoleRead", "iam", ["GetRole"], on=with_or_without_path(role), purposes=VERIFY)
