"""The step `log_buckets`: make each bucket that receives log files, and bring its settings to the baseline.

Services that deliver logs register the bucket policy statements that they need with `@delivers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ...aws import Aws
from ...aws.errors import ClientError, code_of, why_denied
from ...baseline import Baseline
from ...compare import policy
from ...model import Change, Changes, Exists, Finding, Findings, Part, Refused, Scope, create
from ...steps.delivery import DELIVERERS, SID_SUFFIX, Delivery, Grants, all_statements
from ...steps.principals import look_at_principals, verify_principals
from ...steps.references import find
from ...steps.registry import consents, hints, step, verify
from .access_logging import look_at_foreign_target, look_at_target
from .key import look_at_keys, verify_key
from .mfa_delete import verify_mfa_delete
from .policy import deny_insecure_transport
from .section import LogBucket, LogBuckets
from .settings import bucket_settings
from .state import Bucket, start_reads

consents(
    "remove-foreign-lifecycle-rule",
    "remove-foreign-statement",
    "shorten-retention",
    "suspend-versioning",
    "weaken-encryption",
)
hints(
    "s3",
    {
        "BucketAlreadyExists": "the name belongs to another account; bucket names are unique in the whole partition: choose another name",
        "MalformedPolicy": "AWS does not take the policy: does a principal in it exist, is every resource in this bucket",
        "PermanentRedirect": "the bucket is in another Region: set `home_region` to it, or choose another name",
        "301": "the bucket is in another Region: set `home_region` to it, or choose another name",
    },
)


@step("log_buckets", LogBuckets, Scope.ONCE, archive=True, clients=("s3",), refers_to=("key",))
def ensure_log_buckets(aws: Aws, baseline: Baseline) -> Changes:
    """Make each log bucket that is missing, and bring the settings of all to the baseline."""
    section = baseline[LogBuckets]
    reads = {key: start_reads(aws, want) for key, want in section.root.items()}
    looks = look_at_keys(aws, baseline)
    foreign = {key: look_at_foreign_target(aws, section, want) for key, want in section.root.items()}
    principals = {key: look_at_principals(aws, want.statements) for key, want in section.root.items()}
    grants = _grants(aws, baseline)
    targets = {section.log_target(want) for want in section.root.values()}
    # S3 logs into a bucket only if that is there, and its policy allows it.
    for key, want in sorted(section.root.items(), key=lambda item: item[1].name not in targets):
        target = section.log_target(want), foreign[key]
        bucket = Bucket(aws, want, grants[key], reads[key], looks.get(key), principals[key], *target)
        yield Part(bucket.title, _ensure_bucket(bucket))


def _ensure_bucket(bucket: Bucket) -> Changes:
    if read_bucket(bucket) is None:
        yield _create(bucket)
        bucket = bucket.created()
    else:
        yield Exists(bucket.title)
    yield from bucket_settings(bucket)


def read_bucket(bucket: Bucket) -> dict[str, Any] | None:
    """The answer of HeadBucket, or None if there is no such bucket.

    Raises Refused where the bucket is not in `home_region`, or this account may not look at it.
    """
    name, region = bucket.want.name, bucket.aws.region
    try:
        head = bucket.reads["head_bucket"].found("404", "NoSuchBucket")
    except ClientError as error:
        if code_of(error) in {"403", "AccessDenied"}:
            raise Refused(
                f"the bucket `{name}` exists, and account {bucket.aws.account} may not look at it: {_why(error)}"
            ) from error
        raise
    if head is not None and head.get("BucketRegion", region) != region:
        raise Refused(
            f"the bucket `{name}` is in {head['BucketRegion']}, and `home_region` is {region}: set `home_region` to the "
            "bucket's Region, or choose another name"
        )
    return dict(head) if head is not None else None


def _why(error: ClientError) -> str:
    """Why the account may not look at a bucket, as far as AWS says; a policy comes before the owner."""
    why = why_denied(error)
    if "explicit deny" in why:
        return f"{why} keeps the caller from `s3:ListBucket`: except the caller there, as the account's root user if it must be"
    if why:
        return f"{why} lets the caller `s3:ListBucket`: add it"
    return (
        "an explicit Deny in a policy (the bucket's, the organization's, an endpoint's) keeps the caller from"
        " `s3:ListBucket`, it lacks `s3:ListBucket`, or another account has the name (choose another)"
    )


def _grants(aws: Aws, baseline: Baseline) -> dict[str, Grants]:
    """What the services that deliver need of each bucket, by its key."""
    buckets = baseline[LogBuckets].root
    deliveries: dict[str, list[Delivery]] = {key: [] for key in buckets}
    for deliverer in DELIVERERS:
        for delivery in deliverer(aws, baseline):
            found = find(baseline, "bucket", delivery.bucket)
            if found is not None:
                deliveries[found.key].append(delivery)
    in_use = [each.in_use for several in deliveries.values() for each in several]
    return {key: _grants_of(aws, want, deliveries[key], in_use) for key, want in buckets.items()}


def _grants_of(
    aws: Aws,
    want: LogBucket,
    deliveries: Sequence[Delivery],
    in_use: Sequence[Callable[[str, str], bool]],
) -> Grants:
    arn = policy.arn(aws.partition, "s3", "", "", want.name)
    needed = [(each, each.statements(arn)) for each in deliveries]
    generated = all_statements(deny_insecure_transport(arn), *(found for _, found in needed))
    headers = {
        service: each.headers
        for each, found in needed
        for statement in found
        for service in policy.listed(statement["Principal"].get("Service"))
    }
    marked = [{**each, "Sid": f"{each['Sid']}{SID_SUFFIX}"} for each in generated]
    return Grants([*marked, *want.statements], headers, in_use)


def _create(bucket: Bucket) -> Change:
    want, region = bucket.want, bucket.aws.region
    params: dict[str, Any] = {"Bucket": want.name, "ObjectOwnership": want.object_ownership}
    if region != "us-east-1":  # CreateBucket refuses this Region as a LocationConstraint
        params["CreateBucketConfiguration"] = {"LocationConstraint": region}
    if want.object_lock:
        params["ObjectLockEnabledForBucket"] = True
    call = bucket.aws.write("s3").create_bucket(**params).or_done("BucketAlreadyOwnedByYou")
    made = create(bucket.title, {"Region": region, "ObjectOwnership": want.object_ownership}, call)
    return replace(made, enables=True)


@verify("log_buckets")
def verify_log_buckets(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether each bucket exists, belongs to this account, and can be used as the file says."""
    section, looks = baseline[LogBuckets], look_at_keys(aws, baseline)
    reads = {key: start_reads(aws, want) for key, want in section.root.items()}
    buckets = [
        Bucket(
            *(aws, want, Grants(), reads[key], looks.get(key)),
            *(look_at_principals(aws, want.statements), section.log_target(want)),
        )
        for key, want in section.root.items()
    ]
    for bucket, find_logging in [(each, look_at_target(each)) for each in buckets]:
        exists = read_bucket(bucket) is not None
        detail = f"in {aws.region}, owned by {aws.account}" if exists else "not there"
        yield Finding(bucket.title, "reachable", exists, detail)
        yield from verify_key(bucket)
        yield from verify_principals(bucket.title, bucket.principals)
        if exists:
            yield from find_logging()
            yield from verify_mfa_delete(bucket)
