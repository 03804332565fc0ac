"""The policy of a log bucket. Statements are ours by their Sid; those of others stay, unless they defeat ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...compare import policy
from ...compare.policy import Document, Statement
from ...compare.policy_dangers import Protected, dangers
from ...model import Call, Changes, Wait
from ...steps.delivery import SID_SUFFIX, Grants, with_earlier_regions, with_sources_in_use
from ...steps.organization import own_organization
from ...steps.other_accounts import told_accounts, with_other_accounts
from ...steps.principals import tell_missing, without_missing
from ...steps.registry import harmful_actions
from ...steps.statements import Danger, new_principals, statements
from .section import LogBuckets
from .state import PROPAGATION, Bucket

# What no other account may do with a log bucket.
_WRITES = (
    *("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"),
    *("s3:BypassGovernanceRetention", "s3:ReplicateDelete", "s3:DeleteBucket", "s3:PutBucketVersioning"),
    *("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketOwnershipControls"),
    *("s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration", "s3:PutEncryptionConfiguration"),
    *("s3:PutBucketLogging", "s3:PutReplicationConfiguration"),
)
_READS = ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket")  # what not everybody may do

harmful_actions(LogBuckets, *_WRITES)


def bucket_policy(bucket: Bucket) -> Changes:
    """Add or repair our statements; offer to remove those of others that stop deliveries or open the bucket."""
    aws, have = bucket.aws, bucket.have("get_bucket_policy")
    wide = with_other_accounts(aws, policy.statements(have), bucket.grants.statements)
    yield from told_accounts(bucket.title, bucket.grants.statements, wide)
    wide, missing = without_missing(wide, bucket.principals)
    own = with_what_is_in_use(have, replace(bucket.grants, statements=wide), bucket.want.name)

    def put(document: dict[str, Any]) -> Call:
        call = bucket.put("put_bucket_policy", Policy=policy.compact(document))
        if not new_principals(have, document):
            return call
        # S3 does not know a new role or user at once, and does not always say that this is what is wrong.
        until = "S3 to know the new principal of the bucket policy"
        return call.waiting(Wait("MalformedPolicy", until, seconds=PROPAGATION))

    def find_dangers(foreign: Sequence[Statement]) -> Iterable[Danger]:
        what = Protected(
            resource=policy.arn(aws.partition, "s3", "", "", bucket.want.name),
            account=aws.account,
            region=aws.region,
            friends={aws.central, aws.archive},
            headers=bucket.grants.headers,
            writes=_WRITES,
            reads=_READS,
            organization=lambda: own_organization(aws),
            partition=aws.partition,
        )
        return dangers(foreign, own, what)

    yield from statements(
        bucket.title,
        have,
        own,
        put,
        partition=aws.partition,
        most=policy.BUCKET_POLICY_BYTES,
        dangers=find_dangers,
        consent="remove-foreign-statement",
    )
    yield from tell_missing(bucket.title, missing)


def with_what_is_in_use(have: Document | None, grants: Grants, bucket: str) -> list[Statement]:
    """The statements that the bucket needs, with what still delivers under them now.

    A trail that the file has renamed, or that another file made, keeps its permission until it is gone: what follows
    may fail, and then it is the one that delivers. The path of an earlier prefix stays for good, as whether something
    delivers there cannot be known in all accounts; the statement's conditions hold there too.
    """
    found = {policy.sid_of(each): each for each in policy.statements(have)}
    return [_merged(found.get(each["Sid"]), each, grants, bucket) for each in grants.statements]


def _merged(have: Statement | None, want: Statement, grants: Grants, bucket: str) -> Statement:
    # What the file itself states is as it is there, no more.
    generated = str(want["Sid"]).endswith(SID_SUFFIX) and isinstance(want.get("Principal"), Mapping)
    if have is None or not generated or "Service" not in want["Principal"]:
        return want
    merged = with_earlier_regions(have, want)
    paths = policy.listed(want["Resource"])
    if earlier := [each for each in policy.listed(have.get("Resource")) if _is_earlier(each, paths)]:
        merged["Resource"] = [*paths, *earlier]
    return with_sources_in_use(have, merged, lambda arn: any(each(arn, bucket) for each in grants.in_use))


def _is_earlier(path: str, paths: Sequence[str]) -> bool:
    """Whether *path* differs from one of *paths* in the prefix only, and that is literal."""
    if path in paths:
        return False
    bucket, prefix, rest = _split(path)
    same = any((bucket, rest) == (other, below) for other, _, below in map(_split, paths))
    return same and not set(prefix) & set("*?$")


def _split(path: str) -> tuple[str, str, str]:
    """The bucket, the prefix, and what comes after it: `AWSLogs/` and the rest, or for all objects below it `*`."""
    bucket, _, below = path.partition("/")
    prefix, logs, rest = below.rpartition("AWSLogs/")
    if not logs and below.endswith("/*"):
        return bucket, below[:-1], "*"
    return bucket, prefix, logs + rest


def deny_insecure_transport(bucket_arn: str) -> list[Statement]:
    """Deny every request to the bucket without TLS."""
    return [
        {
            "Sid": "DenyInsecureTransport",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            # Text, because scanners do not accept a JSON boolean.
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
