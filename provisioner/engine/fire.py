"""Set off once what a step ensures, and find whether AWS did what follows: `verify --fire`."""

from __future__ import annotations

from typing import Any

from ..aws import Aws, Interrupted, describe
from ..baseline import Baseline
from ..model import Call, Result, Step
from .controls import DEFAULT, Controls


def fire(step: Step, aws: Aws, baseline: Baseline, result: Result, controls: Controls = DEFAULT) -> Result:
    """Make the calls with which the step is set off, and add to *result* what is found. A call that fails stops no other.

    These calls are no Change: they set nothing that a baseline has. The guard lets only those through that are registered.
    """
    if step.fire is None:
        return result
    firing, answer = step.fire(aws, baseline), None
    try:
        while True:
            item = firing.send(answer)
            if isinstance(item, Call):
                answer = _answer(aws, item, result)
                continue
            answer = None
            if not controls.ignores(baseline, step, item.resource):
                result.findings.append(item)
    except StopIteration:
        return result
    except Interrupted as error:
        result.failures.append(describe("interrupted", error))
    except Exception as error:
        result.failures.append(describe("firing", error))
    return result


def _answer(aws: Aws, call: Call, result: Result) -> Any:
    """AWS's answer; None for a call that failed, which *result* then says."""
    try:
        return aws.fire(call)
    except Interrupted:
        raise
    except Exception as error:
        result.failures.append(describe("firing", error))
        return None
