"""Whether an alarm or a rule that the file does not name, as it was renamed, still uses the topic or the role.

Its permission is kept then: what follows may fail, and then it is the one that is heard. Alarms and rules are never deleted.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ...aws import Aws
from .event_rule import ABSENT
from .section import Alarms
from .trail import topic_arn


def notifies_topic(aws: Aws, section: Alarms, source: str) -> bool:
    """Whether what the ARN names notifies the topic: a rule, or an alarm; `*` at its end stands for several alarms.

    Alarms that the file names do not count, so that a wider pattern does not stay because of them.
    """
    service, region, account, resource = source.split(":", 5)[2:]
    kind, _, name = resource.partition(":" if service == "cloudwatch" else "/")
    if (region, account) != (aws.region, aws.account):
        return False
    topic = topic_arn(aws, section)
    if (service, kind) == ("events", "rule"):
        return any(each["Arn"] == topic for each in _targets(aws, aws.region, name))
    prefix = name.removesuffix("*")
    if (service, kind) != ("cloudwatch", "alarm") or not prefix or set(prefix) & set("*?"):
        return False
    asked = {"AlarmNames": [name]} if prefix == name else {"AlarmNamePrefix": prefix}
    alarms = aws.read("cloudwatch").describe_alarms(**asked, AlarmTypes=["MetricAlarm"]).get("MetricAlarms")
    others = (each for each in alarms if not each["AlarmName"].startswith(section.name_prefix))
    return any(topic in (each.get("AlarmActions") or ()) for each in others)


def uses_role(aws: Aws, regions: Collection[str], role: str, source: str) -> bool:
    """Whether a rule of the name in the ARN sends events with the role, in one of the Regions."""
    service, region, account, resource = source.split(":", 5)[2:]
    kind, _, name = resource.partition("/")
    if (service, account, kind) != ("events", aws.account, "rule") or set(name) & set("*?"):
        return False
    return any(
        str(each.get("RoleArn")).rpartition("/")[2] == role
        for one in (regions if region == "*" else [region])
        for each in _targets(aws, one, name)
    )


def _targets(aws: Aws, region: str, rule: str) -> Any:
    return aws.read("events", region).list_targets_by_rule(Rule=rule).value("Targets", ABSENT) or []
