"""The YAML section `log_buckets`: what a bucket for logs can be told to be. Fields are S3's, in snake_case."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from ...baseline import Baseline, Contradiction, Section, Wrong
from ...compare.spelling import CONTROL_TOWER
from ...compare.stricter import on
from ...steps.references import provides
from ...steps.registry import section
from ...steps.settings import Guarded, Settings
from ...steps.tags import Tags

_STORAGE = Literal[
    "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"
]
_FROM_DAY_30 = {"STANDARD_IA", "ONEZONE_IA"}


class Versioning(Section):
    """An overwritten or deleted object stays readable."""

    status: Literal["Enabled", "Suspended"] = Field(
        "Enabled", description="Suspended keeps only what is there already."
    )


class Encryption(Section):
    """How S3 encrypts what is delivered without its own word on it."""

    sse_algorithm: Literal["AES256", "aws:kms", "aws:kms:dsse"] = Field(
        "AES256", description="CIS asks for aws:kms."
    )
    kms_master_key_id: str | None = Field(
        None,
        pattern=r"^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$",
        description="The key's full ARN. An alias would be looked up in the account of whoever writes.",
        json_schema_extra={"want": "the ARN of a KMS key, as an alias means another key in another account"},
    )
    bucket_key_enabled: bool = Field(True, description="One KMS request for many objects. Only with aws:kms.")

    @model_validator(mode="after")
    def _key_and_algorithm(self) -> Self:
        if (self.sse_algorithm == "AES256") != (self.kms_master_key_id is None):
            raise Wrong(
                "kms_master_key_id",
                "goes with `aws:kms`, and `aws:kms` with it: AWS's own key cannot be used by log services",
            )
        return self


_BLOCK = Guarded(on, "open-public-access", "the bucket may be made public")


class PublicAccessBlock(Section):
    """Nobody makes the bucket public, by ACL or by policy."""

    block_public_acls: Annotated[bool, _BLOCK] = Field(
        True, description="Refuse ACLs that make something public."
    )
    ignore_public_acls: Annotated[bool, _BLOCK] = Field(True, description="Ignore such ACLs that are there.")
    block_public_policy: Annotated[bool, _BLOCK] = Field(
        True, description="Refuse a bucket policy that makes it public."
    )
    restrict_public_buckets: Annotated[bool, _BLOCK] = Field(
        True, description="Let only AWS services and this account in, if it is public."
    )


class Transition(Section):
    """Objects move to a cheaper class."""

    days: int = Field(ge=0, description="Days after they were made.")
    storage_class: _STORAGE


class NoncurrentTransition(Section):
    """Old versions move to a cheaper class."""

    noncurrent_days: int = Field(ge=0, description="Days after a newer version came.")
    storage_class: _STORAGE


class Expiration(Section):
    """Objects are deleted."""

    days: int = Field(ge=1, description="Days after they were made.")


class NoncurrentExpiration(Section):
    """Old versions are deleted."""

    noncurrent_days: int = Field(ge=1, description="Days after a newer version came.")


class AbortUpload(Section):
    """Uploads that were never finished are deleted."""

    days_after_initiation: int = Field(ge=1, description="Days after they were begun.")


class LifecycleRule(Section):
    """What becomes of objects as they grow old. Rules of others, under other ids, stay."""

    id: str = Field(min_length=1, max_length=255, description="Its name; a rule of this id is ours.")
    prefix: str = Field("", description="Only objects whose key begins so. All, where left out.")
    transitions: list[Transition] = Field(default=[], description="To cheaper classes; at most one for each.")
    expiration: Expiration | None = Field(
        None, description="When objects are deleted. Never, where left out."
    )
    noncurrent_version_transitions: list[NoncurrentTransition] = Field(
        default=[], description="For old versions."
    )
    noncurrent_version_expiration: NoncurrentExpiration | None = Field(None, description="For old versions.")
    abort_incomplete_multipart_upload: AbortUpload | None = Field(
        None, description="They are billed and not seen."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        wrong = [
            *_too_early("transitions", "days", [(t.days, t.storage_class) for t in self.transitions]),
            *_too_early(
                "noncurrent_version_transitions",
                "noncurrent_days",
                [(t.noncurrent_days, t.storage_class) for t in self.noncurrent_version_transitions],
            ),
        ]
        last = max((t.days for t in self.transitions), default=-1)
        if self.expiration and self.expiration.days <= last:
            wrong.append(
                (
                    ("expiration", "days"),
                    f"want more than the {last} days of the last transition, got {self.expiration.days}",
                )
            )
        old = max((t.noncurrent_days for t in self.noncurrent_version_transitions), default=-1)
        gone = self.noncurrent_version_expiration
        if gone and gone.noncurrent_days <= old:
            wrong.append(
                (
                    ("noncurrent_version_expiration", "noncurrent_days"),
                    f"want more than the {old} days of the last transition, got {gone.noncurrent_days}",
                )
            )
        if not any(
            (
                self.transitions,
                self.expiration,
                self.noncurrent_version_transitions,
                gone,
                self.abort_incomplete_multipart_upload,
            )
        ):
            wrong.append((("id",), "the rule does nothing: give it `transitions` or `expiration`"))
        if wrong:
            raise Wrong.several(wrong)
        return self

    def to_api(self) -> dict[str, Any]:
        """The rule as PutBucketLifecycleConfiguration takes it."""
        rule: dict[str, Any] = {"ID": self.id, "Status": "Enabled", "Filter": {"Prefix": self.prefix}}
        if self.transitions:
            rule["Transitions"] = [
                {"Days": t.days, "StorageClass": t.storage_class} for t in self.transitions
            ]
        if self.expiration:
            rule["Expiration"] = {"Days": self.expiration.days}
        if self.noncurrent_version_transitions:
            rule["NoncurrentVersionTransitions"] = [
                {"NoncurrentDays": t.noncurrent_days, "StorageClass": t.storage_class}
                for t in self.noncurrent_version_transitions
            ]
        if self.noncurrent_version_expiration:
            rule["NoncurrentVersionExpiration"] = {
                "NoncurrentDays": self.noncurrent_version_expiration.noncurrent_days
            }
        if self.abort_incomplete_multipart_upload:
            days = self.abort_incomplete_multipart_upload.days_after_initiation
            rule["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
        return rule


class ObjectLock(Section):
    """Nobody deletes an object before its time. It can never be turned off again; not for AWS Config."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"] = Field(description="COMPLIANCE binds even the root user.")
    days: int = Field(ge=1, description="How long each object is kept.")


class LogBucket(Settings):
    """One bucket for logs. What is left out gets the safe value."""

    name: str = Field(
        min_length=3,
        max_length=63,
        pattern=r"^[a-z0-9][a-z0-9-]*[a-z0-9]$",
        description="Unique in the whole partition, so put `${account_id}` in it.",
        json_schema_extra={"want": "a bucket name: 3 to 63 lower-case letters, digits and inner hyphens"},
    )
    versioning: Versioning = Field(default=Versioning(), description="Keep old versions.")
    server_side_encryption: Encryption = Field(default=Encryption(), description="Default encryption.")
    public_access_block: PublicAccessBlock = Field(
        default=PublicAccessBlock(), description="All four by default."
    )
    object_ownership: Literal["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] = Field(
        "BucketOwnerEnforced", description="BucketOwnerEnforced turns ACLs off."
    )
    lifecycle_rules: list[LifecycleRule] | None = Field(
        None, description="What becomes of old logs. Not touched, where left out."
    )
    object_lock: ObjectLock | None = Field(None, description="Write once, read many.")
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default
    policy_statements: list[dict[str, Any]] = Field(
        default=[],
        description="Statements for the bucket policy beside the generated ones; each with a `Sid`.",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        wrong: list[tuple[Any, str]] = []
        if re.search(r"^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3)$", self.name):
            wrong.append(("name", "AWS keeps this beginning or end of a name for itself"))
        if self.name.startswith(CONTROL_TOWER):
            wrong.append(("name", "AWS Control Tower owns the buckets of that name: choose another"))
        ids = [rule.id for rule in self.lifecycle_rules or []]
        wrong += [
            (("lifecycle_rules", i, "id"), f"want another id, an earlier rule has '{each}'")
            for i, each in enumerate(ids)
            if each in ids[:i]
        ]
        if self.object_lock and self.versioning.status != "Enabled":
            wrong.append(("object_lock", "needs `versioning: {status: Enabled}`"))
        wrong += [
            (("policy_statements", i), "want a `Sid`, by which the statement is known as ours")
            for i, s in enumerate(self.policy_statements)
            if not s.get("Sid")
        ]
        if wrong:
            raise Wrong.several(wrong)
        return self


@section("log_buckets")
class LogBuckets(Section):
    """The buckets that logs are delivered to, each under a key of your choice."""

    once = True

    model_config = ConfigDict(extra="allow")  # any key, but only a LogBucket under it
    __pydantic_extra__: dict[str, LogBucket]

    @property
    def root(self) -> dict[str, LogBucket]:
        """The buckets by their key."""
        return self.__pydantic_extra__

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Two buckets of one name, and extra statements that AWS would refuse."""
        names: dict[str, str] = {}
        for key, bucket in self.root.items():
            if bucket.name in names:
                yield Contradiction(
                    ("log_buckets", key, "name"), f"is the name of `{names[bucket.name]}` too"
                )
            names[bucket.name] = key
            if bucket.policy_statements:
                for message in _refused(bucket, baseline.partition):
                    yield Contradiction(("log_buckets", key, "policy_statements"), message)


@provides("bucket", "log_buckets", archive=True)
def _buckets(baseline: Baseline) -> Mapping[str, LogBucket]:
    return baseline[LogBuckets].root if LogBuckets in baseline else {}


def _refused(bucket: LogBucket, partition: str) -> Iterator[str]:
    """What AWS would refuse about the extra statements."""
    from ...compare.policy import (
        document,  # few files have such statements, and only those need to know policies
    )
    from ...compare.policy_check import check
    from ...steps.delivery import MARK

    arn = f"arn:{partition}:s3:::{bucket.name}"
    yield from check(document(bucket.policy_statements), bucket_arn=arn, reserved=MARK)


def _too_early(
    field: str, days: str, given: list[tuple[int, str]]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    seen: set[str] = set()
    for index, (day, storage) in enumerate(given):
        if storage in _FROM_DAY_30 and day < 30:
            yield (field, index, days), f"want 30 or more for {storage}, got {day}"
        if storage in seen:
            yield (field, index, "storage_class"), f"want each class once, got {storage} again"
        seen.add(storage)
