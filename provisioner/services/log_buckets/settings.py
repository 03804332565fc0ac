"""S3: each setting of a log bucket, compared and set. Where a bucket is already stricter, it stays so."""

from __future__ import annotations

import re
from typing import Any

from ...compare import policy
from ...compare.values import differences
from ...model import Call, Changes, Difference, update
from ...steps.settings import Strictness, settings, to_api
from ...steps.tags import from_pairs, tags, to_pairs
from .lifecycle import lifecycle
from .policy import bucket_policy
from .section import PublicAccessBlock
from .state import Bucket, loosening

_OPEN = {"ObjectWriter": 0, "BucketOwnerPreferred": 1, "BucketOwnerEnforced": 2}
_CIPHER = {"AES256": 0, "aws:kms": 1, "aws:kms:dsse": 2}


def bucket_settings(bucket: Bucket) -> Changes:
    """Every setting is as the file says. The policy comes last: a Deny in it may lock the operator out."""
    for setting in (
        _public_access,
        _ownership,
        _encryption,
        _versioning,
        _object_lock,
        _tags,
        lifecycle,
        bucket_policy,
    ):
        yield from setting(bucket)


def _public_access(bucket: Bucket) -> Changes:
    have = bucket.have("get_public_access_block") or {}

    def put(full: dict[str, Any]) -> Call:
        return bucket.put("put_public_access_block", PublicAccessBlockConfiguration=full)

    want = to_api(bucket.want.public_access_block)
    off = dict.fromkeys(want, False)  # what a flag is that the answer leaves out
    yield from settings(
        bucket.title,
        {**off, **have},
        want,
        put,
        Strictness.of(PublicAccessBlock, exact=bucket.want.exact),
        whole=True,
    )


def _ownership(bucket: Bucket) -> Changes:
    want = bucket.want.object_ownership
    if bucket.new:
        return  # CreateBucket said it
    rules = (bucket.have("get_bucket_ownership_controls") or {}).get("Rules") or [{}]
    have = rules[0].get("ObjectOwnership")
    if have == want:
        return
    weaker = _OPEN[want] < _OPEN.get(have or "ObjectWriter", 0)
    if weaker and not bucket.want.exact:
        yield bucket.stricter(f"ObjectOwnership is {have}; the baseline asks for {want}")
        return
    call = bucket.put(
        "put_bucket_ownership_controls", OwnershipControls={"Rules": [{"ObjectOwnership": want}]}
    )
    changed = update(bucket.title, (Difference("ObjectOwnership", have, want),), call)
    yield loosening(changed, "loosen-ownership" if weaker else None, "ACLs count again")


def _encryption(bucket: Bucket) -> Changes:
    section, rule = bucket.want.server_side_encryption, _encryption_rule(bucket)
    have = {**rule["ApplyServerSideEncryptionByDefault"], "BucketKeyEnabled": rule["BucketKeyEnabled"]}
    want: dict[str, Any] = {"SSEAlgorithm": section.sse_algorithm}
    if section.kms_master_key_id:
        want["KMSMasterKeyID"] = section.kms_master_key_id
    if section.sse_algorithm == "aws:kms":  # the only one that can use a bucket key
        want["BucketKeyEnabled"] = section.bucket_key_enabled
    stronger = _CIPHER.get(have["SSEAlgorithm"], 0) > _CIPHER[section.sse_algorithm]
    usable = _usable(bucket, have.get("KMSMasterKeyID"))
    named = f"encryption is {have['SSEAlgorithm']} with {have.get('KMSMasterKeyID') or 'the key aws/s3'}"
    if stronger and usable and not bucket.want.exact:
        yield bucket.stricter(f"{named}; the baseline asks for {section.sse_algorithm}")
        # The stronger cipher stays; where the file names a key, it is that one's.
        del want["SSEAlgorithm"]
        want.pop("BucketKeyEnabled", None)
    elif stronger and not usable:
        yield bucket.warning(
            f"{named}, not known as a key of this account in {bucket.aws.region}: log services may be unable to use it, "
            f"and its owner could lock the logs away; it gives way to {section.sse_algorithm}"
        )
    changed = differences(have, want)
    if not changed:
        return
    default = {"SSEAlgorithm": have["SSEAlgorithm"], **want}
    others = {k: v for k, v in rule.items() if k != "BucketKeyEnabled"}
    if (key := default.pop("BucketKeyEnabled", None)) is not None:
        others["BucketKeyEnabled"] = key
    wanted = {**others, "ApplyServerSideEncryptionByDefault": default}
    call = bucket.put("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": [wanted]})
    yield loosening(
        update(bucket.title, changed, call),
        "weaken-encryption" if stronger and usable and bucket.want.exact else None,
        "new logs get a weaker encryption",
    )


def _encryption_rule(bucket: Bucket) -> dict[str, Any]:
    """The bucket's default encryption, with what else is in its rule. Every bucket has at least AES256, a new one too."""
    rules = (bucket.have("get_bucket_encryption") or {}).get("Rules") or [{}]
    least = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    return {**least, **rules[0]}


def _usable(bucket: Bucket, key: str | None) -> bool:
    """The key is certainly one of this account's own, in the bucket's Region.

    An id or a bare alias is another key in another account, and log services may not use those that AWS keeps.
    """
    own = re.escape(policy.arn(bucket.aws.partition, "kms", bucket.aws.region, bucket.aws.account, ""))
    return re.fullmatch(own + r"(key/.+|alias/(?!aws/).+)", key or "") is not None


def _versioning(bucket: Bucket) -> Changes:
    have, want = bucket.answer("get_bucket_versioning").get("Status"), bucket.want.versioning.status
    if have == want or (have is None and want == "Suspended"):
        return
    if want == "Suspended" and not bucket.want.exact:
        yield bucket.stricter("versioning is Enabled; the baseline asks for Suspended")
        return
    call = bucket.put("put_bucket_versioning", VersioningConfiguration={"Status": want})
    yield loosening(
        update(bucket.title, (Difference("Versioning", have, want),), call),
        "suspend-versioning" if want == "Suspended" else None,
        "a log file that is overwritten or deleted is gone",
    )


def _object_lock(bucket: Bucket) -> Changes:
    want = bucket.want.object_lock
    if want is None:
        return
    rule = (bucket.have("get_object_lock_configuration") or {}).get("Rule") or {}
    have = rule.get("DefaultRetention") or {}
    days = have.get("Days", 0) or 365 * have.get("Years", 0)
    # The stricter of each: a mode is never let down to lengthen the time, nor the time cut to raise the mode.
    mode = "COMPLIANCE" if "COMPLIANCE" in {want.mode, have.get("Mode")} else want.mode
    retention = {"Mode": mode, "Days": max(want.days, days)}
    if retention != {"Mode": want.mode, "Days": want.days}:
        yield bucket.stricter(
            f"Object Lock is {have['Mode']} for {days} days; the baseline asks for {want.mode}, {want.days}"
        )
    if retention == {"Mode": have.get("Mode"), "Days": days}:
        return
    wanted = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    if mode == "COMPLIANCE":
        yield bucket.warning("Object Lock in COMPLIANCE mode can be shortened by nobody, AWS included")
    call = bucket.put("put_object_lock_configuration", ObjectLockConfiguration=wanted)
    yield update(bucket.title, differences(have, retention), call)


def _tags(bucket: Bucket) -> Changes:
    if not bucket.want.tags:
        return

    def put(every: dict[str, str]) -> Call:
        """PutBucketTagging replaces all tags, so those of others, AWS's too, go back with ours."""
        return bucket.put("put_bucket_tagging", Tagging={"TagSet": to_pairs(every)})

    have = from_pairs(bucket.have("get_bucket_tagging"))
    yield from tags(bucket.title, have, bucket.want.tags, put, whole=True)
