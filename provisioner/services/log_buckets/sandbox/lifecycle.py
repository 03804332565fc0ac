"""Lifecycle configurations: S3's validation, with every field returned.

Codes and texts are those of S3's answers to PutBucketLifecycleConfiguration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.buckets import find_bucket, named_bucket
from ....sandbox.model import Refused, Response
from ....sandbox.rule import after, before, instead
from ..lifecycle_limits import WATERFALL, conflicts

_OPERATION = "PutBucketLifecycleConfiguration"
_PREDICATES = ("Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And")
_SIZES = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
_XML = "The XML you provided was not well-formed or did not validate against our published schema"
_MINIMUM = ("all_storage_classes_128K", "varies_by_storage_class")
_MOST_BYTES = 1099511627776000
_LONGEST_ID, _LONGEST_PREFIX = 255, 1024

Rule = dict[str, Any]


def _rules(request: Request) -> list[Rule]:
    return request.params.get("LifecycleConfiguration", {}).get("Rules") or []


def _malformed() -> Refused:
    return Refused("MalformedXML", _XML)


def _invalid(text: str) -> Refused:
    return Refused("InvalidRequest", text)


def _argument(text: str) -> Refused:
    return Refused("InvalidArgument", text)


@before("s3.lifecycle_shape", _OPERATION, row="13.3 lifecycle: empty rules")
def lifecycle_shape(request: Request) -> None:
    """No rules, a rule without filter or action, or an element in a wrong form is MalformedXML or InvalidRequest."""
    named_bucket(request)
    rules = _rules(request)
    if not rules or len(rules) > 1000:
        raise _malformed()
    for rule in rules:
        if ("Filter" in rule) == ("Prefix" in rule) or rule.get("Status") not in ("Enabled", "Disabled"):
            raise _malformed()
        if ("Filter" in rule) != ("Filter" in rules[0]):
            raise _invalid("Filter element can only be used in Lifecycle V2.")
        _check_filter(rule.get("Filter") or {})
        if not any("xpiration" in k or "ransition" in k or k.startswith("Abort") for k in rule):
            raise _invalid("At least one action needs to be specified in a rule")
        _check_forms(rule)
    size = request.params.get("TransitionDefaultMinimumObjectSize")
    if size and size not in _MINIMUM:
        raise _invalid("Invalid TransitionDefaultMinimumObjectSize found")


def _check_filter(found: Rule) -> None:
    if sum(name in found for name in _PREDICATES) > 1:
        raise _malformed()
    every = found.get("And")
    if every is not None and len(every.get("Tags", [])) + sum(n in every for n in _PREDICATES) < 2:
        raise _malformed()
    keys = [tag["Key"] for tag in _tags(found)]
    if len(keys) != len(set(keys)):
        raise _invalid("Duplicate Tag Keys are not allowed.")
    more, less = (int(each) if each is not None else None for each in _sizes(found))
    if more is not None and not 0 <= more <= _MOST_BYTES:
        raise _invalid(f"'ObjectSizeGreaterThan' should be between 0 and {_MOST_BYTES}.")
    if less is not None and not 1 <= less <= _MOST_BYTES:
        raise _invalid(f"'ObjectSizeLessThan' should be between 1 and {_MOST_BYTES}.")
    if more is not None and less is not None and more >= less:
        raise _invalid("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")


def _tags(found: Rule) -> list[Any]:
    """The tags of a filter, alone or in its `And`."""
    return [*([found["Tag"]] if "Tag" in found else []), *(found.get("And") or {}).get("Tags", [])]


def _sizes(found: Rule) -> Iterator[Any]:
    """The two limits of size of a filter, alone or in its `And`; None for one that it has not."""
    both = {**(found.get("And") or {}), **found}
    yield from (both.get(name) for name in _SIZES)


def _check_forms(rule: Rule) -> None:
    """Each action has the elements that it needs, and none beside those that it excludes."""
    times = ("Days", "Date")
    forms: list[tuple[Rule, tuple[str, ...]]] = []
    if "Expiration" in rule:
        forms.append((rule["Expiration"], (*times, "ExpiredObjectDeleteMarker")))
    forms += [(each, times) for each in rule.get("Transitions") or []]
    forms += [(each, ("NoncurrentDays",)) for each in rule.get("NoncurrentVersionTransitions") or []]
    if "NoncurrentVersionExpiration" in rule:
        forms.append((rule["NoncurrentVersionExpiration"], ("NoncurrentDays",)))
    if "AbortIncompleteMultipartUpload" in rule:
        forms.append((rule["AbortIncompleteMultipartUpload"], ("DaysAfterInitiation",)))
    if any(sum(name in action for name in names) != 1 for action, names in forms):
        raise _malformed()
    transitions = [*(rule.get("Transitions") or []), *(rule.get("NoncurrentVersionTransitions") or [])]
    if any(each.get("StorageClass") not in WATERFALL for each in transitions):
        raise _malformed()
    found = rule.get("Filter") or {}
    for name in ("AbortIncompleteMultipartUpload", "ExpiredObjectDeleteMarker"):
        if name in rule or name in (rule.get("Expiration") or {}):
            if _tags(found):
                raise _invalid(f"{name} cannot be specified with Tags.")
            if any(each is not None for each in _sizes(found)):
                raise _invalid(f"{name} cannot be specified with Object Size.")


@before("s3.lifecycle_days", _OPERATION, row="13.3 lifecycle: STANDARD_IA after 1 day")
def lifecycle_days(request: Request) -> None:
    """Times out of order, too close, below their least, not at midnight or of two kinds are InvalidArgument or InvalidRequest.

    STANDARD_IA before day 30 is taken, as AWS's documents disagree about it.
    """
    seen: set[str] = set()
    for rule in _rules(request):
        name = rule.get("ID")
        if name in seen:
            raise _argument("Rule ID must be unique. Found same ID for more than one rule")
        seen |= {name} if name else set()
        prefix = rule.get("Prefix") or (rule.get("Filter") or {}).get("Prefix") or ""
        if len(name or "") > _LONGEST_ID or len(prefix) > _LONGEST_PREFIX:
            raise _argument(f"ID length should not exceed allowed limit of {_LONGEST_ID}")
        _check_least(rule)
        _check_dates(rule)
        for version, key in (("", "Days"), ("NoncurrentVersion", "NoncurrentDays")):
            transitions = rule.get(f"{version}Transitions") or []
            _check_order(transitions, version, key, (rule.get(f"{version}Expiration") or {}).get(key))


def _check_least(rule: Rule) -> None:
    """Deletions take at least a day, transitions may be at once."""
    actions = [(rule.get(name) or {}, name, 1) for name in ("Expiration", "NoncurrentVersionExpiration")]
    actions += [(rule.get("AbortIncompleteMultipartUpload") or {}, "AbortIncompleteMultipartUpload", 1)]
    actions += [(each, "Transition", 0) for each in rule.get("Transitions") or []]
    actions += [
        (each, "NoncurrentVersionTransition", 0) for each in rule.get("NoncurrentVersionTransitions") or []
    ]
    for action, name, least in actions:
        for key in ("Days", "NoncurrentDays", "DaysAfterInitiation"):
            if key in action and int(action[key]) < least:
                raise _argument(
                    f"'{key}' for {name} action must be a positive integer"
                    if least
                    else f"'{key}' in {name} action must be nonnegative"
                )
        newer = action.get("NewerNoncurrentVersions")
        if newer is not None and int(newer) < 1:
            raise _argument(f"'NewerNoncurrentVersions' for {name} action must be a positive integer")


def _check_dates(rule: Rule) -> None:
    """All times of a rule are days, or all are dates, at midnight UTC."""
    actions = [*(rule.get("Transitions") or []), rule.get("Expiration") or {}]
    if any("Date" in each for each in actions) and any("Days" in each for each in actions):
        text = "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule"
        raise _invalid(text)
    dates = [_date(each["Date"]) for each in actions if "Date" in each]
    if any((each.hour, each.minute, each.second, each.microsecond) != (0, 0, 0, 0) for each in dates):
        raise _argument("'Date' must be at midnight GMT")


def _date(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.astimezone(UTC) if found.tzinfo else found


def _check_order(transitions: list[Rule], version: str, key: str, expires: int | None) -> None:
    timed = [(int(each[key]), str(each["StorageClass"])) for each in transitions if key in each]
    action = f"{version}Transition"
    for place, other, least in conflicts(timed):
        (_, cold), (day, warm) = timed[place], timed[other]
        if cold == warm:
            raise _invalid(f"'StorageClass' must be different for '{action}' actions in same 'Rule'")
        apart = f"{least - day} days more than" if least and least - day > 1 else f"greater than '{key}'"
        text = f"'{key}' in the '{action}' action for StorageClass '{cold}' must be {apart} in the '{action}' action"
        raise _argument(f"{text} for StorageClass '{warm}'")
    if expires is not None and any(int(expires) <= day for day, _ in timed):
        text = (
            f"'{key}' in the {version}Expiration action must be greater than '{key}' in the {action} action"
        )
        raise _argument(text)


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
