"""The step `alarms_log_group`: the log group to which the trail sends its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...model import Call, Changes, Exists, Findings, Part, Refused, Scope, Wait, create
from ...steps.existing import Existing, Look
from ...steps.key_use import unknown_key
from ...steps.registry import step, verify
from ...steps.settings import Strictness, settings, to_api
from ...steps.tags import tags
from .keys import look_at, require_usable, verify_key
from .section import NEVER, Alarms, LogGroup
from .trail import group_arn

BUSY: Final = Wait("OperationAbortedException", "CloudWatch Logs to finish with the log group", seconds=60)
# "The specified KMS key does not exist or is not allowed to be used": a key policy takes effect with a delay.
LET_IN: Final = Wait("InvalidParameterException", "CloudWatch Logs to be let use the key", "KMS", 60)
_RETENTION: Final = "retentionInDays"
_PROTECTION: Final = "deletionProtectionEnabled"
_KEY: Final = "kmsKeyId"


def _of_name(listed: Iterable[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    """The log group of that name, or None: AWS searches by the start of the name."""
    return next((each for each in listed if each["logGroupName"] == name), None)


@step("alarms_log_group", Alarms, Scope.ONCE, clients=("logs",), refers_to=("key",))
def ensure_alarms_log_group(aws: Aws, baseline: Baseline) -> Changes:
    """Make the log group, protect it, and keep its events for as long as the file says."""
    section, read = baseline[Alarms].log_group, aws.read("logs")
    look = look_at(aws, baseline, section.kms_key_id)
    arn = group_arn(aws, baseline[Alarms]).removesuffix(":*")
    title = f"log group {section.name}"
    reading = read.describe_log_groups(logGroupNamePrefix=section.name)
    tags_read = read.list_tags_for_resource(resourceArn=arn) if section.tags else None
    have = _of_name(reading.get("logGroups"), section.name)
    if have is None:
        yield _create(aws, section, title)
    else:
        yield Exists(title)
        if have.get("logGroupClass", "STANDARD") != "STANDARD":
            raise Refused(
                f"{title} is of class {have['logGroupClass']}, in which AWS takes no metric filter, and a class cannot"
                " be changed: choose another `alarms.log_group.name`"
            )
    yield Part(title, _settings(aws, section, title, have, reading))
    if look is None:
        yield from unknown_key(aws, title, (have or {}).get(_KEY), "alarms.log_group.kms_key_id")
    else:
        yield Part(f"encryption of {title}", _encryption(aws, section, look, have, reading))
    if have is not None and tags_read is not None:
        found = tags_read.value("tags", "ResourceNotFoundException") or {}
        write = aws.write("logs")
        yield from tags(
            title,
            found,
            section.tags,
            lambda missing: write.tag_resource(resourceArn=arn, tags=missing).waiting(BUSY),
        )


def _create(aws: Aws, section: LogGroup, title: str) -> Any:
    """Make the log group with its protection, so that it is never without. Its key must not keep it from being made."""
    given = {name: value for name, value in to_api(section).items() if name == _PROTECTION}
    if section.tags:
        given["tags"] = section.tags
    call = aws.write("logs").create_log_group(logGroupName=section.name, logGroupClass="STANDARD", **given)
    call = call.waiting(BUSY).or_done("ResourceAlreadyExistsException")
    shown = {name: value for name, value in given.items() if name != "tags"}
    shown |= {f"tag {key}": value for key, value in section.tags.items()}
    return create(title, {"logGroupClass": "STANDARD", **shown}, call)


def _settings(
    aws: Aws, section: LogGroup, title: str, have: Mapping[str, Any] | None, reading: Reading
) -> Changes:
    """Repair the retention and the protection, each by its own call."""
    write, strictness = aws.write("logs"), Strictness.of(LogGroup, exact=section.exact)

    def keep(changed: dict[str, Any]) -> Call:
        call: Call = write.put_retention_policy(logGroupName=section.name, **changed)
        return _while_unchanged(call, section, _RETENTION, have, reading)

    def protect(changed: dict[str, Any]) -> Call:
        call: Call = write.put_log_group_deletion_protection(logGroupIdentifier=section.name, **changed)
        return _while_unchanged(call, section, _PROTECTION, have, reading)

    def owner() -> str:
        # Source: CloudWatch Logs User Guide, account-level retention policies, which win over the group's own.
        policy = (have or {}).get("retentionPolicyName")
        return f"the account's retention policy `{policy}`" if policy else ""

    found = {_RETENTION: NEVER, **have} if have else {}  # a new one is kept for ever until the file says less
    want = {name: value for name, value in to_api(section).items() if name in {_RETENTION, _PROTECTION}}
    days = {name: value for name, value in want.items() if name == _RETENTION}
    yield from settings(title, found, days, keep, strictness, owner=owner)
    if have is not None and _PROTECTION in want:
        one = {_PROTECTION: have.get(_PROTECTION, False)}
        yield from settings(title, one, {_PROTECTION: want[_PROTECTION]}, protect, strictness)


def _while_unchanged(
    call: Call, section: LogGroup, field: str, have: Mapping[str, Any] | None, reading: Reading
) -> Call:
    """The call, made only while the field is as it was."""
    basis = reading.at("logGroups", lambda found: (_of_name(found, section.name) or {}).get(field))
    return call.waiting(BUSY).based_on(basis if have else None)


def _encryption(
    aws: Aws, section: LogGroup, look: Look, have: Mapping[str, Any] | None, reading: Reading
) -> Changes:
    """Encrypt what arrives from now on. What the log group has so far stays encrypted as it is."""
    key: Existing = look()
    want = {_KEY: (key.answer or {}).get("Arn", section.kms_key_id)}
    yield from require_usable(key, "log_group.kms_key_id")

    def put(changed: dict[str, Any]) -> Call:
        call: Call = aws.write("logs").associate_kms_key(logGroupName=section.name, **changed)
        return _while_unchanged(call.waiting(LET_IN).using(*key.uses), section, _KEY, have, reading)

    strictness = Strictness.of(LogGroup, exact=section.exact)
    yield from settings(f"log group {section.name}", {_KEY: (have or {}).get(_KEY)}, want, put, strictness)


@verify("alarms_log_group")
def verify_alarms_log_group(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the key can be used."""
    section = baseline[Alarms].log_group
    yield from verify_key(f"log group {section.name}", look_at(aws, baseline, section.kms_key_id))
