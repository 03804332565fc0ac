"""S3: the lifecycle rules of a log bucket. Nothing is deleted sooner than now unless the user says so.

What AWS keeps longer than the file asks stays, element by element. With `exact: true` the times are set in a change of
their own, so that the rest of the rules is set right even where the user withholds the shorter times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ...compare import policy
from ...model import Change, Changes, Difference, Kind, Note, update
from ...steps.delivery import MARK
from .lifecycle_rules import MergedRules, chosen_by, merge_rules
from .state import Bucket, loosening

Rule = Mapping[str, Any]

# What a rule deletes, the element that says so, and the element's days.
_DELETES = (
    ("logs", "Expiration", "Days"),
    ("old versions", "NoncurrentVersionExpiration", "NoncurrentDays"),
)
_NO_ACTION = {"ID", "Status", "Filter"}
# S3 takes no rule without an action, and this one deletes no data. Without any rule of ours, the next run would not
# know that the bucket kept its logs for ever.
_NOTHING = {"Expiration": {"ExpiredObjectDeleteMarker": True}}
_FOR_EVER: Rule = {"Status": "Enabled"}


def lifecycle(bucket: Bucket) -> Changes:
    """The rules of the file are there, beside those of others."""
    if bucket.want.lifecycle_rules is None:
        return
    answer = bucket.answer("get_bucket_lifecycle_configuration")
    there = {rule.get("ID"): rule for rule in answer.get("Rules", [])}
    wanted = [each.to_api() for each in bucket.want.lifecycle_rules]
    owned = {rule["ID"] for rule in wanted}
    safe = []
    for rule in wanted:
        have = _standing(bucket, there.get(rule["ID"]), rule)
        kept = dict(_longer(have, rule)) if have else {}
        if not bucket.want.exact:
            yield from (bucket.stricter(f"lifecycle rule {rule['ID']} {words}") for words in kept.values())
        safe.append(_keeping(rule, have or {}, kept))
    merged = merge_rules(answer.get("Rules", []), safe, owned=owned)
    yield from _of_others(bucket, merged.foreign, wanted)
    if merged.changed:
        yield _write(bucket, merged, answer)
    exact = merge_rules(merged.document["Rules"], wanted, owned=owned)
    if bucket.want.exact and exact.changed:
        yield loosening(
            _write(bucket, exact, answer), "shorten-retention", "logs are deleted sooner than now"
        )


def _write(bucket: Bucket, merged: MergedRules, answer: Mapping[str, Any]) -> Change:
    # Left out, an old configuration would silently get the new default.
    key = "TransitionDefaultMinimumObjectSize"
    beside = {key: answer[key]} if key in answer else {}
    call = bucket.put("put_bucket_lifecycle_configuration", LifecycleConfiguration=merged.document, **beside)
    changed = tuple(
        Difference(f"lifecycle rule {name}", have, want) for name, have, want in merged.differences
    )
    return update(bucket.title, changed, call)


def _standing(bucket: Bucket, have: Rule | None, want: Rule) -> Rule | None:
    """What becomes of the objects of *want* now: the rule of that id, or None where the rule is ours to repair.

    A bucket that somebody else set up, and that has no such rule, keeps them for ever.
    """
    works = have is not None and have.get("Status") == "Enabled"
    if works and have is not None and chosen_by(have) == chosen_by(want):
        return have
    deletes = any(element in want for _, element, _ in _DELETES)
    if deletes and _was_there_first(bucket):
        return _FOR_EVER
    return have if works else None


def _was_there_first(bucket: Bucket) -> bool:
    """Somebody else set the bucket up: it has a policy or rules, and none of our statements.

    One that has neither is taken for ours: log services cannot write to it, and a run that made it and did not come to
    its policy left it so.
    """
    document = bucket.have("get_bucket_policy")
    ours = any(str(each.get("Sid")).endswith(MARK) for each in policy.statements(document))
    return not ours and bool(document or bucket.have("get_bucket_lifecycle_configuration"))


def _days(rule: Rule, element: str, field: str) -> float:
    """The days after which *rule* deletes an object of today; infinity where it never does."""
    said = rule.get(element) or {}
    if rule.get("Status") != "Enabled":
        return math.inf
    if "Date" in said:
        return float(max(0, (said["Date"].date() - datetime.now(UTC).date()).days))
    return float(said.get(field, math.inf))


def _longer(have: Rule, want: Rule) -> Iterator[tuple[str, str]]:
    """Each element in which *have* keeps objects longer than *want*, and how, in words.

    A Date deletes everything at once when it comes. It is longer where even a log of today would outlive the file's
    time; nearer than that, it is drift.
    """
    for what, element, field in _DELETES:
        said = have.get(element) or {}
        days, asked = _days(have, element, field), _days(want, element, field)
        if newest := asked < math.inf and said.get("NewerNoncurrentVersions"):
            yield element, f"keeps {what} longer: the newest {newest} for ever instead of {asked:.0f} days"
        elif days > asked and "Date" in said:
            yield element, f"keeps {what} longer: until {said['Date']:%Y-%m-%d} instead of {asked:.0f} days"
        elif asked < days < math.inf:
            yield element, f"keeps {what} longer: {days:.0f} days instead of {asked:.0f}"
        elif days > asked:
            yield element, f"keeps {what} longer: for ever instead of {asked:.0f} days"


def _keeping(want: Rule, have: Rule, kept: Mapping[str, str]) -> dict[str, Any]:
    """The wanted rule, with the longer times of *have* in the elements of *kept*."""
    rule = {key: value for key, value in want.items() if key not in kept}
    for element in kept:
        said = dict(have.get(element) or {})
        if "NewerNoncurrentVersions" in said:
            said["NoncurrentDays"] = max(said.get("NoncurrentDays", 0), want[element]["NoncurrentDays"])
        # S3 takes no Date beside transitions after days; then the objects stay for ever.
        if said and not ("Date" in said and "Transitions" in want):
            rule[element] = said
    return rule if rule.keys() - _NO_ACTION else {**rule, **_NOTHING}


def _of_others(bucket: Bucket, foreign: Sequence[Rule], wanted: Sequence[Rule]) -> Iterator[Note]:
    """The rules of others are named; those that delete logs sooner than the file would, as a warning."""
    hasty = []
    for rule in foreign:
        if found := list(_sooner(rule, wanted)):
            hasty.append(rule)
            yield bucket.warning(f"lifecycle rule {_name(rule)} of others deletes {'; '.join(found)}")
    if quiet := [_name(rule) for rule in foreign if rule not in hasty]:
        yield Note(Kind.FOREIGN, bucket.title, f"lifecycle rules of others are kept: {', '.join(quiet)}")


def _name(rule: Rule) -> str:
    return str(rule.get("ID", "(no id)"))


def _sooner(rule: Rule, wanted: Sequence[Rule]) -> Iterator[str]:
    """What *rule* deletes sooner than the wanted rules for the same objects, in words."""
    prefix = _prefix(rule)
    near = [w for w in wanted if prefix.startswith(_prefix(w)) or _prefix(w).startswith(prefix)]
    if wanted and not near:
        return  # no word in the file about these objects
    for what, element, field in _DELETES:
        limits = [_days(each, element, field) for each in near]
        # One rule of the file may only tidy up what another one deletes.
        asked = max((each for each in limits if each < math.inf), default=math.inf)
        days = _days(rule, element, field)
        if days < asked:
            keeps = "for ever" if asked == math.inf else f"{asked:.0f} days"
            date = (rule.get(element) or {}).get("Date")
            when = f"on {date:%Y-%m-%d}" if date else f"after {days:.0f} day{'' if days == 1 else 's'}"
            yield f"{what} {when}, and the baseline keeps them {keeps}"


def _prefix(rule: Rule) -> str:
    return str(dict(chosen_by(rule)).get("Prefix", ""))
