"""S3: what a log bucket has now. An answer that AWS should not give proves nothing, least of all that nothing is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ...aws import Aws, Incomplete, Reading
from ...model import Call, Change, Kind, Note, Wait
from .section import LogBucket

Statement = Mapping[str, Any]


class Promise(NamedTuple):
    """What AWS answers about one setting: *key* where something is set, the error *absent* where nothing is."""

    absent: str
    key: str


# By read. `NoSuchBucket` is none of the absences. GetBucketVersioning answers `{}` where it was never on.
READS = {
    "get_public_access_block": Promise(
        "NoSuchPublicAccessBlockConfiguration", "PublicAccessBlockConfiguration"
    ),
    "get_bucket_ownership_controls": Promise("OwnershipControlsNotFoundError", "OwnershipControls"),
    "get_bucket_encryption": Promise(
        "ServerSideEncryptionConfigurationNotFoundError", "ServerSideEncryptionConfiguration"
    ),
    "get_bucket_versioning": None,
    "get_object_lock_configuration": Promise(
        "ObjectLockConfigurationNotFoundError", "ObjectLockConfiguration"
    ),
    "get_bucket_tagging": Promise("NoSuchTagSet", "TagSet"),
    "get_bucket_lifecycle_configuration": Promise("NoSuchLifecycleConfiguration", "Rules"),
    "get_bucket_policy": Promise("NoSuchBucketPolicy", "Policy"),
}
# Whose PUT replaces what others wrote. A new bucket has none of it, so these can be asked again after the create: in
# us-east-1 CreateBucket says 200 for a bucket that somebody of this account has just made and filled. The others AWS
# sets by itself, at a time of its own.
REPLACED = (
    "get_object_lock_configuration",
    "get_bucket_tagging",
    "get_bucket_lifecycle_configuration",
    "get_bucket_policy",
)
SEEN = 120.0  # seconds until a new bucket, or a new principal in a policy, is known everywhere


def ask(aws: Aws, want: LogBucket) -> dict[str, Reading]:
    """Begin every read of a setting that the wanted state needs, all at once."""
    stated = {
        "get_object_lock_configuration": want.object_lock is not None,
        "get_bucket_tagging": bool(want.tags),
        "get_bucket_lifecycle_configuration": want.lifecycle_rules is not None,
    }
    return _asked(aws, want, [name for name in READS if stated.get(name, True)])


def _asked(aws: Aws, want: LogBucket, names: Sequence[str]) -> dict[str, Reading]:
    read = aws.read("s3")
    return {name: getattr(read, name)(Bucket=want.name, ExpectedBucketOwner=aws.account) for name in names}


@dataclass(frozen=True)
class Bucket:
    """One bucket of the file: its wanted state, and the questions about it that are on their way."""

    aws: Aws
    want: LogBucket
    statements: Sequence[Statement]
    head: Reading
    settings: Mapping[str, Reading]
    new: bool = False

    def made(self) -> Bucket:
        """The same bucket after its create. What the next PUTs replace is asked anew; in a rehearsal, remembered."""
        names = [name for name in self.settings if name in REPLACED]
        return replace(self, new=True, settings=_asked(self.aws, self.want, names))

    @property
    def title(self) -> str:
        """What the bucket is called in a plan."""
        return f"bucket {self.want.name}"

    @property
    def owned(self) -> dict[str, str]:
        """The bucket, and that it must be ours: a stranger may have taken the name of one that was deleted."""
        return {"Bucket": self.want.name, "ExpectedBucketOwner": self.aws.account}

    def answer(self, setting: str) -> Mapping[str, Any]:
        """AWS's whole answer about *setting*; empty where nothing is set, or the bucket is not there yet.

        Raises Incomplete where AWS answers with neither a value nor an absence.
        """
        if self.new and setting not in REPLACED:
            return {}
        reading, promise = self.settings[setting], READS[setting]
        if promise is not None:
            value = reading.value(promise.key, promise.absent, *(("NoSuchBucket",) if self.new else ()))
            if value is None:
                return {}
            # botocore makes `{}` and "" of an empty body; only tags can really be none.
            if not value and promise.key != "TagSet":
                raise Incomplete(
                    f"AWS answered {setting} with an empty `{promise.key}`, as a broken connection would; run again"
                )
        whole: Mapping[str, Any] = reading.all()
        return whole

    def have(self, setting: str) -> Any:
        """What is set, under the key that AWS promises for *setting*; None where nothing is."""
        promise = READS[setting]
        return self.answer(setting).get(promise.key) if promise else None

    def put(self, operation: str, **params: Any) -> Call:
        """A request about this bucket. HeadBucket or CreateBucket has said that it is there: that it is not is waited out."""
        call: Call = getattr(self.aws.write("s3"), operation)(**self.owned, **params)
        return call.waiting(Wait("NoSuchBucket", f"S3 to know the new {self.title} everywhere", seconds=SEEN))

    def stricter(self, what: str) -> Note:
        """What AWS has beyond the baseline, and keeps."""
        return Note(Kind.STRICTER, self.title, what)

    def warning(self, what: str) -> Note:
        """What the reader of a plan should not overlook."""
        return Note(Kind.WARNING, self.title, what)


def loosening(change: Change, consent: str | None, loses: str) -> Change:
    """The change, marked as one that needs the flag *consent* where it loosens."""
    return change if consent is None else replace(change, consent=consent, loses=loses)
