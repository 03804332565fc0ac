"""S3: each setting of a log bucket, compared and set. Where a bucket is already stricter, it stays so."""

from __future__ import annotations

import re
from typing import Any

from ...compare import policy
from ...compare.stricter import on, weigh
from ...compare.values import differences, tags
from ...model import Changes, Difference, Kind, Note, update
from .lifecycle import lifecycle
from .policy import bucket_policy
from .state import Bucket, loosening

_OPEN = {"ObjectWriter": 0, "BucketOwnerPreferred": 1, "BucketOwnerEnforced": 2}
_CIPHER = {"AES256": 0, "aws:kms": 1, "aws:kms:dsse": 2}


def settings(bucket: Bucket) -> Changes:
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
    section = bucket.want.public_access_block
    want = {
        "BlockPublicAcls": section.block_public_acls,
        "IgnorePublicAcls": section.ignore_public_acls,
        "BlockPublicPolicy": section.block_public_policy,
        "RestrictPublicBuckets": section.restrict_public_buckets,
    }
    weighed = weigh(have, want, dict.fromkeys(want, on), exact=bucket.want.exact)
    if weighed.kept:
        yield bucket.stricter(f"{', '.join(weighed.kept)} {'is' if len(weighed.kept) == 1 else 'are'} on")
    changed = tuple(d for d in weighed.differences if d.want or d.have)
    if changed:
        # Flags that a request leaves out become false.
        full = {**want, **dict.fromkeys(weighed.kept, True)}
        call = bucket.put("put_public_access_block", PublicAccessBlockConfiguration=full)
        yield loosening(
            update(bucket.title, changed, call),
            "open-public-access" if any(d.have is True for d in changed) else None,
            "the bucket may be made public",
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
    # PutBucketTagging replaces all tags, so those of others, AWS's too, go back with ours.
    have = bucket.have("get_bucket_tagging") or []
    compared = tags(have, bucket.want.tags)
    if compared.foreign:
        yield Note(Kind.FOREIGN, bucket.title, f"tags of others are kept: {', '.join(compared.foreign)}")
    if compared.missing:
        there = {tag["Key"]: tag["Value"] for tag in have}
        changed = tuple(Difference(f"tag {k}", there.get(k), v) for k, v in compared.missing.items())
        yield update(
            bucket.title, changed, bucket.put("put_bucket_tagging", Tagging={"TagSet": compared.document})
        )
