"""Allowed AMIs of a Region: what instances may be launched from, beside the account's own AMIs.

Sources: "Control the discovery and use of AMIs in Amazon EC2 with Allowed AMIs" in the EC2 User Guide, and the actions
…AllowedImagesSettings. An AMI is allowed if it meets any one of the criteria, and all conditions in that one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from ...aws import Aws, Reading
from ...model import Call, Change, Changes, Difference, Exists, Finding, update
from ...steps.registry import consents
from ...steps.settings import Guarded, Strictness, settings, to_api
from .instance_section import LOOSEN, AllowedImagesSettings
from .section import Account

TITLE: Final = "allowed AMIs"
_STATE: Final = "State"
_CRITERIA: Final = "ImageCriteria"
_ENFORCE: Final = "enforce-allowed-images"
_REMOVE: Final = "remove-image-criteria"
_SHOWN: Final = 5

consents(_ENFORCE, _REMOVE)


def ensure_allowed_images(
    aws: Aws,
    section: Account,
    want: AllowedImagesSettings,
    reading: Reading,
    in_use: Reading | None,
    owner: Callable[[], str],
) -> Changes:
    """Ensure the criteria and the state; criteria of others stay.

    *in_use* is what `not_allowed` reads, if the file has AWS enforce the criteria. To begin with that needs a consent
    where it would stop launches from AMIs in use, or where nobody could see that: without it nothing is changed.
    """
    found = reading.all()
    state, have = found.get(_STATE), [criterion(each) for each in found.get(_CRITERIA) or ()]
    asked = [criterion(each) for each in to_api(want.image_criteria or [])]
    missing = [each for each in asked if each not in have]
    yield Exists(TITLE)
    strictness = Strictness.of(AllowedImagesSettings, exact=section.exact)
    ensure = partial(settings, TITLE, strictness=strictness)
    # What somebody has made stricter since is not written over.
    put: Callable[[Any], Call] = partial(_put_state, aws, reading.at(_STATE))
    if owner():
        fields = {_STATE: want.state, **({_CRITERIA: asked} if asked else {})}
        yield from ensure({_STATE: state, _CRITERIA: have}, fields, put, owner=owner)
        return
    loses = _cut_off(state, missing, asked, in_use) if in_use and state != "enabled" else ""
    criteria = _criteria(aws, have, asked, reading, enforced=state == "enabled", exact=section.exact)
    if missing and state == "disabled":
        # AWS's page has the criteria replaced after it is on: in audit mode, so that it enforces none but these.
        yield from _with_consent(ensure({_STATE: state}, {_STATE: "audit-mode"}, put), loses)
        state, put = "audit-mode", partial(_put_state, aws, None)  # AWS has what was written here
    yield from _with_consent(criteria, loses)
    yield from _with_consent(ensure({_STATE: state}, {_STATE: want.state}, put), loses)


def _cut_off(state: str, missing: list[Any], asked: list[Any], in_use: Reading) -> str:
    """What is lost when AWS begins to enforce the criteria; empty if that is nothing in use.

    AWS tells the AMIs in use in audit mode. Where it is off, and has the criteria of the file, it was on with them.
    """
    if missing or (state == "disabled" and not asked):
        return (
            "launches from every AMI that the criteria leave out, which may be in use: with `state: audit-mode` in the"
            " file, `verify` names those that are"
        )
    found = in_use.get("InstanceImageMetadata") if state == "audit-mode" else ()
    return f"launches from AMIs in use: {_listed(found)}" if found else ""


def _with_consent(changes: Changes, loses: str) -> Changes:
    """The same changes, which need the consent to enforce if something is lost by it, and no other."""
    for each in changes:
        if loses and isinstance(each, Change) and each.consent is None:
            yield replace(each, consent=_ENFORCE, loses=loses, without=None)
        else:
            yield each


def criterion(found: Mapping[str, Any]) -> dict[str, Any]:
    """A criterion in one form: without what is empty, and its lists, which are sets, in order."""
    sets = {key: sorted(each, key=repr) if isinstance(each, list) else each for key, each in found.items()}
    return {key: each for key, each in sorted(sets.items()) if each not in ([], {}, None)}


def _put_state(aws: Aws, basis: Reading | None, changed: Mapping[str, Any]) -> Call:
    write, state = aws.write("ec2"), changed[_STATE]
    call = (
        write.disable_allowed_images_settings()
        if state == "disabled"
        else write.enable_allowed_images_settings(AllowedImagesSettingsState=state)
    )
    return call.based_on(basis)


def _criteria(
    aws: Aws, have: list[Any], want: list[Any], reading: Reading, *, enforced: bool, exact: bool
) -> Changes:
    """Add the criteria that are missing, and take those of others only with a consent.

    Where AWS enforces fewer criteria than the file has, it is stricter.
    """
    others = [each for each in have if each not in want] if want else []
    full = [*have, *(each for each in want if each not in have)]

    def put(changed: Mapping[str, Any]) -> Call:
        replace_all = aws.write("ec2").replace_image_criteria_in_allowed_images_settings
        # AWS replaces the whole list. Once the missing ones are added, it has what was written here.
        later = full not in (have, changed[_CRITERIA])
        return replace_all(ImageCriteria=changed[_CRITERIA]).based_on(
            None if later else reading.at(_CRITERIA)
        )

    fewer = Guarded(lambda *_: enforced and bool(have), LOOSEN, "more AMIs can be launched")
    strictness = Strictness({_CRITERIA: fewer}, exact)
    yield from settings(TITLE, {_CRITERIA: have}, {_CRITERIA: full}, put, strictness)
    if others:
        loses = f"launches from AMIs that only the criteria of others allow: {others}"
        change = update(TITLE, (Difference(_CRITERIA, have, want),), put({_CRITERIA: want}))
        yield replace(change, consent=_REMOVE, loses=loses)


def not_allowed(aws: Aws) -> Reading:
    """Start reading the instances whose AMI the criteria leave out, which AWS tells in audit mode and when it enforces."""
    filters = {
        "image-allowed": ["false"],
        "instance-state-name": ["pending", "running", "stopping", "stopped"],
    }
    return aws.read("ec2").describe_instance_image_metadata(
        Filters=[{"Name": name, "Values": values} for name, values in filters.items()]
    )


def allowed_images_finding(reading: Reading) -> Finding:
    """The finding that each instance is from an AMI that the criteria allow."""
    found = reading.get("InstanceImageMetadata")
    detail = f"others are in use: {_listed(found)}" if found else "none is from another"
    return Finding(TITLE, "instances are from allowed AMIs", not found, detail)


def _listed(found: list[Mapping[str, Any]]) -> str:
    """The AMIs, each with the number of its instances."""
    images = [each["ImageMetadata"]["ImageId"] for each in found]
    counts = [f"{each} ({images.count(each)})" for each in sorted(set(images))]
    more = f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
    return f"{', '.join(counts[:_SHOWN])}{more}"
