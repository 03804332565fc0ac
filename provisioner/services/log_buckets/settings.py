"""Compare and set each setting of a log bucket. Where a bucket is stricter than the baseline, it stays so.

What the file leaves out has a safe default in a new bucket. In one that exists it stays, with a warning if it is not safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...compare.stricter import ranked
from ...model import Call, Change, Changes, Kind, Note, Part
from ...steps.settings import Guarded, Strictness, settings, to_api
from ...steps.tags import from_pairs, tags, to_pairs
from .access_logging import access_logging
from .acl import make_private, read_acl
from .encryption import encryption
from .lifecycle import lifecycle
from .mfa_delete import refuse_under_mfa_delete
from .object_lock import object_lock
from .policy import bucket_policy
from .replication import replication
from .section import PublicAccessBlock
from .state import Bucket, left_out

Setting = Callable[[Bucket], Changes]

# From the weakest to the strictest.
_OWNERSHIP = Guarded(
    ranked("ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"),
    "loosen-ownership",
    "ACLs count again",
)


def bucket_settings(bucket: Bucket) -> Changes:
    """Bring every setting to the baseline. The policy is last: a Deny in it may lock the operator out."""
    for setting in (
        _public_access,
        _part("object ownership", _ownership),
        _part("encryption", encryption),
        _part("versioning", _versioning),
        object_lock,
        _tags,
        _part("the lifecycle", lifecycle),
        _part("access logging", access_logging),
        _part("replication", replication),
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
        yield left_out(bucket, "public_access_block", f"{', '.join(off)} off, so that it may be made public")
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
            "put_bucket_ownership_controls",
            OwnershipControls={"Rules": [{**rules[0], "ObjectOwnership": rule}]},
        )

    for item in _setting(bucket, "ObjectOwnership", have, want, put, _OWNERSHIP):
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
            yield left_out(bucket, "versioning", text)
        return
    if want == "Suspended" and have == "Enabled" and bucket.have("get_object_lock_configuration"):
        text = "Versioning is Enabled, and Object Lock keeps it so; the baseline asks for Suspended"
        yield Note(Kind.STRICTER, bucket.title, text, permanent=True)
        return

    def put(status: str) -> Call:
        return bucket.put("put_bucket_versioning", VersioningConfiguration={"Status": status})

    loses = "a log file that is overwritten or deleted is gone"
    guarded = Guarded(lambda have, want: want == "Suspended", "suspend-versioning", loses)
    found = _setting(bucket, "Versioning", have, want, put, guarded)
    yield from refuse_under_mfa_delete(
        bucket, found, "versioning is set by the root user with an MFA code only"
    )


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


def _tags(bucket: Bucket) -> Changes:
    if not bucket.want.tags:
        return

    def put(every: dict[str, str]) -> Call:
        # PutBucketTagging replaces all tags, so those of others, AWS's too, are written again.
        return bucket.put("put_bucket_tagging", Tagging={"TagSet": to_pairs(every)})

    have = from_pairs(bucket.have("get_bucket_tagging"))
    yield from tags(bucket.title, have, bucket.want.tags, put, whole=True)
