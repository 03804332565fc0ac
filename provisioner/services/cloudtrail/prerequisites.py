"""The key, topic, log group and role that the file names for the trail: looked at before CloudTrail is told to use them.

CloudTrail refuses a request that names one which is missing, in another Region or closed to it by a policy, with all else
that the request changes. So each is set by a request of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from ...aws import Aws
from ...baseline import Baseline
from ...compare import policy
from ...model import Refused
from ...steps import existing
from ...steps.existing import Existing, Look, is_foreign
from ...steps.key_use import look_at_key
from .section import Trail

LOGS_PAIR: Final = ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")  # AWS takes both or none


class Found(NamedTuple):
    """Settings by UpdateTrail's names, what the user must know, and what `Call.using` takes."""

    settings: Mapping[str, Any]
    note: str
    uses: tuple[str, ...] = ()


class Prerequisite(NamedTuple):
    """One thing that the file names. *find* raises Refused where the thing is missing or in the wrong place."""

    what: str
    find: Callable[[], Found]


def prerequisites(aws: Aws, baseline: Baseline, region: str, *, new: bool) -> list[Prerequisite]:
    """What the file names for a trail at home in *region*. All reads are under way then. *new*: there is no trail yet."""
    return [*_prerequisites(aws, baseline, region, new=new)]


def _prerequisites(aws: Aws, baseline: Baseline, region: str, *, new: bool) -> Iterator[Prerequisite]:
    section = baseline[Trail]
    if key := section.kms_key_id:
        key_look = look_at_key(aws, baseline, key)  # in the bucket's Region
        yield Prerequisite("KMS key", lambda: _key(aws, key, key_look, new=new))
    if topic := section.sns_topic_name:
        is_arn = topic.startswith("arn:")
        arn = topic if is_arn else policy.arn(aws.partition, "sns", region, aws.account, topic)
        topic_look = existing.topic(aws, arn)
        yield Prerequisite("SNS topic", lambda: _topic(aws, arn, region, topic_look))
    group, role = section.cloud_watch_logs_log_group_arn, section.cloud_watch_logs_role_arn
    if group and role:
        looks = existing.log_group(aws, group), existing.role(aws, aws.region, role)
        yield Prerequisite("log group", lambda: _logs(aws, (group, role), region, looks))


def _key(aws: Aws, key: str, look: Look, *, new: bool) -> Found:
    """The key under its ARN, with which CloudTrail answers even if it was given an id or an alias."""
    by_arn = ":key/" in key
    found = _usable(look(), "cloudtrail.kms_key_id", may_be_closed=by_arn or is_foreign(aws, key))
    if found.answer is not None:
        return Found({"KmsKeyId": str(found.answer["Arn"])}, "", found.uses)
    return Found({"KmsKeyId": key} if by_arn or new else {}, found.text)


def _topic(aws: Aws, arn: str, region: str, look: Look) -> Found:
    field = "cloudtrail.sns_topic_name"
    _require_region("topic", arn, region, field)
    found = _usable(look(), field, may_be_closed=is_foreign(aws, arn))
    return Found({"SnsTopicName": arn}, _note(found))


def _logs(aws: Aws, pair: tuple[str, str], region: str, looks: tuple[Look, Look]) -> Found:
    (group, role), (look_group, look_role) = pair, looks
    fields = [
        f"cloudtrail.{each}" for each in ("cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn")
    ]
    _require_region("log group", group, region, fields[0])
    note = _note(_usable(look_group(), fields[0], may_be_closed=is_foreign(aws, group)))
    if is_foreign(aws, role):
        note = note or f"the role `{role}` is of another account"
    else:
        _usable(look_role(), fields[1], may_be_closed=False)
    return Found(dict(zip(LOGS_PAIR, pair, strict=True)), note)


def _usable(found: Existing, field: str, *, may_be_closed: bool) -> Existing:
    """The thing, unless it cannot be used, or cannot be looked at though it is ours."""
    if found.error and not may_be_closed:
        raise found.error
    if found.ok is False:
        raise Refused(f"{found.text.replace('name another', f'correct `{field}`')}")
    return found


def _note(found: Existing) -> str:
    return found.text if found.ok is None else ""


def _require_region(what: str, arn: str, region: str, field: str) -> None:
    where = arn.split(":")[3]
    if where != region:
        raise Refused(
            f"the {what} is in {where}, and CloudTrail takes one in {region}, the trail's home: correct `{field}`"
        )
