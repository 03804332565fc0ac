"""S3: the policy of a log bucket. Our statements are known by their Sids; those of others stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from ...compare import policy
from ...model import Changes, Difference, Kind, Note, Refused, Wait, update
from .state import SEEN, Bucket, Statement

_BIG = 18_000  # bytes of a policy from which the next statement may not fit into S3's 20 KB


def bucket_policy(bucket: Bucket) -> Changes:
    """The policy carries our statements, beside those of others."""
    have = bucket.have("get_bucket_policy")
    partition = bucket.aws.partition
    own = _lacking(have, bucket.statements, partition)
    # Only what is wanted now: a section that leaves the file takes no grant with it, as its trail may still deliver.
    owned = {each["Sid"] for each in bucket.statements}
    merged = policy.merge(have, own, owned=owned, partition=partition)
    if merged.foreign:
        names = ", ".join(str(each.get("Sid", "(no Sid)")) for each in merged.foreign)
        yield Note(Kind.FOREIGN, bucket.title, f"policy statements of others are kept: {names}")
    for gone in policy.orphans(policy.document(merged.foreign)):
        yield Note(
            Kind.WARNING,
            bucket.title,
            f"a policy statement of others names {gone}, a deleted role or user: its access is broken",
        )
    if not merged.changed:
        return
    size = policy.size(merged.document)
    if size > policy.BUCKET_POLICY_BYTES:
        raise Refused(
            f"the policy of {bucket.title} would have {size} bytes, S3 takes {policy.BUCKET_POLICY_BYTES}: remove statements nobody needs"
        )
    if size > _BIG:
        yield Note(
            Kind.WARNING, bucket.title, f"the policy has {size} of at most {policy.BUCKET_POLICY_BYTES} bytes"
        )
    changed = tuple(
        Difference(f"policy statement {sid}", before, after) for sid, before, after in merged.differences
    )
    call = bucket.put("put_bucket_policy", Policy=policy.compact(merged.document)).waiting(
        Wait(
            "MalformedPolicy", "S3 to know the new principal of the bucket policy", "Invalid principal", SEEN
        )
    )
    yield update(bucket.title, changed, call)


def _lacking(have: str | None, own: Sequence[Statement], partition: str) -> list[Statement]:
    """The statements of *own* that others have not already written under another Sid."""

    def meaning(statement: Statement) -> policy.Normal:
        return policy.normal(
            policy.document([{k: v for k, v in statement.items() if k != "Sid"}]), partition=partition
        )

    names = {each["Sid"] for each in own}
    there = policy.statements(have)
    foreign = {meaning(each) for each in there if each.get("Sid") not in names}
    present = {each.get("Sid") for each in there}
    return [each for each in own if each["Sid"] in present or meaning(each) not in foreign]


def deny_insecure_transport(bucket_arn: str) -> list[Statement]:
    """Nobody uses the bucket without TLS."""
    return [
        {
            "Sid": "DenyInsecureTransport",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            # Text: scanners do not take a JSON boolean for it.
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
