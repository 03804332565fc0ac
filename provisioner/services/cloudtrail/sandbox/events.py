"""CloudTrail's event history: the changes in the sandbox, those that were refused included, and their callers.

What an event holds is AWS's CloudTrail User Guide, "CloudTrail record contents" and "userIdentity element".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from uuid import uuid4

from ....sandbox.ask import Request
from ....sandbox.buckets import find_bucket
from ....sandbox.callers import Caller, caller
from ....sandbox.model import Refused
from ....sandbox.models import LOADER
from ....sandbox.rule import after, instead

_KEPT = 200
_DAYS = 90
_PAGE = 50
_SOURCES = {"accessanalyzer": "access-analyzer", "cloudwatch": "monitoring", "s3control": "s3"}
# Parameters that name a resource, at the top or in a structure of it.
_NAMING = re.compile(r"(Name|Bucket|Arn|ARN|Id|Principal|^name)$")
# S3 records some operations under another name (S3 User Guide, "CloudTrail bucket-level actions" and "account-level actions").
_NAMES: Final = {
    "s3": {
        "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
        "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    },
    "s3control": {
        "DeletePublicAccessBlock": "DeleteAccountPublicAccessBlock",
        "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    },
}
_ATTRIBUTES = {"EventId", "EventName", "EventSource", "Username", "ReadOnly", "AccessKeyId"}
# AWS records no call whose caller it does not know, and not each one that it throttles.
_NOT_RECORDED = {
    "ExpiredToken",
    "InvalidClientTokenId",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "UnrecognizedClientException",
}


@after("events.history", "*:written", "*:refused", row="14 cloudtrail LookupEvents")
def record(request: Request, answer: Mapping[str, Any]) -> None:
    """LookupEvents returns the changes in the sandbox, the newest first, 200 events at most."""
    if request.service == "s3" and "Key" in request.params:
        return  # a data event
    if answer.get("Code") in _NOT_RECORDED:
        return
    who, name, region = caller(request), _event_name(request), _region(request)
    event = {
        "EventId": str(uuid4()),
        "EventName": name,
        "ReadOnly": "false",
        "AccessKeyId": request.access_key,
        "EventTime": request.world.now(),
        "EventSource": f"{_SOURCES.get(request.service, request.service)}.amazonaws.com",
        "Username": _user_name(who),
        "Resources": [{"ResourceName": each} for each in dict.fromkeys(_names(request.params))],
    }
    kept = request.saved("events").setdefault((request.account, region), [])
    event["CloudTrailEvent"] = json.dumps(_full(request, who, event, region, answer))
    kept.append(event)
    del kept[:-_KEPT]


def _event_name(request: Request) -> str:
    return _NAMES.get(request.service, {}).get(request.operation, request.operation)


def _region(request: Request) -> str:
    """The Region in which the event is recorded: for a global service the one of its endpoint, for S3 the bucket's."""
    if request.service == "s3":
        bucket = find_bucket(str(request.params.get("Bucket")))
        return str(bucket.region_name) if bucket is not None else request.region
    return _global_regions(request.partition).get(request.service, request.region)


@cache
def _global_regions(partition: str) -> dict[str, str]:
    """The Regions of the global services, from botocore's endpoints."""
    data = LOADER.load_data("endpoints")
    [services] = [p["services"] for p in data["partitions"] if p["partition"] == partition] or [{}]
    scopes = {
        name: each["endpoints"].get(each.get("partitionEndpoint"), {}).get("credentialScope", {})
        for name, each in services.items()
        if each.get("isRegionalized") is False
    }
    return {name: str(scope["region"]) for name, scope in scopes.items() if "region" in scope}


def _names(params: Mapping[str, Any]) -> Iterator[str]:
    """The names of resources in a request."""
    for key, value in params.items():
        if isinstance(value, str) and _NAMING.search(key):
            yield value
        elif isinstance(value, dict):
            yield from (each for key, each in value.items() if isinstance(each, str) and _NAMING.search(key))


def _user_name(who: Caller) -> str:
    return who.session.name if who.session else who.arn.rpartition(":" if who.is_root else "/")[2]


def _identity(request: Request, who: Caller) -> dict[str, Any]:
    """The field userIdentity."""
    shown = {"principalId": who.user_id, "arn": who.arn, "accountId": who.account}
    shown["accessKeyId"] = request.access_key
    if who.is_root:
        return {"type": "Root", **shown}
    if who.session is None:
        return {"type": "IAMUser", **shown, "userName": _user_name(who)}
    issuer = {
        "type": "Role",
        "principalId": who.session.role_id,
        "arn": who.session.role_arn,
        "accountId": who.account,
        "userName": who.session.role,
    }
    return {"type": "AssumedRole", **shown, "sessionContext": {"sessionIssuer": issuer}}


def _full(
    request: Request, who: Caller, event: dict[str, Any], region: str, answer: Mapping[str, Any]
) -> dict[str, Any]:
    error = answer.get("Code")
    when = datetime.fromtimestamp(event["EventTime"], UTC)
    agent = request.http.headers.get("User-Agent", "")
    return {
        "eventVersion": "1.11",
        "userIdentity": _identity(request, who),
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": event["EventSource"],
        "eventName": event["EventName"],
        "awsRegion": region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": f"[{agent}]" if request.service == "s3" else agent,
        **({"errorCode": error, "errorMessage": error} if error else {}),
        "requestParameters": _request_parameters(request),
        "responseElements": _lower_camel(answer.get("ResponseElements")) or None,
        "eventID": event["EventId"],
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": request.account,
    }


def _request_parameters(request: Request) -> Any:
    """The parameters as AWS writes them: names in lower camel case; of S3 those of its XML, with the bucket's name."""
    params = json.loads(json.dumps(request.params, default=str))
    if request.service != "s3":
        return _lower_camel(params)
    if isinstance(policy := params.pop("Policy", None), str):
        with suppress(ValueError):
            params["bucketPolicy"] = json.loads(policy)
    name = params.pop("Bucket", None)
    return {"bucketName": name, "Host": f"s3.{request.region}.amazonaws.com", **params}


def _lower_camel(value: Any) -> Any:
    if isinstance(value, list):
        return [_lower_camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key[:1].lower() + key[1:]: _lower_camel(each) for key, each in value.items()}


@instead("events.history", "cloudtrail:LookupEvents")
def lookup(request: Request) -> dict[str, Any]:
    """Return the recorded events of 90 days that match, except those of the last `World.event_delay` seconds."""
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
    now, begin, end = request.world.now(), request.params.get("StartTime"), request.params.get("EndTime")
    begin = max(begin or 0.0, now - _DAYS * 24 * 3600)
    end = min(end or now, now - request.world.event_delay)
    # AWS's times are whole seconds.
    found = [e for e in found if begin <= e["EventTime"] and int(e["EventTime"]) <= end]
    if request.world.page_size:  # the rule for small pages cuts them
        return {"Events": found}
    return request.page("Events", found, min(int(request.params.get("MaxResults") or _PAGE), _PAGE))
