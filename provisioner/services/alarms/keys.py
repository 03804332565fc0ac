"""The keys with which the log group and the topic are encrypted, and what their policies must allow.

AWS takes any key for a topic, and no alarm can publish then where the key's policy does not let it, which nothing reports.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...aws import Aws
from ...aws.errors import BotoCoreError, ClientError
from ...baseline import Baseline
from ...compare.policy import Statement, arn
from ...model import Finding, Findings, Kind, Note, Refused
from ...steps.delivery import allow_service
from ...steps.existing import Existing, Look
from ...steps.key_use import KeyUse, allow_log_groups, look_at_own_key, uses_key
from .section import Alarms

ALARMS: Final = "cloudwatch.amazonaws.com"
EVENTS: Final = "events.amazonaws.com"
_TOPIC: Final = "kms:EncryptionContext:aws:sns:topicArn"


@uses_key
def alarm_keys(aws: Aws, baseline: Baseline) -> Iterator[KeyUse]:
    """The keys of the log group and of the topic. Both are in the account of the caller, which has the trail."""
    if Alarms not in baseline:
        return
    section = baseline[Alarms]
    if key := section.log_group.kms_key_id:
        group = arn(aws.partition, "logs", aws.region, aws.central, f"log-group:{section.log_group.name}")

        def in_use(source: str, key_arn: str) -> bool:
            return _is_encrypted_with(aws, source, key_arn)

        yield KeyUse(key, [allow_log_groups(aws, "AlarmsLogGroup", group)], in_use)
    if key := section.topic.kms_master_key_id:
        yield KeyUse(key, _publishers(aws, with_rule=section.event_rule is not None))


def _publishers(aws: Aws, *, with_rule: bool) -> list[Statement]:
    """What publishers to the topic need. Source: SNS Developer Guide, "Enable compatibility between event sources".

    Of all alarms and topics of the account, because an earlier one must be heard until there is another; the policy of the
    topic says which alarms and rules may publish.
    """
    actions = ["kms:Decrypt", "kms:GenerateDataKey*"]
    made = allow_service("AlarmsPublish", ALARMS, actions, "*", {"aws:SourceAccount": aws.central})
    alarms = arn(aws.partition, "cloudwatch", aws.region, aws.central, "alarm:*")
    found: list[Statement] = [
        {**made, "Condition": {**made["Condition"], "ArnLike": {"aws:SourceArn": alarms}}}
    ]
    if with_rule:
        # "aws:SourceAccount, aws:SourceArn and aws:SourceOrgID [...] is not supported for EventBridge-to-encrypted topics":
        # with them nothing is delivered. What SNS encrypts names its topic instead.
        topics = arn(aws.partition, "sns", aws.region, aws.central, "*")
        made = allow_service("EventsPublish", EVENTS, actions, "*", {})
        found.append({**made, "Condition": {"ArnLike": {_TOPIC: topics}}})
    return found


def _is_encrypted_with(aws: Aws, group: str, key_arn: str) -> bool:
    """Whether a log group still has the key: what it keeps could not be read any more without the permission."""
    parts = group.split(":")
    if len(parts) != 7 or parts[2] != "logs" or parts[4] != aws.central:
        return False
    if aws.account != aws.central:
        return True  # it cannot be looked at from the account of the key
    name = parts[6]
    try:
        listed = aws.read("logs").describe_log_groups(logGroupNamePrefix=name).get("logGroups")
    except (ClientError, BotoCoreError):
        return True  # the step `alarms_log_group` reads log groups too, and fails
    return any(each["logGroupName"] == name and each.get("kmsKeyId") == key_arn for each in listed)


def look_at(aws: Aws, baseline: Baseline, name: str | None) -> Look | None:
    """Start to look at the key that a field names; None where it names none."""
    return look_at_own_key(aws, baseline, name) if name else None


def require_usable(found: Existing, field: str) -> Iterator[Note]:
    """Warn of a key that cannot be looked at. Raises Refused for one that is missing or disabled, and AWS's error."""
    if found.ok is False:
        raise Refused(f"`alarms.{field}`: {found.text}")
    if found.error:
        raise found.error
    if found.ok is None:
        yield Note(Kind.WARNING, f"key {found.name}", found.text)


def verify_key(title: str, look: Look | None) -> Findings:
    """Find whether the key that the file names can be used."""
    if look:
        found = look()
        yield Finding(title, "KMS key", found.ok, found.text)
