"""The lifecycle rules of a log bucket. Nothing is deleted sooner than now unless the user allows it.

Each action of a rule that keeps objects longer in AWS than in the file stays. With `exact: true` the shorter times are
a change of their own, so that the rest of the rules is repaired even where the user does not allow it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ...compare import policy
from ...compare.values import Named
from ...model import Change, Changes, Difference, Kind, Note, update
from ...steps.delivery import SID_SUFFIX
from .lifecycle_rules import MergedRules, Rule, merge_rules, rule_filter
from .mfa_delete import refuse_under_mfa_delete
from .state import Bucket

# The actions that delete: what they delete, their name, and the name of their days.
_DELETIONS = (
    ("logs", "Expiration", "Days"),
    ("old versions", "NoncurrentVersionExpiration", "NoncurrentDays"),
)
_NO_ACTION = {"ID", "Status", "Filter"}
_SIZE = "TransitionDefaultMinimumObjectSize"
# S3 refuses a rule without an action, and this one deletes no data. Such a rule of ours tells the next run that
# objects were kept for ever before.
_PLACEHOLDER = {"Expiration": {"ExpiredObjectDeleteMarker": True}}
_KEEP_FOR_EVER: Rule = {"Status": "Enabled"}


def lifecycle(bucket: Bucket) -> Changes:
    """Add or repair the rules of the file; rules of others stay.

    For some minutes after a PUT, S3 answers now with the new rules and now with the earlier ones, so that rules that
    differ are read again.
    """
    if not bucket.want.has_lifecycle:
        return
    if not bucket.new:
        bucket.aws.confirm(
            bucket.reads["get_bucket_lifecycle_configuration"],
            lambda: not any(isinstance(each, Change) for each in _rules(bucket)),
        )
    why = "S3 takes no lifecycle rules then"
    yield from refuse_under_mfa_delete(bucket, _rules(bucket), why)


def _rules(bucket: Bucket) -> Changes:
    """Find what differs in the rules, without asking AWS again."""
    answer = bucket.answer("get_bucket_lifecycle_configuration")
    have_rules = {rule.get("ID"): rule for rule in answer.get("Rules", [])}
    sections = bucket.want.lifecycle_rules or ()
    left_out = {each.id: each.left_out(have_rules.get(each.id) or {}) for each in sections}
    want_rules = [{**each.to_api(), **left_out[each.id]} for each in sections]
    if stays := [f"{', '.join(actions)} of {name}" for name, actions in left_out.items() if actions]:
        text = f"actions of lifecycle rules that the file leaves out stay: {'; '.join(stays)}"
        yield Note(Kind.FOREIGN, bucket.title, text)
    safe = []
    for want in want_rules:
        have = _have_rule(bucket, have_rules.get(want["ID"]), want)
        longer = dict(_longer(have, want)) if have else {}
        if not bucket.want.exact:
            for text in longer.values():
                yield Note(Kind.STRICTER, bucket.title, f"lifecycle rule {want['ID']} {text}")
        safe.append(_with_longer(want, have or {}, longer))
    merged = merge_rules(answer.get("Rules", []), safe)
    hasty = {}
    if bucket.want.lifecycle_rules is not None:
        hasty = {
            _name(rule): text for rule in merged.foreign if (text := "; ".join(_sooner(rule, want_rules)))
        }
        if kept := [_name(rule) for rule in merged.foreign if _name(rule) not in hasty]:
            yield Note(Kind.FOREIGN, bucket.title, f"lifecycle rules of others are kept: {', '.join(kept)}")
    size = _size_difference(bucket, answer) if merged.document["Rules"] else ()
    if merged.differences or size:
        yield from _rule_warnings(bucket, merged)
        yield _put(bucket, merged, answer, *size)
    exact = merge_rules(merged.document["Rules"], want_rules)
    if bucket.want.exact and exact.differences:
        loses = "logs are deleted sooner than now"
        yield replace(_put(bucket, exact, answer), consent="shorten-retention", loses=loses)
    if hasty:
        left = [rule for rule in merged.document["Rules"] if _name(rule) not in hasty]
        removed: list[Named[Rule]] = [
            (f"{name} of others", rule, None) for rule in merged.foreign if (name := _name(rule)) in hasty
        ]
        loses = "; ".join(f"`{name}` of others deletes {text}" for name, text in hasty.items())
        change = _put(bucket, MergedRules({"Rules": left}, merged.foreign, removed), answer)
        yield replace(change, consent="remove-foreign-lifecycle-rule", loses=loses)


def _put(bucket: Bucket, merged: MergedRules, answer: Mapping[str, Any], *differences: Difference) -> Change:
    """The change that writes all rules. *differences* are those beside the rules."""
    # Left out, this would change from the default of old configurations to the new default.
    size = bucket.want.transition_default_minimum_object_size or answer.get(_SIZE)
    given = {_SIZE: size} if size else {}
    call = bucket.put("put_bucket_lifecycle_configuration", LifecycleConfiguration=merged.document, **given)
    rules = (Difference(f"lifecycle rule {name}", have, want) for name, have, want in merged.differences)
    undo = None
    if before := answer.get("Rules"):
        undo = bucket.put(
            "put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": before}, **given
        )
    change = update(bucket.title, (*rules, *differences), replace(call, flaps=True))
    return replace(change, undo=undo)


def _size_difference(bucket: Bucket, answer: Mapping[str, Any]) -> tuple[Difference, ...]:
    have, want = answer.get(_SIZE), bucket.want.transition_default_minimum_object_size
    return (Difference(_SIZE, have, want),) if want not in {None, have} else ()


def _rule_warnings(bucket: Bucket, merged: MergedRules) -> Iterator[Note]:
    """What S3 may refuse of the rules that are written, or what they do not do."""
    written = {name for name, _, want in merged.differences if want is not None}
    versioned = bucket.want.versioning.status == "Enabled"
    for rule in bucket.want.lifecycle_rules or ():
        for text in rule.warnings(versioned=versioned) if rule.id in written else ():
            yield Note(Kind.WARNING, bucket.title, f"lifecycle rule {rule.id}: {text}")


def _have_rule(bucket: Bucket, have: Rule | None, want: Rule) -> Rule | None:
    """The rule that now decides over the objects of *want*; None where no times need to be kept.

    In a bucket that somebody else set up, and that has no such rule, that is to keep them for ever.
    """
    enabled = have is not None and have.get("Status") == "Enabled"
    if enabled and have is not None and rule_filter(have) == rule_filter(want):
        return have
    if any(action in want for _, action, _ in _DELETIONS) and _is_of_others(bucket):
        return _KEEP_FOR_EVER
    return have if enabled else None


def _is_of_others(bucket: Bucket) -> bool:
    """Whether somebody else set the bucket up: it has a policy or rules, and none of our statements.

    A bucket with neither counts as ours: log services cannot write to it, and a run that stopped between CreateBucket
    and PutBucketPolicy leaves such a one.
    """
    document = bucket.have("get_bucket_policy")
    ours = any(str(each.get("Sid")).endswith(SID_SUFFIX) for each in policy.statements(document))
    return not ours and bool(document or bucket.have("get_bucket_lifecycle_configuration"))


def _days(rule: Rule, action: str, field: str) -> float:
    """The days after which *rule* deletes an object of today; infinity where it never does."""
    have = rule.get(action) or {}
    if rule.get("Status") != "Enabled":
        return math.inf
    if "Date" in have:
        return float(max(0, (have["Date"].date() - datetime.now(UTC).date()).days))
    return float(have.get(field, math.inf))


def _longer(have: Rule, want: Rule) -> Iterator[tuple[str, str]]:
    """Each action by which *have* keeps objects longer than *want*, with a text about it.

    A Date deletes every object on that day. It counts as longer if an object of today would be kept longer than the
    file asks for; a nearer date is drift.
    """
    for what, action, field in _DELETIONS:
        found = have.get(action) or {}
        have_days, want_days = _days(have, action, field), _days(want, action, field)
        if want_days == math.inf:
            continue
        if newest := found.get("NewerNoncurrentVersions"):
            longer = f"the newest {newest} for ever instead of {want_days:.0f} days"
        elif have_days <= want_days:
            continue
        elif "Date" in found:
            longer = f"until {found['Date']:%Y-%m-%d} instead of {want_days:.0f} days"
        elif have_days < math.inf:
            longer = f"{have_days:.0f} days instead of {want_days:.0f}"
        else:
            longer = f"for ever instead of {want_days:.0f} days"
        yield action, f"keeps {what} longer: {longer}"


def _with_longer(want: Rule, have: Rule, longer: Mapping[str, str]) -> dict[str, Any]:
    """The rule *want*, with the actions *longer* as they are in *have*."""
    rule = {key: value for key, value in want.items() if key not in longer}
    for action in longer:
        found = dict(have.get(action) or {})
        if "NewerNoncurrentVersions" in found:
            found["NoncurrentDays"] = max(found.get("NoncurrentDays", 0), want[action]["NoncurrentDays"])
        # S3 refuses a Date beside transitions after days; then the objects are kept for ever.
        if found and not ("Date" in found and "Transitions" in want):
            rule[action] = found
    return rule if rule.keys() - _NO_ACTION else {**rule, **_PLACEHOLDER}


def _name(rule: Rule) -> str:
    return str(rule.get("ID", "(no id)"))


def _sooner(rule: Rule, want_rules: Sequence[Rule]) -> Iterator[str]:
    """A text for each thing that *rule* deletes sooner than the rules of the file for the same objects."""
    prefix = _prefix(rule)
    near = [
        want for want in want_rules if prefix.startswith(_prefix(want)) or _prefix(want).startswith(prefix)
    ]
    if want_rules and not near:
        return  # the file says nothing about these objects
    for what, action, field in _DELETIONS:
        limits = [_days(want, action, field) for want in near]
        # A rule of the file that never deletes does not count beside one that does.
        want_days = max((each for each in limits if each < math.inf), default=math.inf)
        days = _days(rule, action, field)
        if days < want_days:
            keeps = "for ever" if want_days == math.inf else f"{want_days:.0f} days"
            date = (rule.get(action) or {}).get("Date")
            when = f"on {date:%Y-%m-%d}" if date else f"after {days:.0f} day{'' if days == 1 else 's'}"
            yield f"{what} {when}, and the baseline keeps them {keeps}"


def _prefix(rule: Rule) -> str:
    return str(dict(rule_filter(rule)).get("Prefix", ""))
