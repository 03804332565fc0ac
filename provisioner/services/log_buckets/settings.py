"""Compare and set each setting of a log bucket. Where a bucket is stricter than the baseline, it stays so.

What the file leaves out has a safe default in a new bucket. In one that exists it stays, with a warning if it is not safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...compare.values import differences
from ...model import Call, Change, Changes, Kind, Note, Part, Refused, Wait, update
from ...steps.existing import Existing
from ...steps.settings import Guarded, Strictness, settings, to_api
from ...steps.tags import from_pairs, tags, to_pairs
from .acl import make_private, read_acl
from .key import read_key
from .lifecycle import lifecycle
from .policy import bucket_policy
from .section import PublicAccessBlock
from .state import Bucket

Setting = Callable[[Bucket], Changes]

# From the weakest to the strictest.
_OWNERSHIP = ["ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"]
_ALGORITHMS = ["AES256", "aws:kms", "aws:kms:dsse"]


def bucket_settings(bucket: Bucket) -> Changes:
    """Bring every setting to the baseline. The policy is last: a Deny in it may lock the operator out."""
    for setting in (
        _public_access,
        _part("object ownership", _ownership),
        _part("encryption", _encryption),
        _versioning,
        _object_lock,
        _tags,
        lifecycle,
        bucket_policy,
    ):
        yield from setting(bucket)


def _part(what: str, setting: Setting) -> Setting:
    """The setting as a part of its own: where it cannot be read or set, the bucket's other settings still are."""

    def part(bucket: Bucket) -> Changes:
        yield Part(f"{what} of {bucket.title}", setting(bucket))

    return part


def _public_access(bucket: Bucket) -> Changes:
    have = bucket.have("get_public_access_block") or {}

    def put(flags: dict[str, Any]) -> Call:
        return bucket.put("put_public_access_block", PublicAccessBlockConfiguration=flags)

    every = to_api(bucket.want.public_access_block)
    want = to_api(bucket.want.public_access_block, defaults=bucket.fresh)
    have = {**dict.fromkeys(every, False), **have}  # a flag that the answer leaves out is off
    if off := [name for name in every if name not in want and not have[name]]:
        yield _left_out(bucket, "public_access_block", f"{', '.join(off)} off, so that it may be made public")
    strictness = Strictness.of(PublicAccessBlock, exact=bucket.want.exact)
    yield from settings(bucket.title, have, want, put, strictness, whole=True)


def _ownership(bucket: Bucket) -> Changes:
    if bucket.new:
        return  # CreateBucket has set it
    rules = (bucket.have("get_bucket_ownership_controls") or {}).get("Rules") or [{}]
    have, want = rules[0].get("ObjectOwnership"), bucket.want.object_ownership
    stays = "object_ownership" not in bucket.want.model_fields_set
    acl = read_acl(bucket) if have != "BucketOwnerEnforced" else None
    # Where ACLs may go on to count, those are told that let others in.
    if acl is not None and (acl.consent or (want == "BucketOwnerEnforced" and not stays)):
        yield from make_private(bucket, acl)
    if stays:
        return

    def put(rule: str) -> Call:
        return bucket.put(
            "put_bucket_ownership_controls", OwnershipControls={"Rules": [{"ObjectOwnership": rule}]}
        )

    def stricter(have: str | None, want: str) -> bool:
        return have in _OWNERSHIP and _OWNERSHIP.index(have) > _OWNERSHIP.index(want)

    guarded = Guarded(stricter, "loosen-ownership", "ACLs count again")
    for item in _setting(bucket, "ObjectOwnership", have, want, put, guarded):
        if isinstance(item, Change) and acl and acl.consent and want == "BucketOwnerEnforced":
            # S3 refuses it while the ACL is not private, so it waits for the same consent.
            yield replace(item, consent=acl.consent, loses=acl.loses)
        else:
            yield item


def _versioning(bucket: Bucket) -> Changes:
    have, want = bucket.answer("get_bucket_versioning").get("Status"), bucket.want.versioning.status
    if have is None and want == "Suspended":
        return
    stated = "status" in bucket.want.versioning.model_fields_set or bucket.want.object_lock  # which needs it
    if not bucket.fresh and not stated:
        if have != "Enabled":
            text = "no versioning, so that a log file that is overwritten or deleted is gone"
            yield _left_out(bucket, "versioning", text)
        return

    def put(status: str) -> Call:
        return bucket.put("put_bucket_versioning", VersioningConfiguration={"Status": status})

    loses = "a log file that is overwritten or deleted is gone"
    guarded = Guarded(lambda have, want: want == "Suspended", "suspend-versioning", loses)
    yield from _setting(bucket, "Versioning", have, want, put, guarded)


def _left_out(bucket: Bucket, field: str, text: str) -> Note:
    """A warning about a setting that the file leaves to AWS."""
    text = f"has {text}; the file leaves it so: set `{field}` in `log_buckets`"
    return Note(Kind.WARNING, bucket.title, text)


def _setting(
    bucket: Bucket, field: str, have: str | None, want: str, put: Callable[[str], Call], guarded: Guarded
) -> Changes:
    """Bring one setting that is a plain value to the baseline."""
    yield from settings(
        bucket.title,
        {field: have},
        {field: want},
        lambda changed: put(changed[field]),
        Strictness({field: guarded}, bucket.want.exact),
    )


def _encryption(bucket: Bucket) -> Changes:
    if key := read_key(bucket):
        if key.ok is False:
            raise Refused(key.text)
        if key.ok is None:
            yield Note(Kind.WARNING, bucket.title, key.text)
    yield from _default_encryption(bucket, key)


def _default_encryption(bucket: Bucket, named: Existing | None) -> Changes:
    section, rule = bucket.want.server_side_encryption, _encryption_rule(bucket)
    have = {**rule["ApplyServerSideEncryptionByDefault"], "BucketKeyEnabled": rule["BucketKeyEnabled"]}
    want: dict[str, Any] = {"SSEAlgorithm": section.sse_algorithm}
    if section.kms_master_key_id:
        answer = (named.answer if named else None) or {"Arn": section.kms_master_key_id}
        want["KMSMasterKeyID"] = answer["Arn"]
    algorithm, key = have["SSEAlgorithm"], have.get("KMSMasterKeyID")
    # Only aws:kms can use a bucket key.
    if section.sse_algorithm == "aws:kms" and (
        "bucket_key_enabled" in section.model_fields_set or algorithm != "aws:kms"
    ):
        want["BucketKeyEnabled"] = section.bucket_key_enabled
    stronger = algorithm in _ALGORITHMS[_ALGORITHMS.index(section.sse_algorithm) + 1 :]
    unusable = _why_unusable(bucket, key)
    text = f"encryption is {algorithm} with {key or 'the key aws/s3'}"
    stays = not bucket.fresh and "sse_algorithm" not in section.model_fields_set
    if stronger and unusable and stays:
        text = f"{algorithm} with {unusable}, so that nothing is delivered"
        yield _left_out(bucket, "server_side_encryption", text)
        return
    if stronger and unusable:
        text = f"{text}, {unusable}: nothing is delivered with it; it is replaced by {section.sse_algorithm}"
        yield Note(Kind.WARNING, bucket.title, text)
    elif stronger and (stays or not bucket.want.exact):
        stricter = f"{text}; the baseline asks for {section.sse_algorithm}"
        yield Note(Kind.STRICTER, bucket.title, stricter, permanent=stays)
        if not section.kms_master_key_id and not _is_known_key(bucket, key):
            text = (
                f"{text}, which is not known as a key of yours: its owner could lock the logs away; if it is yours, name "
                "it in `server_side_encryption`, else set `exact: true`"
            )
            yield Note(Kind.WARNING, bucket.title, text)
        # The stronger algorithm stays, with the key that the file names, if any.
        del want["SSEAlgorithm"]
        want.pop("BucketKeyEnabled", None)
    changed = differences(have, want)
    if not changed:
        return
    default = {"SSEAlgorithm": algorithm, **want}
    rule = {name: value for name, value in rule.items() if name != "BucketKeyEnabled"}
    if "BucketKeyEnabled" in default:
        rule["BucketKeyEnabled"] = default.pop("BucketKeyEnabled")
    rule["ApplyServerSideEncryptionByDefault"] = default
    call = bucket.put("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": [rule]})
    call = call.using(*(named.uses if named else ()))
    change = replace(update(bucket.title, changed, call), enables=bool(unusable))
    if stronger and not unusable and bucket.want.exact:
        change = replace(change, consent="weaken-encryption", loses="new logs get a weaker encryption")
    yield change


def _encryption_rule(bucket: Bucket) -> dict[str, Any]:
    """The rule of the bucket's default encryption. Every bucket, a new one too, has at least AES256."""
    rules = (bucket.have("get_bucket_encryption") or {}).get("Rules") or [{}]
    least = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    return {**least, **rules[0]}


def _why_unusable(bucket: Bucket, key: str | None) -> str:
    """Why log services certainly cannot use the key: AWS's own key, or one of another Region; else an empty text."""
    parts = (key or "").split(":")
    if key is None or "alias/aws/" in key:
        return "AWS's own key, which log services cannot use"
    if len(parts) > 5 and (parts[1], parts[3]) != (bucket.aws.partition, bucket.aws.region):
        return f"a key in {parts[3]}, which S3 cannot use in {bucket.aws.region}"
    return ""


def _is_known_key(bucket: Bucket, key: str | None) -> bool:
    """Whether the key is by its ARN one of an account that the run knows. An id alone means one of the writer's account."""
    aws, parts = bucket.aws, (key or "").split(":")
    return len(parts) > 5 and parts[4] in {aws.account, aws.central, aws.archive}


def _object_lock(bucket: Bucket) -> Changes:
    want = bucket.want.object_lock
    if want is None:
        return
    rule = (bucket.have("get_object_lock_configuration") or {}).get("Rule") or {}
    have = rule.get("DefaultRetention") or {}
    days = have.get("Days", 0) or 365 * have.get("Years", 0)
    # The stricter mode and the longer time: repairing one of them does not loosen the other.
    mode = "COMPLIANCE" if "COMPLIANCE" in {want.mode, have.get("Mode")} else want.mode
    retention = {"Mode": mode, "Days": max(want.days, days)}
    if retention != {"Mode": want.mode, "Days": want.days}:
        text = (
            f"Object Lock is {have['Mode']} for {days} days; the baseline asks for {want.mode}, {want.days}"
        )
        yield Note(Kind.STRICTER, bucket.title, text, permanent=True)
    if retention == {"Mode": have.get("Mode"), "Days": days}:
        return
    if mode == "COMPLIANCE":
        text = "Object Lock in COMPLIANCE mode can be shortened by nobody, AWS included"
        yield Note(Kind.WARNING, bucket.title, text)
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    call = bucket.put("put_object_lock_configuration", ObjectLockConfiguration=configuration)
    if not bucket.new and bucket.answer("get_bucket_versioning").get("Status") != "Enabled":
        call = call.waiting(Wait("InvalidBucketState", "S3 to know that versioning is enabled", seconds=60))
    yield update(bucket.title, differences(have, retention), call)


def _tags(bucket: Bucket) -> Changes:
    if not bucket.want.tags:
        return

    def put(every: dict[str, str]) -> Call:
        # PutBucketTagging replaces all tags, so those of others, AWS's too, are written again.
        return bucket.put("put_bucket_tagging", Tagging={"TagSet": to_pairs(every)})

    have = from_pairs(bucket.have("get_bucket_tagging"))
    yield from tags(bucket.title, have, bucket.want.tags, put, whole=True)
