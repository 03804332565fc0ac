"""Read what a log bucket has, and write to it. A malformed answer from S3 raises an error; it is not "nothing is set"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ...aws import Aws, Incomplete, Reading
from ...model import Call, Kind, Note, Wait
from ...steps.delivery import Grants
from ...steps.existing import Look
from .names import LOG_DELIVERY
from .section import LogBucket


class Answer(NamedTuple):
    """How S3 answers a read: *key* has the setting; the error code *absent* means that nothing is set."""

    absent: str
    key: str


# By operation; None where the whole answer is the setting. `NoSuchBucket` does not mean that nothing is set.
# GetBucketVersioning answers `{}` where versioning was never enabled, GetBucketLogging where it is off.
READS = {
    "head_bucket": None,
    "get_public_access_block": Answer(
        "NoSuchPublicAccessBlockConfiguration", "PublicAccessBlockConfiguration"
    ),
    "get_bucket_ownership_controls": Answer("OwnershipControlsNotFoundError", "OwnershipControls"),
    "get_bucket_encryption": Answer(
        "ServerSideEncryptionConfigurationNotFoundError", "ServerSideEncryptionConfiguration"
    ),
    "get_bucket_versioning": None,
    "get_object_lock_configuration": Answer(
        "ObjectLockConfigurationNotFoundError", "ObjectLockConfiguration"
    ),
    "get_bucket_tagging": Answer("NoSuchTagSet", "TagSet"),
    "get_bucket_lifecycle_configuration": Answer("NoSuchLifecycleConfiguration", "Rules"),
    "get_bucket_logging": None,
    "get_bucket_replication": Answer("ReplicationConfigurationNotFoundError", "ReplicationConfiguration"),
    "get_bucket_policy": Answer("NoSuchBucketPolicy", "Policy"),
}
# Settings whose PUT replaces what others wrote. They are read again after CreateBucket, because in us-east-1 that
# succeeds for a bucket that somebody in this account has just made and configured. AWS sets the other settings of a
# new bucket by itself, with a delay, so they are not read again.
REPLACED = (
    "get_object_lock_configuration",
    "get_bucket_tagging",
    "get_bucket_lifecycle_configuration",
    "get_bucket_logging",
    "get_bucket_policy",
)
PROPAGATION = 120.0  # seconds until a new bucket, or a new principal in a policy, is known everywhere


def start_reads(aws: Aws, want: LogBucket) -> dict[str, Reading]:
    """Start every read that the bucket needs, at the same time; settings that the file leaves out are not read."""
    stated = {
        "get_object_lock_configuration": want.concerns_object_lock,
        "get_bucket_tagging": bool(want.tags),
        "get_bucket_lifecycle_configuration": want.has_lifecycle,
        "get_bucket_logging": want.logging is not None,
    }
    return _start(aws, want, [name for name in READS if stated.get(name, True)])


def _start(aws: Aws, want: LogBucket, names: Sequence[str]) -> dict[str, Reading]:
    read = aws.read("s3")
    return {name: getattr(read, name)(Bucket=want.name, ExpectedBucketOwner=aws.account) for name in names}


@dataclass(frozen=True)
class Bucket:
    """One bucket of the file: *want*, the *grants* that services need, and its *reads* by operation.

    *log_target* is the name of the bucket into which its access is logged, and *foreign_target* a read of that bucket
    where the file has none of the name.
    """

    aws: Aws
    want: LogBucket
    grants: Grants
    reads: Mapping[str, Reading]
    key: Look | None = None  # the one that the file names
    principals: Sequence[Look] = ()  # the roles and users that the file's own statements name
    log_target: str = ""
    foreign_target: Reading | None = None
    new: bool = False

    def created(self) -> Bucket:
        """The bucket after CreateBucket, with new reads of what the next PUTs replace."""
        names = [name for name in self.reads if name in REPLACED]
        return replace(self, new=True, reads=_start(self.aws, self.want, names))

    @property
    def title(self) -> str:
        """The bucket's name in a plan."""
        return f"bucket {self.want.name}"

    @property
    def fresh(self) -> bool:
        """Whether this run has made the bucket, so that what the file leaves out gets our defaults."""
        return self.new or self.title in self.aws.created

    @property
    def receives_access_logs(self) -> bool:
        """Whether the file has access to other buckets logged into this one."""
        return any(LOG_DELIVERY in str(each.get("Principal")) for each in self.grants.statements)

    def answer(self, operation: str) -> Mapping[str, Any]:
        """The whole answer to a read; empty where nothing is set, or the bucket is new.

        Raises Incomplete where S3 answers with neither a value nor the error code for none.
        """
        if self.new and operation not in REPLACED:
            return {}
        reading, expected = self.reads[operation], READS[operation]
        unknown_yet = ("NoSuchBucket",) if self.new else ()
        if expected is not None:
            value = reading.value(expected.key, expected.absent, *unknown_yet)
            if value is None:
                return {}
            # botocore returns `{}` or "" for an empty body; only the list of tags may be empty.
            if not value and expected.key != "TagSet":
                raise Incomplete(
                    f"AWS answered {operation} with an empty `{expected.key}`, as a broken connection would; run again"
                )
        whole: Mapping[str, Any] = reading.found(*unknown_yet) or {}
        return whole

    def have(self, operation: str) -> Any:
        """The setting in the answer to a read; None where nothing is set."""
        expected = READS[operation]
        return self.answer(operation).get(expected.key) if expected else None

    def put(self, operation: str, **params: Any) -> Call:
        """A write to this bucket, if it still belongs to this account. Waits while S3 does not know a new bucket."""
        write = getattr(self.aws.write("s3"), operation)
        call: Call = write(Bucket=self.want.name, ExpectedBucketOwner=self.aws.account, **params)
        read = operation.replace("put_", "get_")
        if not self.new or read in REPLACED:
            call = call.based_on(self.reads.get(read))
        until = f"S3 to know the new {self.title} everywhere"
        return call.waiting(Wait("NoSuchBucket", until, seconds=PROPAGATION))


def left_out(bucket: Bucket, field: str, text: str) -> Note:
    """A warning about a setting that the file leaves to AWS."""
    text = f"has {text}; the file leaves it so: set `{field}` in `log_buckets`"
    return Note(Kind.WARNING, bucket.title, text)
