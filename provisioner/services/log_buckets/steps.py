"""S3: the buckets that logs are delivered to, and who may write there.

What is delivered where is not said twice in the file: each service that delivers registers here (`@delivers`), and the
policy of a bucket is made from what its deliverers need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...aws import Aws, Reading
from ...aws.errors import ClientError, code_of
from ...baseline import Baseline
from ...compare import policy
from ...model import Change, Changes, Exists, Finding, Findings, Refused, Scope, create
from ...steps.delivery import DELIVERERS, MARK, all_statements
from ...steps.references import find
from ...steps.registry import hints, step, verify
from .policy import deny_insecure_transport
from .section import LogBucket, LogBuckets
from .settings import bucket_settings
from .state import Bucket, Statement, ask

hints(
    "s3",
    {
        "BucketAlreadyExists": "the name belongs to another account; bucket names are unique in the whole partition: choose another name",
        "MalformedPolicy": "AWS does not take the policy: does a principal in it exist, is every resource in this bucket",
        "PermanentRedirect": "the bucket is in another Region: set `home_region` to it, or choose another name",
        "301": "the bucket is in another Region: set `home_region` to it, or choose another name",
    },
)


@step("log_buckets", LogBuckets, Scope.ONCE, archive=True, clients=("s3",))
def ensure_log_buckets(aws: Aws, baseline: Baseline) -> Changes:
    """Make each log bucket, then bring its settings to the baseline."""
    wanted = baseline[LogBuckets].root
    asked = {key: _ask(aws, want) for key, want in wanted.items()}
    statements = _statements(aws, baseline)
    for key, want in wanted.items():
        bucket = Bucket(aws, want, statements[key], *asked[key])
        if read_bucket(bucket) is None:
            yield _make(bucket)
            bucket = bucket.made()
        else:
            yield Exists(bucket.title)
        yield from bucket_settings(bucket)


def _ask(aws: Aws, want: LogBucket) -> tuple[Reading, dict[str, Reading]]:
    """Begin every read that the wanted state needs, all at once: a bucket that is not there costs one round trip too."""
    head = aws.read("s3").head_bucket(Bucket=want.name, ExpectedBucketOwner=aws.account)
    return head, ask(aws, want)


def read_bucket(bucket: Bucket) -> dict[str, Any] | None:
    """What HeadBucket says, or None if there is no such bucket. Raises Refused for one that is not ours to use."""
    name, region = bucket.want.name, bucket.aws.region
    try:
        head = bucket.head.found("404", "NoSuchBucket")
    except ClientError as error:
        if code_of(error) in {"403", "AccessDenied"}:
            raise Refused(
                f"the bucket `{name}` exists, and account {bucket.aws.account} may not look at it: another account has the "
                "name (choose another), or the caller lacks `s3:ListBucket`"
            ) from error
        raise
    if head is not None and head.get("BucketRegion", region) != region:
        raise Refused(
            f"the bucket `{name}` is in {head['BucketRegion']}, and `home_region` is {region}: set `home_region` to the "
            "bucket's Region, or choose another name"
        )
    return dict(head) if head is not None else None


def _statements(aws: Aws, baseline: Baseline) -> dict[str, list[Statement]]:
    """The statements of ours that each bucket of the file must carry, by its key."""
    arns = {
        key: policy.arn(aws.partition, "s3", "", "", want.name)
        for key, want in baseline[LogBuckets].root.items()
    }
    needed: dict[str, list[Sequence[Statement]]] = {
        key: [deny_insecure_transport(arn)] for key, arn in arns.items()
    }
    for deliverer in DELIVERERS:
        for delivery in deliverer(aws, baseline):
            found = find(baseline, "bucket", delivery.bucket)
            if found is not None:
                needed[found.key].append(delivery.statements(arns[found.key]))
    return {
        key: [
            *({**each, "Sid": f"{each['Sid']}{MARK}"} for each in all_statements(*needed[key])),
            *want.policy_statements,
        ]
        for key, want in baseline[LogBuckets].root.items()
    }


def _make(bucket: Bucket) -> Change:
    want, region = bucket.want, bucket.aws.region
    params: dict[str, Any] = {"Bucket": want.name, "ObjectOwnership": want.object_ownership}
    if region != "us-east-1":  # the only Region that CreateBucket must not be told about
        params["CreateBucketConfiguration"] = {"LocationConstraint": region}
    if want.object_lock:
        params["ObjectLockEnabledForBucket"] = True
    call = bucket.aws.write("s3").create_bucket(**params).or_done("BucketAlreadyOwnedByYou")
    return create(bucket.title, {"Region": region, "ObjectOwnership": want.object_ownership}, call)


@verify("log_buckets")
def verify_log_buckets(aws: Aws, baseline: Baseline) -> Findings:
    """Each bucket is there, and this account's."""
    asked = {want.name: _ask(aws, want) for want in baseline[LogBuckets].root.values()}
    for want in baseline[LogBuckets].root.values():
        bucket = Bucket(aws, want, (), *asked[want.name])
        there = read_bucket(bucket) is not None
        yield Finding(
            bucket.title,
            "reachable",
            there,
            f"in {aws.region}, owned by {aws.account}" if there else "not there",
        )
