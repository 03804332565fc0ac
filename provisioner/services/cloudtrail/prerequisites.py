"""The key, topic, log group and role that the file names for the trail: looked at before CloudTrail is told to use them.

CloudTrail refuses a request that names one which is missing, in another Region or closed to it by a policy, with all else
that the request changes. So each is set by a request of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from ...aws import Aws, Reading
from ...aws.errors import DENIED, ClientError, code_of
from ...compare import policy
from ...model import Refused
from ...steps.roles import ask_role
from .section import Trail

LOGS_PAIR: Final = ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")  # AWS takes both or none
# SNS says that a topic owner has not let a caller in with its own code.
_DENIED: Final = DENIED | {"AuthorizationError"}


class Prerequisite(NamedTuple):
    """One thing that the file names. *find* returns settings by UpdateTrail's names, and what the user must know.

    *find* raises Refused where the thing is missing or in the wrong place.
    """

    what: str
    find: Callable[[], tuple[Mapping[str, Any], str]]


def prerequisites(aws: Aws, section: Trail, region: str, *, new: bool) -> list[Prerequisite]:
    """What the file names for a trail at home in *region*. All reads are under way then. *new*: there is no trail yet."""
    return [*_prerequisites(aws, section, region, new=new)]


def _prerequisites(aws: Aws, section: Trail, region: str, *, new: bool) -> Iterator[Prerequisite]:
    if key := section.kms_key_id:
        key_read = aws.read("kms").describe_key(KeyId=key)  # in the bucket's Region
        yield Prerequisite("KMS key", lambda: _key(aws, key, key_read, new=new))
    if topic := section.sns_topic_name:
        is_arn = topic.startswith("arn:")
        arn = topic if is_arn else policy.arn(aws.partition, "sns", region, aws.account, topic)
        topic_read = aws.read("sns", region).get_topic_attributes(TopicArn=arn)
        yield Prerequisite("SNS topic", lambda: _topic(aws, arn, region, topic_read))
    group, role = section.cloud_watch_logs_log_group_arn, section.cloud_watch_logs_role_arn
    if group and role:
        # The only read for one log group by its whole name.
        group_read = aws.read("logs", region).list_tags_for_resource(resourceArn=group.removesuffix(":*"))
        role_read = ask_role(aws, aws.region, role.rpartition("/")[2])
        yield Prerequisite("log group", lambda: _logs(aws, (group, role), region, group_read, role_read))


def _key(aws: Aws, key: str, reading: Reading, *, new: bool) -> tuple[Mapping[str, Any], str]:
    """The key under its ARN, with which CloudTrail answers even if it was given an id or an alias."""
    try:
        found = reading.value("KeyMetadata", "NotFoundException", "InvalidArnException")
    except ClientError as error:
        by_arn = ":key/" in key
        if code_of(error) not in _DENIED or not (by_arn or _is_foreign(aws, key)):
            raise
        note = f"the key `{key}` cannot be looked at: AWS answers DescribeKey with {code_of(error)}"
        return {"KmsKeyId": key} if by_arn or new else {}, note
    if found is None:
        raise Refused(f"there is no key `{key}` in {aws.region}: make it, or correct `cloudtrail.kms_key_id`")
    if (state := found.get("KeyState", "Enabled")) != "Enabled":
        raise Refused(f"the key `{key}` is {state}: enable it, or name another in `cloudtrail.kms_key_id`")
    if (spec := found.get("KeySpec", "SYMMETRIC_DEFAULT")) != "SYMMETRIC_DEFAULT":
        raise Refused(
            f"the key `{key}` is {spec}, and CloudTrail encrypts with SYMMETRIC_DEFAULT: name another"
        )
    return {"KmsKeyId": str(found["Arn"])}, ""


def _topic(aws: Aws, arn: str, region: str, reading: Reading) -> tuple[Mapping[str, Any], str]:
    _require_region("topic", arn, region, "cloudtrail.sns_topic_name")
    exists, note = _look(aws, f"the topic `{arn}`", arn, reading, "NotFound", "NotFoundException")
    if not exists:
        raise Refused(f"there is no topic `{arn}`: make it, or correct `cloudtrail.sns_topic_name`")
    return {"SnsTopicName": arn}, note


def _logs(
    aws: Aws, pair: tuple[str, str], region: str, group_read: Reading, role_read: Reading
) -> tuple[Mapping[str, Any], str]:
    group, role = pair
    fields = [
        f"cloudtrail.{each}" for each in ("cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn")
    ]
    _require_region("log group", group, region, fields[0])
    has_group, note = _look(aws, f"the log group `{group}`", group, group_read, "ResourceNotFoundException")
    if not has_group:
        raise Refused(f"there is no log group `{group}`: make it, or correct `{fields[0]}`")
    if _is_foreign(aws, role):
        return dict(zip(LOGS_PAIR, pair, strict=True)), note or f"the role `{role}` is of another account"
    found = role_read.value("Role", "NoSuchEntity")
    if found is None or found["Arn"] != role:
        raise Refused(f"there is no role `{role}`: make it, or correct `{fields[1]}`")
    return dict(zip(LOGS_PAIR, pair, strict=True)), note


def _look(aws: Aws, what: str, arn: str, reading: Reading, *absent: str) -> tuple[bool, str]:
    """Whether there is such a thing; with a note where another account does not let this one look at it."""
    try:
        return reading.found(*absent) is not None, ""
    except ClientError as error:
        if code_of(error) not in _DENIED or not _is_foreign(aws, arn):
            raise
        return True, f"{what} of another account cannot be looked at: AWS answers with {code_of(error)}"


def _require_region(what: str, arn: str, region: str, field: str) -> None:
    where = arn.split(":")[3]
    if where != region:
        raise Refused(
            f"the {what} is in {where}, and CloudTrail takes one in {region}, the trail's home: correct `{field}`"
        )


def _is_foreign(aws: Aws, arn: str) -> bool:
    parts = arn.split(":")
    return parts[0] == "arn" and parts[4] != aws.account
