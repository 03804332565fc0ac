"""Access logging of a log bucket into another one, and the statement by which S3 may write there.

Source: "Enabling Amazon S3 server access logging" in the S3 User Guide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare.policy import Statement, arn
from ...model import Call, Changes, Finding, Findings, Refused, Wait
from ...steps.delivery import Delivery, allow_service, delivers, one_or_list
from ...steps.references import resource_key
from ...steps.registry import hints
from ...steps.settings import Strictness, settings
from .names import BUCKET_NAME, LOG_DELIVERY
from .section import LogBucket, LogBuckets
from .state import Bucket

_GRANTED: Final = Wait(
    "InvalidTargetBucketForLogging", "the policy of the access-log bucket to take effect", seconds=60
)

hints(
    "s3",
    {
        "InvalidTargetBucketForLogging": "the bucket that `logging.target_bucket` names must be in this account, without "
        f"a default retention of Object Lock, and its policy must allow `{LOG_DELIVERY}` `s3:PutObject`; "
        "that of a bucket in `log_buckets` is made to",
        "CrossLocationLoggingProhibited": "the bucket that `logging.target_bucket` names is in another Region: "
        "S3 logs access within one Region only",
    },
)


@delivers
def access_log_deliveries(aws: Aws, baseline: Baseline) -> Iterator[Delivery]:
    """S3 writes the access logs of some log buckets into others."""
    if LogBuckets not in baseline:
        return
    section, sources = baseline[LogBuckets], defaultdict[str, list[str]](list)
    for each in section.root.values():
        if target := section.log_target(each):
            sources[target].append(arn(aws.partition, "s3", "", "", each.name))
    for target, arns in sources.items():
        statements = partial(access_log_delivery, sources=arns, account=aws.account)
        yield Delivery("s3", target, statements, in_use=partial(_logs_to, aws))


def access_log_delivery(bucket_arn: str, sources: Sequence[str], account: str) -> list[Statement]:
    """The statement that lets S3 write the access logs of the buckets *sources*, below every prefix.

    Without a prefix in it, no log is refused while the prefix changes.
    """
    only = {"aws:SourceAccount": account, "aws:SourceArn": one_or_list(sources, "bucket")}
    return [allow_service("S3ServerAccessLogs", LOG_DELIVERY, "s3:PutObject", f"{bucket_arn}/*", only)]


def _logs_to(aws: Aws, source: str, bucket: str) -> bool:
    """Whether access to the bucket with the ARN *source* is logged into *bucket*."""
    _, _, service, _, _, name = (*source.split(":", 5), *[""] * 6)[:6]
    if service != "s3" or not BUCKET_NAME.fullmatch(name):
        return False
    reading = aws.read("s3").get_bucket_logging(Bucket=name, ExpectedBucketOwner=aws.account)
    answer = reading.found("NoSuchBucket")
    return bool(answer) and (answer.get("LoggingEnabled") or {}).get("TargetBucket") == bucket


def access_logging(bucket: Bucket) -> Changes:
    """Log access to the bucket as the file says; what else the configuration has stays, such as the format of keys."""
    if bucket.want.logging is None:
        return
    _refuse_missing_target(bucket)
    have = dict(bucket.answer("get_bucket_logging").get("LoggingEnabled") or {})
    prefix = bucket.want.logging.target_prefix
    if prefix is None and not have:
        prefix = f"{bucket.want.name}/"
    want = {"TargetBucket": bucket.log_target, **({} if prefix is None else {"TargetPrefix": prefix})}

    def put(full: Mapping[str, Any]) -> Call:
        moved = full.get("TargetBucket") != have.get("TargetBucket")
        # Grants were given for the earlier bucket, and S3 takes none for one without ACLs.
        kept = {name: each for name, each in full.items() if not (moved and name == "TargetGrants")}
        status = {"LoggingEnabled": kept} if kept else {}
        call = bucket.put("put_bucket_logging", BucketLoggingStatus=status)
        return call.waiting(_GRANTED).using(resource_key("bucket", bucket.log_target))

    yield from settings(bucket.title, have, want, put, Strictness({}, bucket.want.exact), whole=True)


def look_at_foreign_target(aws: Aws, section: LogBuckets, want: LogBucket) -> Reading | None:
    """Start to read the bucket that gets the access logs, where the file has none of that name; so none may be there."""
    name = section.log_target(want)
    if not name or any(each.name == name for each in section.root.values()):
        return None
    return aws.read("s3").head_bucket(Bucket=name, ExpectedBucketOwner=aws.account)


def _refuse_missing_target(bucket: Bucket) -> None:
    """Raise Refused if there is no bucket that could get the access logs."""
    if bucket.foreign_target is None:
        return
    name, head = bucket.log_target, bucket.foreign_target.found("404", "NoSuchBucket")
    if head is None:
        raise Refused(f"the bucket `{name}` does not exist: make it, or correct `logging.target_bucket`")
    if (region := head.get("BucketRegion", bucket.aws.region)) != bucket.aws.region:
        raise Refused(
            f"the bucket `{name}` is in {region}: S3 logs access within one Region only, name another"
        )


def look_at_target(bucket: Bucket) -> Callable[[], Findings]:
    """Start to look at the bucket that gets the access logs; return a function that finds whether S3 can write there."""
    if bucket.want.logging is None:
        return lambda: iter(())
    target, read = bucket.log_target, bucket.aws.read("s3")
    asked = {"Bucket": target, "ExpectedBucketOwner": bucket.aws.account}
    lock, logging = read.get_object_lock_configuration(**asked), read.get_bucket_logging(**asked)

    def find() -> Findings:
        have = bucket.answer("get_bucket_logging").get("LoggingEnabled") or {}
        locked = lock.found("ObjectLockConfigurationNotFoundError", "NoSuchBucket") or {}
        found = logging.found("NoSuchBucket")
        further = (found or {}).get("LoggingEnabled") or {}
        ok, detail = False, f"into {target}, below {have.get('TargetPrefix') or 'no prefix'}"
        if have.get("TargetBucket") != target:
            detail = f"into {have['TargetBucket']}" if have else "off"
        elif found is None:
            detail += ", which does not exist: make it, or name another"
        elif ((locked.get("ObjectLockConfiguration") or {}).get("Rule") or {}).get("DefaultRetention"):
            detail += ", whose Object Lock has a default retention, so that S3 cannot write there: end it"
        elif further.get("TargetBucket") in {target, bucket.want.name}:
            detail += (
                f", which is logged into {further['TargetBucket']} itself, without an end: turn that off"
            )
        else:
            ok = True
        yield Finding(bucket.title, "access logging", ok, detail)

    return find
