"""Object Lock of a log bucket: its default retention, of which the stricter mode and the longer time stay."""

from __future__ import annotations

from typing import Final

from ...compare.values import differences
from ...model import Changes, Kind, Note, Wait, update
from .mfa_delete import has_mfa_delete
from .state import Bucket

_OURS: Final = {"Mode", "Days", "Years"}  # of the default retention


def object_lock(bucket: Bucket) -> Changes:
    """Bring the default retention to the baseline; what else Object Lock has, such as an event hold, is put again."""
    want = bucket.want.object_lock
    if want is None:
        return
    lock = bucket.have("get_object_lock_configuration") or {}
    rule = lock.get("Rule") or {}
    have = rule.get("DefaultRetention") or {}
    days = have.get("Days", 0) or 365 * have.get("Years", 0)
    # The stricter mode and the longer time: repairing one of them does not loosen the other.
    mode = "COMPLIANCE" if "COMPLIANCE" in {want.mode, have.get("Mode")} else want.mode
    retention = {"Mode": mode, "Days": max(want.days, days)}
    if retention != {"Mode": want.mode, "Days": want.days}:
        text = f"Object Lock is {have.get('Mode')} for {days} days; the baseline asks for {want.mode}, {want.days}"
        yield Note(Kind.STRICTER, bucket.title, text, permanent=True)
    if retention == {"Mode": have.get("Mode"), "Days": days}:
        return
    if mode == "COMPLIANCE":
        text = "Object Lock in COMPLIANCE mode can be shortened by nobody, AWS included"
        yield Note(Kind.WARNING, bucket.title, text)
    others = {name: each for name, each in have.items() if name not in _OURS}
    rule = {**rule, "DefaultRetention": {**others, **retention}}
    configuration = {**lock, "ObjectLockEnabled": "Enabled", "Rule": rule}
    call = bucket.put("put_object_lock_configuration", ObjectLockConfiguration=configuration)
    versioned = bucket.answer("get_bucket_versioning").get("Status") == "Enabled"
    if not (bucket.new or versioned or has_mfa_delete(bucket)):
        call = call.waiting(Wait("InvalidBucketState", "S3 to know that versioning is enabled", seconds=60))
    yield update(bucket.title, differences(have, retention), call)
