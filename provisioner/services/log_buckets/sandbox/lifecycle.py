"""Lifecycle configurations: S3's validation, with every field returned."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.buckets import find_bucket, named_bucket
from ....sandbox.model import Refused, Response
from ....sandbox.rule import after, before, instead

_OPERATION = "PutBucketLifecycleConfiguration"
_PREDICATES = ("Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And")
_XML = "The XML you provided was not well-formed or did not validate against our published schema"
_INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")


def _rules(request: Request) -> list[dict[str, Any]]:
    return request.params.get("LifecycleConfiguration", {}).get("Rules") or []


def _malformed() -> Refused:
    return Refused("MalformedXML", _XML)


@before("s3.lifecycle_shape", _OPERATION, row="13.3 lifecycle: empty rules")
def lifecycle_shape(request: Request) -> None:
    """No rules, a rule without filter, or an And of fewer than two predicates is MalformedXML."""
    named_bucket(request)
    rules = _rules(request)
    if not rules or len(rules) > 1000:
        raise _malformed()
    for rule in rules:
        if ("Filter" in rule) == ("Prefix" in rule) or rule.get("Status") not in ("Enabled", "Disabled"):
            raise _malformed()
        found = rule.get("Filter") or {}
        if sum(name in found for name in _PREDICATES) > 1:
            raise _malformed()
        every = found.get("And")
        if every is not None and len(every.get("Tags", [])) + sum(n in every for n in _PREDICATES) < 2:
            raise _malformed()
        if not any("xpiration" in k or "ransition" in k or k.startswith("Abort") for k in rule):
            raise Refused("InvalidRequest", "At least one action needs to be specified in a rule")


@before("s3.lifecycle_days", _OPERATION, row="13.3 lifecycle: STANDARD_IA after 1 day")
def lifecycle_days(request: Request) -> None:
    """STANDARD_IA before day 30, or an expiration not after every transition, is InvalidArgument."""
    seen: set[str] = set()
    for rule in _rules(request):
        name = rule.get("ID")
        if name in seen:
            raise Refused("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
        seen |= {name} if name else set()
        _check_days(rule.get("Transitions") or [], "Days", (rule.get("Expiration") or {}).get("Days"))
        _check_days(
            rule.get("NoncurrentVersionTransitions") or [],
            "NoncurrentDays",
            (rule.get("NoncurrentVersionExpiration") or {}).get("NoncurrentDays"),
        )
        abort = rule.get("AbortIncompleteMultipartUpload")
        found = json.dumps(rule.get("Filter") or {})
        if abort and ("Tag" in found or "ObjectSize" in found):
            text = "AbortIncompleteMultipartUpload cannot be specified with Tags or object size"
            raise Refused("InvalidRequest", text)


def _check_days(transitions: list[dict[str, Any]], key: str, expires: int | None) -> None:
    if expires is not None and expires <= 0:
        raise Refused("InvalidArgument", f"'{key}' for Expiration action must be a positive integer")
    for transition in transitions:
        days, storage_class = transition.get(key), transition.get("StorageClass")
        if days is None:
            continue
        if storage_class in _INFREQUENT and days < 30:
            text = f"'{key}' in Transition action must be 30 or more for storageClass '{storage_class}'"
            raise Refused("InvalidArgument", text)
        if expires is not None and expires <= days:
            text = f"'{key}' in the Expiration action must be greater than '{key}' in the Transition action"
            raise Refused("InvalidArgument", text)


@instead("s3.lifecycle_kept", _OPERATION, row="13.3 lifecycle: no ID, dropped fields")
def lifecycle_put(request: Request) -> Response | dict[str, Any]:
    """Every field of a lifecycle rule is returned; a rule without ID gets one."""
    bucket = named_bucket(request)
    rules = [dict(rule) for rule in _rules(request)]
    for rule in rules:
        if not rule.get("ID"):
            text = json.dumps(rule, default=str, sort_keys=True)
            rule["ID"] = hashlib.sha256(text.encode()).hexdigest()[:48]
    size = request.params.get("TransitionDefaultMinimumObjectSize") or "all_storage_classes_128K"
    bucket.strict_lifecycle = {"Rules": rules, "TransitionDefaultMinimumObjectSize": size}
    return {"TransitionDefaultMinimumObjectSize": size}


@instead("s3.lifecycle_kept", "GetBucketLifecycleConfiguration")
def lifecycle_read(request: Request) -> Response | dict[str, Any]:
    """Return the rules as they were put."""
    bucket = find_bucket(request.params["Bucket"])
    kept = getattr(bucket, "strict_lifecycle", None)
    return request.moto() if kept is None else kept


@after("s3.lifecycle_kept", "DeleteBucketLifecycle")
def lifecycle_gone(request: Request, _: dict[str, Any]) -> None:
    """Remove the stored rules."""
    named_bucket(request).strict_lifecycle = None
