"""CloudTrail's event history: what was changed in the sandbox, and by whom."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ....sandbox.ask import GLOBAL_STORES, Ask
from ....sandbox.callers import Caller, caller
from ....sandbox.rule import after, instead
from ....sandbox.words import Refused

_KEPT = 200
_NAMES = (
    "Name",
    "Bucket",
    "RoleName",
    "ConfigRuleName",
    "TopicArn",
    "KeyId",
    "TrailName",
    "ServicePrincipal",
)
_SOURCES = {"cloudwatch": "monitoring"}
_ATTRIBUTES = {
    "EventId": "EventId",
    "EventName": "EventName",
    "EventSource": "EventSource",
    "Username": "Username",
    "ReadOnly": "ReadOnly",
    "AccessKeyId": "AccessKeyId",
}


@after("events.history", "*:written", row="14 cloudtrail LookupEvents")
def record(ask: Ask, _: dict[str, Any]) -> None:
    """LookupEvents answers what was changed in the sandbox, the newest first, 200 events at most."""
    if ask.service == "s3" and "Key" in ask.params:
        return  # a data event
    # Global services log in us-east-1, and to whoever asks there.
    everywhere = ask.service in GLOBAL_STORES and ask.service not in ("s3", "s3control")
    region = "us-east-1" if everywhere and ask.partition == "aws" else ask.region
    who = caller(ask)
    names = [str(ask.params[k]) for k in _NAMES if isinstance(ask.params.get(k), str)]
    event = {
        "EventId": str(uuid4()),
        "EventName": ask.operation,
        "ReadOnly": "false",
        "AccessKeyId": ask.access_key,
        "EventTime": datetime.now(UTC).timestamp(),
        "EventSource": f"{_SOURCES.get(ask.service, ask.service)}.amazonaws.com",
        "Username": who.session.name if who.session else who.arn.rpartition("/")[2],
        "Resources": [{"ResourceName": name} for name in names],
    }
    kept = ask.note("events").setdefault((ask.account, region), [])
    event["CloudTrailEvent"] = json.dumps(_full(ask, who, event, region))
    kept.append(event)
    del kept[:-_KEPT]


def _identity(ask: Ask, who: Caller) -> dict[str, Any]:
    """The field userIdentity (CloudTrail User Guide, "CloudTrail userIdentity element")."""
    shown = {"principalId": who.user_id, "arn": who.arn, "accountId": who.account}
    shown["accessKeyId"] = ask.access_key
    if who.session is None:
        return {"type": "IAMUser", **shown, "userName": who.arn.rpartition("/")[2]}
    issuer = {
        "type": "Role",
        "principalId": who.session.role_id,
        "arn": who.session.role_arn,
        "accountId": who.account,
        "userName": who.session.role,
    }
    return {"type": "AssumedRole", **shown, "sessionContext": {"sessionIssuer": issuer}}


def _full(ask: Ask, who: Caller, event: dict[str, Any], region: str) -> dict[str, Any]:
    when = datetime.fromtimestamp(event["EventTime"], UTC)
    return {
        "eventVersion": "1.11",
        "userIdentity": _identity(ask, who),
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": event["EventSource"],
        "eventName": event["EventName"],
        "awsRegion": region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": ask.request.headers.get("User-Agent", ""),
        "requestParameters": json.loads(json.dumps(ask.params, default=str)),
        "eventID": event["EventId"],
        "readOnly": False,
        "managementEvent": True,
        "recipientAccountId": ask.account,
    }


@instead("events.history", "cloudtrail:LookupEvents")
def lookup(ask: Ask) -> dict[str, Any]:
    """The recorded events that fit."""
    attributes = ask.params.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise Refused("InvalidLookupAttributesException", "At most one lookup attribute.")
    found = list(reversed(ask.note("events").get((ask.account, ask.region), [])))
    for one in attributes:
        key, value = one["AttributeKey"], one["AttributeValue"]
        if key == "ResourceName":
            found = [e for e in found if {"ResourceName": value} in e["Resources"]]
        elif key in _ATTRIBUTES:
            found = [e for e in found if e[_ATTRIBUTES[key]] == value]
        else:
            found = []
    begin, end = ask.params.get("StartTime"), ask.params.get("EndTime")
    found = [
        e
        for e in found
        if (begin is None or e["EventTime"] >= begin) and (end is None or e["EventTime"] <= end)
    ]
    if ask.world.page_size:  # the rule for small pages cuts them
        return {"Events": found}
    size = min(int(ask.params.get("MaxResults") or 50), 50)
    start = int(ask.params.get("NextToken") or 0)
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {"Events": found[start : start + size], **more}
