"""The step `alarms_log_group`: the log group to which the trail sends its events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...model import Call, Changes, Exists, Kind, Note, Part, Refused, Scope, Wait, create
from ...steps import existing
from ...steps.existing import is_foreign
from ...steps.registry import step
from ...steps.settings import Strictness, settings, to_api
from ...steps.tags import tags
from .section import NEVER, Alarms, LogGroup
from .trail import group_arn

BUSY: Final = Wait("OperationAbortedException", "CloudWatch Logs to finish with the log group", seconds=60)
_RETENTION: Final = "retentionInDays"
_PROTECTION: Final = "deletionProtectionEnabled"
_KEY: Final = "kmsKeyId"


def _of_name(listed: Iterable[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    """The log group of that name, or None: AWS searches by the start of the name."""
    return next((each for each in listed if each["logGroupName"] == name), None)


@step("alarms_log_group", Alarms, Scope.ONCE, clients=("logs",))
def ensure_alarms_log_group(aws: Aws, baseline: Baseline) -> Changes:
    """Make the log group, protect it, and keep its events for as long as the file says."""
    section, read = baseline[Alarms].log_group, aws.read("logs")
    arn = group_arn(aws, baseline[Alarms]).removesuffix(":*")
    title = f"log group {section.name}"
    reading = read.describe_log_groups(logGroupNamePrefix=section.name)
    tags_read = read.list_tags_for_resource(resourceArn=arn) if section.tags else None
    warnings = [*_key_warnings(aws, section, title)]
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
    if have is not None and tags_read is not None:
        found = tags_read.value("tags", "ResourceNotFoundException") or {}
        write = aws.write("logs")
        yield from tags(
            title,
            found,
            section.tags,
            lambda missing: write.tag_resource(resourceArn=arn, tags=missing).waiting(BUSY),
        )
    yield from warnings


def _create(aws: Aws, section: LogGroup, title: str) -> Any:
    """Make the log group with all that AWS takes at once, so that it is never without its protection."""
    given = {name: value for name, value in to_api(section).items() if name in {_KEY, _PROTECTION}}
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
    """Repair each setting by its own call, as AWS has one for each."""
    write, strictness = aws.write("logs"), Strictness.of(LogGroup, exact=section.exact)
    named = {"logGroupName": section.name}

    def on(field: str, call: Call) -> Call:
        """The call, made only while the field is as it was."""
        basis = reading.at("logGroups", lambda found: (_of_name(found, section.name) or {}).get(field))
        return call.waiting(BUSY).based_on(basis if have else None)

    def keep(changed: dict[str, Any]) -> Call:
        return on(_RETENTION, write.put_retention_policy(**named, **changed))

    def protect(changed: dict[str, Any]) -> Call:
        call = write.put_log_group_deletion_protection(logGroupIdentifier=section.name, **changed)
        return on(_PROTECTION, call)

    def encrypt(changed: dict[str, Any]) -> Call:
        return on(_KEY, write.associate_kms_key(**named, **changed))

    def owner() -> str:
        # Source: CloudWatch Logs User Guide, account-level retention policies, which win over the group's own.
        policy = (have or {}).get("retentionPolicyName")
        return f"the account's retention policy `{policy}`" if policy else ""

    found = {_RETENTION: NEVER, **have} if have else {}  # a new one is kept for ever until the file says less
    want = {name: value for name, value in to_api(section).items() if name in {_RETENTION, _PROTECTION, _KEY}}
    days = {name: value for name, value in want.items() if name == _RETENTION}
    yield from settings(title, found, days, keep, strictness, owner=owner)
    if have is not None:
        for name, put in ((_PROTECTION, protect), (_KEY, encrypt)):
            if name in want:
                one = {name: have.get(name, False) if name == _PROTECTION else have.get(name)}
                yield from settings(title, one, {name: want[name]}, put, strictness)


def _key_warnings(aws: Aws, section: LogGroup, title: str) -> Iterator[Note]:
    """Look at the key. Raises Refused where it is missing, in another Region, or disabled."""
    if not (key := section.kms_key_id):
        return
    found = existing.key(aws, key)()
    if found.error and not is_foreign(aws, key):
        raise found.error
    if found.ok is False:
        raise Refused(found.text.replace("name another", "correct `alarms.log_group.kms_key_id`"))
    if found.ok is None:
        yield Note(Kind.WARNING, title, found.text)
