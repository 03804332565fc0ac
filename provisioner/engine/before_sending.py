"""What is checked before a change is made: that it is planned and allowed, and that what it needs is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..aws import Aws, Incomplete, OutcomeUnknown
from ..aws.check import holds_pending
from ..model import Call, Change, Refused, Result, Step
from .plan import within_plan


def check_uses(step: Step, call: Call, result: Result, failed_needs: Mapping[str, str]) -> None:
    """Raise Refused if a resource that the call uses has failed, in a step before or in a part of this one."""
    here = {f"{step.name}/{x.resource}" for x in result.failures if x.stops == "use"}
    for each in call.uses:
        if each in here or each in failed_needs:
            cause, _, resource = each.partition("/")
            raise Refused(f"{call.name} was not tried, because {resource} failed (step {cause})")


def check_planned(change: Change, planned: Result | None, aws: Aws) -> None:
    """Raise RuntimeError for a change that the plan does not have."""
    if planned is None or any(within_plan(change, each) for each in planned.changes):
        return
    aws.rehearse(change.call)  # a request that AWS would refuse is in no plan
    raise RuntimeError(
        f"AWS has changed since the plan was made: {change.resource} now needs {change.call.operation}; run again"
    )


def check_known(call: Call, planned: Result | None) -> None:
    """Raise OutcomeUnknown, which starts the step again, for a value that AWS has made up and does not show yet."""
    if planned is not None and holds_pending(dict(call.params)):
        error = Incomplete(f"{call.name} was given a value that AWS does not show yet; run again")
        raise OutcomeUnknown(error, already_exists=True)


def is_withheld(change: Change, planned: Result | None, allowed: Collection[str]) -> bool:
    """The change loosens or replaces something, and nobody has allowed it."""
    return planned is not None and change.consent is not None and change.consent not in allowed
