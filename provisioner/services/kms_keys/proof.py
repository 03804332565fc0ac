"""Verify that the keys can be used: each is there under its alias, enabled, and rotates."""

from __future__ import annotations

from ...aws import Aws
from ...baseline import Baseline
from ...model import Finding, Findings
from ...steps.principals import look_at_principals, verify_principals
from ...steps.registry import verify
from .section import KmsKeys
from .state import look_for_key
from .steps import alias_arn, start_reads


@verify("kms_keys")
def verify_kms_keys(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether each key is enabled under its alias, and when it is rotated next."""
    keys = baseline[KmsKeys].root
    finders = {name: look_for_key(aws, alias_arn(aws, want), aws.region) for name, want in keys.items()}
    principals = {name: look_at_principals(aws, want.statements) for name, want in keys.items()}
    for name, want in keys.items():
        yield from verify_principals(want.title, principals[name])
        found = finders[name]()
        if found.key is None:
            yield Finding(want.title, "usable", False, "not there")
            continue
        key_id, state = found.key["KeyId"], found.key["KeyState"]
        ok = state == "Enabled" and found.named == key_id
        named = "" if found.named == key_id else f", and the alias names {found.named or 'no key'}"
        yield Finding(want.title, "usable", ok, f"{key_id} is {state}{named}")
        if reading := start_reads(aws, want, key_id).get("rotation"):
            on = reading.get("KeyRotationEnabled")
            due = reading.all().get("NextRotationDate")
            detail = f"every {reading.all().get('RotationPeriodInDays')} days" if on else "off"
            yield Finding(want.title, "rotation", on, f"{detail}, next on {due:%Y-%m-%d}" if due else detail)
