"""CloudTrail's event history: the changes in the sandbox, and their callers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ....sandbox.ask import GLOBAL_STORES, Request
from ....sandbox.callers import Caller, caller
from ....sandbox.model import Refused
from ....sandbox.rule import after, instead

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
_ATTRIBUTES = {"EventId", "EventName", "EventSource", "Username", "ReadOnly", "AccessKeyId"}


@after("events.history", "*:written", row="14 cloudtrail LookupEvents")
def record(request: Request, _: dict[str, Any]) -> None:
    """LookupEvents returns the changes in the sandbox, the newest first, 200 events at most."""
    if request.service == "s3" and "Key" in request.params:
        return  # a data event
    # Events of global services are recorded in us-east-1.
    everywhere = request.service in GLOBAL_STORES and request.service not in ("s3", "s3control")
    region = "us-east-1" if everywhere and request.partition == "aws" else request.region
    who = caller(request)
    names = [str(request.params[k]) for k in _NAMES if isinstance(request.params.get(k), str)]
    event = {
        "EventId": str(uuid4()),
        "EventName": request.operation,
        "ReadOnly": "false",
        "AccessKeyId": request.access_key,
        "EventTime": datetime.now(UTC).timestamp(),
        "EventSource": f"{_SOURCES.get(request.service, request.service)}.amazonaws.com",
        "Username": who.session.name if who.session else who.arn.rpartition("/")[2],
        "Resources": [{"ResourceName": name} for name in names],
    }
    kept = request.saved("events").setdefault((request.account, region), [])
    event["CloudTrailEvent"] = json.dumps(_full(request, who, event, region))
    kept.append(event)
    del kept[:-_KEPT]


def _identity(request: Request, who: Caller) -> dict[str, Any]:
    """The field userIdentity (CloudTrail User Guide, "CloudTrail userIdentity element")."""
    shown = {"principalId": who.user_id, "arn": who.arn, "accountId": who.account}
    shown["accessKeyId"] = request.access_key
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


def _full(request: Request, who: Caller, event: dict[str, Any], region: str) -> dict[str, Any]:
    when = datetime.fromtimestamp(event["EventTime"], UTC)
    return {
        "eventVersion": "1.11",
        "userIdentity": _identity(request, who),
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": event["EventSource"],
        "eventName": event["EventName"],
        "awsRegion": region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": request.http.headers.get("User-Agent", ""),
        "requestParameters": json.loads(json.dumps(request.params, default=str)),
        "eventID": event["EventId"],
        "readOnly": False,
        "managementEvent": True,
        "recipientAccountId": request.account,
    }


@instead("events.history", "cloudtrail:LookupEvents")
def lookup(request: Request) -> dict[str, Any]:
    """Return the recorded events that match."""
    attributes = request.params.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise Refused("InvalidLookupAttributesException", "At most one lookup attribute.")
    found = list(reversed(request.saved("events").get((request.account, request.region), [])))
    for one in attributes:
        key, value = one["AttributeKey"], one["AttributeValue"]
        if key == "ResourceName":
            found = [e for e in found if {"ResourceName": value} in e["Resources"]]
        elif key in _ATTRIBUTES:
            found = [e for e in found if e[key] == value]
        else:
            found = []
    begin, end = request.params.get("StartTime"), request.params.get("EndTime")
    found = [
        e
        for e in found
        if (begin is None or e["EventTime"] >= begin) and (end is None or e["EventTime"] <= end)
    ]
    if request.world.page_size:  # the rule for small pages cuts them
        return {"Events": found}
    return request.page("Events", found, min(int(request.params.get("MaxResults") or 50), 50))
