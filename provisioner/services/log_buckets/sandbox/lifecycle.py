"""Lifecycle configurations: S3's own checks, and every field kept."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ....sandbox.ask import Ask
from ....sandbox.buckets import find_bucket, named_bucket
from ....sandbox.rule import after, before, instead
from ....sandbox.words import Answer, Refused

_OPERATION = "PutBucketLifecycleConfiguration"
_PREDICATES = ("Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And")
_XML = "The XML you provided was not well-formed or did not validate against our published schema"
_INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")


def _malformed() -> Refused:
    return Refused("MalformedXML", _XML)


@before(
    "s3.lifecycle_shape",
    _OPERATION,
    row="13.3 lifecycle: empty rules; And with one predicate; neither Filter nor Prefix",
)
def lifecycle_shape(ask: Ask) -> None:
    """No rules, a rule without filter, or an And of fewer than two predicates is MalformedXML."""
    named_bucket(ask)
    rules = ask.params.get("LifecycleConfiguration", {}).get("Rules") or []
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
def lifecycle_days(ask: Ask) -> None:
    """STANDARD_IA before day 30, or an expiration not after every transition, is InvalidArgument."""
    seen: set[str] = set()
    for rule in ask.params.get("LifecycleConfiguration", {}).get("Rules") or []:
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
    for step in transitions:
        days, target = step.get(key), step.get("StorageClass")
        if days is None:
            continue
        if target in _INFREQUENT and days < 30:
            text = f"'{key}' in Transition action must be 30 or more for storageClass '{target}'"
            raise Refused("InvalidArgument", text)
        if expires is not None and expires <= days:
            text = f"'{key}' in the Expiration action must be greater than '{key}' in the Transition action"
            raise Refused("InvalidArgument", text)


@instead(
    "s3.lifecycle_kept",
    _OPERATION,
    row="13.3 lifecycle: no ID, dropped fields, TransitionDefaultMinimumObjectSize",
)
def lifecycle_put(ask: Ask) -> Answer | dict[str, Any]:
    """Every field of a lifecycle rule comes back, with an ID made where none was given."""
    bucket = named_bucket(ask)
    rules = [dict(rule) for rule in ask.params.get("LifecycleConfiguration", {}).get("Rules") or []]
    for rule in rules:
        if not rule.get("ID"):
            rule["ID"] = hashlib.sha256(json.dumps(rule, default=str, sort_keys=True).encode()).hexdigest()[
                :48
            ]
    size = ask.params.get("TransitionDefaultMinimumObjectSize") or "all_storage_classes_128K"
    bucket.strict_lifecycle = {"Rules": rules, "TransitionDefaultMinimumObjectSize": size}
    return {"TransitionDefaultMinimumObjectSize": size}


@instead("s3.lifecycle_kept", "GetBucketLifecycleConfiguration")
def lifecycle_read(ask: Ask) -> Answer | dict[str, Any]:
    """The rules as they were put."""
    bucket = find_bucket(ask.params["Bucket"])
    kept = getattr(bucket, "strict_lifecycle", None)
    return ask.moto() if kept is None else kept


@after("s3.lifecycle_kept", "DeleteBucketLifecycle")
def lifecycle_gone(ask: Ask, _: dict[str, Any]) -> None:
    """There are no rules."""
    named_bucket(ask).strict_lifecycle = None
