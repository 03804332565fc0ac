"""The controls that are off in a standard, in one request for each standard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ...aws import Aws, Reading
from ...model import Call, Change, Changes, Difference, Kind, Note, Part, Wait
from ...steps.settings import Strictness, settings
from ...steps.suppressions import CONSENT
from .section import DisabledControl, SecurityHub
from .standards import find_offer, manager_of
from .state import (
    HUB_KEY,
    STEP,
    WAITS,
    controls_of,
    read_standards,
    standard_arn,
    standard_title,
    standards_of,
)

OTHER_CONTROLS: Final = "other controls"
_MOST: Final = 100  # in one request
_OFF: Final = "DISABLED"
_NOT_READY: Final = "NOT_READY_FOR_UPDATES"
_NOTHING_GUARDED: Final = Strictness({}, exact=False)
# "a RESOURCE_NOT_FOUND_EXCEPTION error when the standard subscription for the control has StandardsControlsUpdatable
# value NOT_READY_FOR_UPDATES" (API reference); NOT_FOUND is its older name.
_READY: Final = tuple(
    Wait(code, "the controls of the new standard to be ready", seconds=180)
    for code in ("RESOURCE_NOT_FOUND", "NOT_FOUND")
)
_LIMIT: Final = Wait("LIMIT_EXCEEDED", "AWS's rate limit to pass", seconds=60)


def ensure_controls(aws: Aws, section: SecurityHub, owner: Callable[[], str]) -> Changes:
    """Switch off what the file has under each standard."""
    for name, standard in standards_of(section, aws.target).items():
        if want := controls_of(standard, aws.target):
            yield Part(_title(name), _ensure_controls(aws, name, want, owner))


def ensure_others_on(aws: Aws, section: SecurityHub, owner: Callable[[], str]) -> Changes:
    """Offer to switch on the controls that others switched off: they find nothing, and the file asks for their standard.

    Where new controls are to stay off, and where a policy sets them, nobody needs to have switched them off.
    """
    if section.auto_enable_controls is False:
        return
    asked = {name: _ask_all(aws, name) for name in standards_of(section, aws.target)}
    for name, readings in asked.items():
        named = controls_of(section.standards[name], aws.target)
        off = {key: why for each in readings for key, why in _off(each) if key not in named}
        if off and not owner() and not manager_of(find_offer(aws, name)):
            yield from (_switch_on(aws, name, control, why) for control, why in sorted(off.items()))


def list_controls(aws: Aws, name: str) -> Reading:
    """Ask for the ids of all controls of a standard."""
    arn = standard_arn(aws.target, name)
    return aws.read("securityhub").list_security_control_definitions(StandardsArn=arn, MaxResults=_MOST)


def _ask_all(aws: Aws, name: str) -> list[Reading]:
    """Ask for the status of all controls of a standard, if it is enabled and ready."""
    standard, read = standard_arn(aws.target, name), aws.read("securityhub")
    have = read_standards(aws).get(standard)
    if have is None or have.get("StandardsControlsUpdatable") == _NOT_READY:
        return []
    names = [
        each["SecurityControlId"]
        for each in list_controls(aws, name).get("SecurityControlDefinitions")
        if each["CurrentRegionAvailability"] == "AVAILABLE"
    ]
    return [
        read.batch_get_standards_control_associations(
            StandardsControlAssociationIds=[
                {"SecurityControlId": each, "StandardsArn": standard} for each in batch
            ]
        )
        for batch in _batches(names)
    ]


def _off(reading: Reading) -> Iterator[tuple[str, str]]:
    """The controls in an answer that are off, with the reason that AWS keeps."""
    for each in reading.get("StandardsControlAssociationDetails"):
        if each["AssociationStatus"] == _OFF:
            yield each["SecurityControlId"], each.get("UpdatedReason", "")


def _switch_on(aws: Aws, name: str, control: str, why: str) -> Change:
    off, on = f"{_OFF}: {why}", "ENABLED"
    call = _put(aws, name, {control: on}, (_LIMIT,))
    loses = f"others switched `{control}` off, which finds nothing then; name it in `disabled_controls` if it is to be off"
    return Change(_title(name), (Difference(control, off, on),), call, consent=CONSENT, loses=loses)


def _title(standard: str) -> str:
    return f"controls of {standard}"


def _ensure_controls(
    aws: Aws, name: str, want: Mapping[str, DisabledControl], owner: Callable[[], str]
) -> Changes:
    subscription = read_standards(aws).get(standard_arn(aws.target, name))
    new = subscription is None or standard_title(name) in aws.created
    # Older answers do not have the field.
    updatable = (subscription or {"StandardsControlsUpdatable": _NOT_READY}).get("StandardsControlsUpdatable")
    ready = updatable != _NOT_READY
    if subscription is None and manager_of(find_offer(aws, name)):
        return
    if not ready and not new:  # AWS adds controls to a standard from time to time
        yield Note(
            Kind.WARNING, _title(name), "AWS is changing the standard, and tells nothing of its controls"
        )
        return
    have = {each: _status(aws, each, name) if ready else "ENABLED" for each in sorted(want)}
    for control in [each for each, status in have.items() if not status]:
        del have[control]
        text = f"the standard has no control {control} in this Region: correct it, or drop it"
        yield Note(Kind.WARNING, _title(name), text)
    waits = (_LIMIT,) if ready else (_LIMIT, *_READY)
    for number, controls in enumerate(_batches([*have]), 1):
        title = _title(name) if number == 1 else f"{_title(name)} ({number})"
        off = {each: f"{_OFF}: {want[each].reason}" for each in controls}
        yield from settings(
            title, have, off, lambda changed: _put(aws, name, changed, waits), _NOTHING_GUARDED, owner=owner
        )


def _status(aws: Aws, control: str, standard: str) -> str:
    """`ENABLED` or `DISABLED: REASON`; empty if the standard, or AWS, does not have the control."""
    reading = aws.read("securityhub").list_standards_control_associations(SecurityControlId=control)
    for each in reading.value("StandardsControlAssociationSummaries", "InvalidInputException") or ():
        if each["StandardsArn"] == standard_arn(aws.target, standard):
            status = str(each["AssociationStatus"])
            return f"{_OFF}: {each.get('UpdatedReason', '')}" if status == _OFF else status
    return ""


def _put(aws: Aws, name: str, changed: Mapping[str, str], waits: tuple[Wait, ...]) -> Call:
    """The request that gives controls the status in *changed*. AWS lists those that it refuses beside HTTP status 200."""
    updates = []
    for control, text in changed.items():
        status, _, reason = text.partition(": ")
        update = {
            "StandardsArn": standard_arn(aws.target, name),
            "SecurityControlId": control,
            "AssociationStatus": status,
        }
        updates.append({**update, "UpdatedReason": reason} if reason else update)
    call = aws.write("securityhub").batch_update_standards_control_associations(
        StandardsControlAssociationUpdates=updates
    )
    call = call.failing_on("UnprocessedAssociationUpdates").waiting(*WAITS, *waits)
    return call.using(HUB_KEY, f"{STEP}/{standard_title(name)}")


def _batches(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + _MOST] for start in range(0, len(names), _MOST))
