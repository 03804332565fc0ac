"""The section `log_buckets` of the YAML file. Fields are those of S3's API, in snake_case."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from ...baseline import Baseline, Contradiction, Control, InvalidValue, NotInFullProfile, Section
from ...baseline.partitions import region_of
from ...baseline.problem import Path
from ...baseline.section import AsWritten
from ...compare.spelling import CONTROL_TOWER
from ...compare.stricter import on
from ...steps.references import NAMED_BY_AWS, Refers, check_references, provides
from ...steps.registry import section
from ...steps.settings import Guarded, Settings
from ...steps.tags import Tags
from .lifecycle_section import LifecycleRule
from .logging_section import AccessLogging, logging_problems, target_name
from .names import NAME_PATTERN, RESERVED_ENDS, RESERVED_STARTS


class Versioning(Section):
    """Versioning keeps objects that are overwritten or deleted."""

    status: Literal["Enabled", "Suspended"] = Field(
        "Enabled", description="Suspended keeps existing versions and makes no new ones."
    )
    mfa_delete: Annotated[Literal["Enabled"] | None, NotInFullProfile("only the root user can set it")] = (
        Field(
            None,
            description="Versions are deleted by the root user with an MFA code only. That user alone can set it: `verify` "
            "fails, and tells how, until it is. S3 takes no `lifecycle_rules` with it.",
        )
    )


class Encryption(Section):
    """The encryption of objects that are written without stating one."""

    sse_algorithm: Literal["AES256", "aws:kms", "aws:kms:dsse"] = Field(
        "AES256", description="CIS asks for aws:kms."
    )
    kms_master_key_id: Annotated[
        str | None, Refers("key", NAMED_BY_AWS), NotInFullProfile("an alternative of AES256")
    ] = Field(
        None,
        pattern=r"^(arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+|[A-Za-z0-9_-]+)$",
        description="A key of the file, by its name there, or the full ARN of another. S3 looks an alias up in the account"
        " of the writer.",
        json_schema_extra={
            "want": "a key's name in the file, or the ARN of a KMS key, as an alias means another key in another account"
        },
    )
    bucket_key_enabled: bool = Field(
        True, description="Use one KMS request for many objects. Only with aws:kms."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.sse_algorithm == "AES256") != (self.kms_master_key_id is None):
            raise InvalidValue(
                "kms_master_key_id",
                "goes with `aws:kms`, and `aws:kms` with it, as log services cannot use AWS's own key: set both or neither",
            )
        return self


_BLOCK = Guarded(on, "open-public-access", "the bucket may be made public")


class PublicAccessBlock(Section):
    """Settings that keep the bucket from being public, by ACL or by policy."""

    block_public_acls: Annotated[bool, _BLOCK] = Field(
        True, description="Refuse ACLs that make something public."
    )
    ignore_public_acls: Annotated[bool, _BLOCK] = Field(True, description="Ignore public ACLs that exist.")
    block_public_policy: Annotated[bool, _BLOCK] = Field(
        True, description="Refuse a bucket policy that makes the bucket public."
    )
    restrict_public_buckets: Annotated[bool, _BLOCK] = Field(
        True, description="Restrict a public bucket to AWS services and this account."
    )


class ObjectLock(Section):
    """A time in which no object can be deleted. It can never be turned off; AWS Config cannot deliver with it."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"] = Field(description="COMPLIANCE binds even the root user.")
    days: int = Field(ge=1, le=36500, description="How long each object is kept; at most 100 years.")


class LogBucket(Settings):
    """One bucket for logs. What is left out is safe in a new bucket, and stays as it is in one that exists."""

    name: str = Field(
        min_length=3,
        max_length=63,
        pattern=f"^{NAME_PATTERN}$",
        description="Unique in the whole partition, so put `${account_id}` in it.",
        json_schema_extra={
            "want": "a bucket name: 3 to 63 lower-case letters, digits, and between them hyphens and single dots"
        },
    )
    versioning: Versioning = Field(default=Versioning(), description="Keep old versions.")
    server_side_encryption: Encryption = Field(default=Encryption(), description="Default encryption.")
    public_access_block: PublicAccessBlock = Field(
        default=PublicAccessBlock(), description="All four are on by default."
    )
    object_ownership: Literal["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] = Field(
        "BucketOwnerEnforced", description="BucketOwnerEnforced turns ACLs off."
    )
    lifecycle_rules: Annotated[list[LifecycleRule], Field(max_length=1000)] | None = Field(
        None, description="When logs are moved to cheaper storage or deleted. Not touched if left out."
    )
    transition_default_minimum_object_size: (
        Literal["all_storage_classes_128K", "varies_by_storage_class"] | None
    ) = Field(
        None,
        description="Which objects `lifecycle_rules` never move: with `all_storage_classes_128K` those under 128 KB, with "
        "`varies_by_storage_class` GLACIER and DEEP_ARCHIVE take these too, at a price for each. Not touched if left out.",
    )
    object_lock: ObjectLock | None = Field(None, description="Write once, read many.")
    logging: AccessLogging | None = Field(
        None, description="Log access to the bucket into another one. Not touched if left out."
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default
    policy_statements: Annotated[list[dict[str, Any]], AsWritten] = Field(
        default=[],
        description="Statements to add to the generated ones of the bucket policy, in AWS's spelling or in snake_case; "
        "each with a `Sid`.",
    )

    @property
    def has_lifecycle(self) -> bool:
        """The file says something about the lifecycle."""
        return self.lifecycle_rules is not None or self.transition_default_minimum_object_size is not None

    @property
    def concerns_object_lock(self) -> bool:
        """The file asks for Object Lock, or for what Object Lock does not allow."""
        return self.object_lock is not None or self.versioning.status == "Suspended"

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The `policy_statements` in AWS's spelling."""
        from ...compare.policy_spelling import to_aws_spelling  # rarely needed

        return [to_aws_spelling(each) for each in self.policy_statements]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problems := list(self._problems()):
            raise InvalidValue.several(problems)
        return self

    def _problems(self) -> Iterator[tuple[Path, str]]:
        parts = [f"start with `{start}`" for start in RESERVED_STARTS if self.name.startswith(start)]
        parts += [f"end with `{end}`" for end in RESERVED_ENDS if self.name.endswith(end)]
        yield from ((("name",), f"AWS reserves names that {part}: choose another") for part in parts)
        if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", self.name):
            yield ("name",), "want a bucket name, got an IP address"
        if self.name.startswith(CONTROL_TOWER):
            yield ("name",), "AWS Control Tower owns the buckets of that name: choose another"
        ids = [rule.id for rule in self.lifecycle_rules or []]
        for index, each in enumerate(ids):
            if each in ids[:index]:
                yield ("lifecycle_rules", index, "id"), f"want another id, an earlier rule has '{each}'"
        if self.object_lock and self.versioning.status != "Enabled":
            yield ("object_lock",), "needs `versioning: {status: Enabled}`"
        if self.has_lifecycle and self.versioning.mfa_delete:
            yield (
                ("versioning", "mfa_delete"),
                "S3 takes no lifecycle rules with it: leave out one of the two",
            )


@section("log_buckets")
class LogBuckets(Control):
    """The buckets that receive log files, each under a key of your choice."""

    once = True

    model_config = ConfigDict(extra="allow")  # any key, but only a LogBucket under it
    __pydantic_extra__: dict[str, LogBucket]

    @property
    def root(self) -> dict[str, LogBucket]:
        """The buckets by their key."""
        return self.__pydantic_extra__

    def log_target(self, bucket: LogBucket) -> str:
        """The name of the bucket into which access to *bucket* is logged; empty if it is not."""
        return target_name(self.root, bucket.logging)

    def controls(self) -> Iterator[tuple[str, Control]]:
        """Those of the buckets."""
        yield from ((f"bucket {each.name}", each) for each in self.root.values())

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Two buckets of one name, keys and access logging that do not work, and statements that AWS would refuse."""
        keys: dict[str, str] = {}
        for key, bucket in self.root.items():
            if bucket.name in keys:
                yield Contradiction(("log_buckets", key, "name"), f"is the name of `{keys[bucket.name]}` too")
            keys[bucket.name] = key
            yield from check_references(baseline, bucket, ("log_buckets", key))
            arn = f"arn:{baseline.partition}:s3:::{bucket.name}"
            for path, message in (
                *_key_problems(bucket, baseline),
                *logging_problems(bucket, self.root),
                *_statement_problems(bucket, arn, baseline.archive_account),
            ):
                yield Contradiction(("log_buckets", key, *path), message)


@provides("bucket", "log_buckets", archive=True)
def _buckets(baseline: Baseline) -> Mapping[str, LogBucket]:
    return baseline[LogBuckets].root if LogBuckets in baseline else {}


def _key_problems(bucket: LogBucket, baseline: Baseline) -> Iterator[tuple[Path, str]]:
    """A KMS key that S3 cannot use in the bucket. PutBucketEncryption takes it, and every delivery fails."""
    region = region_of(bucket.server_side_encryption.kms_master_key_id)
    home = baseline.general.home_region
    if region and region != home:
        text = (
            f"the key is in {region}, and the bucket in `home_region`, {home}: S3 uses keys of the bucket's own Region "
            "only"
        )
        yield ("server_side_encryption", "kms_master_key_id"), text


def _statement_problems(bucket: LogBucket, arn: str, account: str) -> Iterator[tuple[Path, str]]:
    """What AWS would refuse in the extra statements, or what would stop the log services."""
    if not bucket.policy_statements:
        return
    # Imported here because few files have such statements, and the imports take time.
    from ...compare.policy_check import problems
    from ...steps.delivery import SID_SUFFIX

    found = problems(bucket.policy_statements, bucket_arn=arn, account=account, reserved=SID_SUFFIX)
    yield from ((("policy_statements", *path), message) for path, message in found)
