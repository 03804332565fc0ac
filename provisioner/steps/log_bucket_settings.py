"""S3: each setting of a log bucket, compared and set. Where a bucket is already stricter, it stays so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import policy
from ..aws import Aws, Reading
from ..diff import differences, tags
from ..lifecycle import merge_rules
from ..model import Call, Change, Changes, Difference, Kind, Note, Refused, Wait, update
from ..stricter import on, weigh
from .log_bucket_section import LogBucket

Statement = Mapping[str, Any]

# The answers that mean "nothing set", by read; `NoSuchBucket` is none of them.
ABSENT = {
    "get_public_access_block": "NoSuchPublicAccessBlockConfiguration",
    "get_bucket_ownership_controls": "OwnershipControlsNotFoundError",
    "get_bucket_encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "get_bucket_versioning": "",
    "get_object_lock_configuration": "ObjectLockConfigurationNotFoundError",
    "get_bucket_tagging": "NoSuchTagSet",
    "get_bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration",
    "get_bucket_policy": "NoSuchBucketPolicy",
}
_SEEN = 120.0  # seconds until a new bucket, or a new principal in a policy, is known everywhere
_OPEN = {"ObjectWriter": 0, "BucketOwnerPreferred": 1, "BucketOwnerEnforced": 2}
_CIPHER = {"AES256": 0, "aws:kms": 1, "aws:kms:dsse": 2}
_BIG = 18_000  # bytes of a policy from which the next statement may not fit into S3's 20 KB


@dataclass(frozen=True)
class Bucket:
    """One bucket of the file: its wanted state, and the questions about it that are on their way."""

    aws: Aws
    want: LogBucket
    statements: Sequence[Statement]
    head: Reading
    settings: Mapping[str, Reading]
    new: bool = False

    @property
    def title(self) -> str:
        """What the bucket is called in a plan."""
        return f"bucket {self.want.name}"

    @property
    def owned(self) -> dict[str, str]:
        """The bucket, and that it must be ours: a stranger may have taken the name of one that was deleted."""
        return {"Bucket": self.want.name, "ExpectedBucketOwner": self.aws.account}

    def have(self, setting: str) -> Mapping[str, Any]:
        """AWS's answer about *setting*; empty where nothing is set, or the bucket is not there yet."""
        return {} if self.new else self.settings[setting].found(ABSENT[setting]) or {}

    def put(self, operation: str, **params: Any) -> Call:
        """A request about this bucket, that waits until a new one is known everywhere."""
        call: Call = getattr(self.aws.write("s3"), operation)(**self.owned, **params)
        made = Wait("NoSuchBucket", f"S3 to know the new {self.title} everywhere", seconds=_SEEN)
        return call.waiting(made) if self.new else call

    def stricter(self, what: str) -> Note:
        """What AWS has beyond the baseline, and keeps."""
        return Note(Kind.STRICTER, self.title, what)


def settings(bucket: Bucket) -> Changes:
    """Every setting is as the file says. The policy comes last: a Deny in it may lock the operator out."""
    for setting in (
        _public_access,
        _ownership,
        _encryption,
        _versioning,
        _object_lock,
        _tags,
        _lifecycle,
        _policy,
    ):
        yield from setting(bucket)


def _public_access(bucket: Bucket) -> Changes:
    have = bucket.have("get_public_access_block").get("PublicAccessBlockConfiguration") or {}
    section = bucket.want.public_access_block
    want = {
        "BlockPublicAcls": section.block_public_acls,
        "IgnorePublicAcls": section.ignore_public_acls,
        "BlockPublicPolicy": section.block_public_policy,
        "RestrictPublicBuckets": section.restrict_public_buckets,
    }
    weighed = weigh(have, want, dict.fromkeys(want, on), exact=bucket.want.exact)
    if weighed.kept:
        yield bucket.stricter(f"{', '.join(weighed.kept)} {'is' if len(weighed.kept) == 1 else 'are'} on")
    changed = tuple(d for d in weighed.differences if d.want or d.have)
    if changed:
        # Flags that a request leaves out become false.
        full = {**want, **dict.fromkeys(weighed.kept, True)}
        call = bucket.put("put_public_access_block", PublicAccessBlockConfiguration=full)
        yield _loosening(
            update(bucket.title, changed, call),
            "open-public-access" if any(d.have is True for d in changed) else None,
            "the bucket may be made public",
        )


def _ownership(bucket: Bucket) -> Changes:
    want = bucket.want.object_ownership
    if bucket.new:
        return  # CreateBucket said it
    rules = bucket.have("get_bucket_ownership_controls").get("OwnershipControls", {}).get("Rules") or [{}]
    have = rules[0].get("ObjectOwnership")
    if have == want:
        return
    weaker = _OPEN[want] < _OPEN.get(have or "ObjectWriter", 0)
    if weaker and not bucket.want.exact:
        yield bucket.stricter(f"ObjectOwnership is {have}; the baseline asks for {want}")
        return
    call = bucket.put(
        "put_bucket_ownership_controls", OwnershipControls={"Rules": [{"ObjectOwnership": want}]}
    )
    changed = update(bucket.title, (Difference("ObjectOwnership", have, want),), call)
    yield _loosening(changed, "loosen-ownership" if weaker else None, "ACLs count again")


def _encryption(bucket: Bucket) -> Changes:
    section = bucket.want.server_side_encryption
    have = _cipher(bucket)
    want: dict[str, Any] = {"SSEAlgorithm": section.sse_algorithm}
    if section.kms_master_key_id:
        want |= {"KMSMasterKeyID": section.kms_master_key_id, "BucketKeyEnabled": section.bucket_key_enabled}
    changed = differences(have, want)
    if not changed:
        return
    rank = _CIPHER.get(have.get("SSEAlgorithm", "AES256"), 0)
    same_key = section.kms_master_key_id in {None, have.get("KMSMasterKeyID")}
    weaker = rank > _CIPHER[section.sse_algorithm] and same_key
    if weaker and not bucket.want.exact:
        key = f" with {have['KMSMasterKeyID']}" if have.get("KMSMasterKeyID") else ""
        yield bucket.stricter(
            f"encryption is {have['SSEAlgorithm']}{key}; the baseline asks for {section.sse_algorithm}"
        )
        return
    default = {k: v for k, v in want.items() if k != "BucketKeyEnabled"}
    rule: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": default}
    if "BucketKeyEnabled" in want:
        rule["BucketKeyEnabled"] = want["BucketKeyEnabled"]
    call = bucket.put("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": [rule]})
    yield _loosening(
        update(bucket.title, changed, call),
        "weaken-encryption" if weaker else None,
        "new logs get a weaker encryption",
    )


def _cipher(bucket: Bucket) -> dict[str, Any]:
    """The bucket's default encryption as one flat mapping. Every bucket has at least AES256, a new one too."""
    rules = bucket.have("get_bucket_encryption").get("ServerSideEncryptionConfiguration", {}).get(
        "Rules"
    ) or [{}]
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {"SSEAlgorithm": "AES256"}
    return {**default, "BucketKeyEnabled": rules[0].get("BucketKeyEnabled", False)}


def _versioning(bucket: Bucket) -> Changes:
    have, want = bucket.have("get_bucket_versioning").get("Status"), bucket.want.versioning.status
    if have == want or (have is None and want == "Suspended"):
        return
    if want == "Suspended" and not bucket.want.exact:
        yield bucket.stricter("versioning is Enabled; the baseline asks for Suspended")
        return
    call = bucket.put("put_bucket_versioning", VersioningConfiguration={"Status": want})
    yield _loosening(
        update(bucket.title, (Difference("Versioning", have, want),), call),
        "suspend-versioning" if want == "Suspended" else None,
        "a log file that is overwritten or deleted is gone",
    )


def _object_lock(bucket: Bucket) -> Changes:
    want = bucket.want.object_lock
    if want is None:
        return
    rule = bucket.have("get_object_lock_configuration").get("ObjectLockConfiguration", {}).get("Rule", {})
    have = rule.get("DefaultRetention") or {}
    days = have.get("Days", 0) or 365 * have.get("Years", 0)
    stricter = have.get("Mode") in {want.mode, "COMPLIANCE"} and days >= want.days
    if stricter:
        if (have.get("Mode"), days) != (want.mode, want.days):
            yield bucket.stricter(
                f"Object Lock is {have['Mode']} for {days} days; the baseline asks for {want.mode}, {want.days}"
            )
        return
    retention = {"Mode": want.mode, "Days": max(want.days, days)}
    wanted = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    if want.mode == "COMPLIANCE":
        yield Note(
            Kind.WARNING,
            bucket.title,
            "Object Lock in COMPLIANCE mode can be shortened by nobody, AWS included",
        )
    call = bucket.put("put_object_lock_configuration", ObjectLockConfiguration=wanted)
    yield update(bucket.title, differences(have, retention), call)


def _tags(bucket: Bucket) -> Changes:
    if not bucket.want.tags:
        return
    # PutBucketTagging replaces all tags, so those of others, AWS's too, go back with ours.
    have = bucket.have("get_bucket_tagging").get("TagSet") or []
    compared = tags(have, bucket.want.tags)
    if compared.foreign:
        yield Note(Kind.FOREIGN, bucket.title, f"tags of others are kept: {', '.join(compared.foreign)}")
    if compared.missing:
        there = {tag["Key"]: tag["Value"] for tag in have}
        changed = tuple(Difference(f"tag {k}", there.get(k), v) for k, v in compared.missing.items())
        yield update(
            bucket.title, changed, bucket.put("put_bucket_tagging", Tagging={"TagSet": compared.document})
        )


def _lifecycle(bucket: Bucket) -> Changes:
    if bucket.want.lifecycle_rules is None:
        return
    answer = bucket.have("get_bucket_lifecycle_configuration")
    there = {rule.get("ID"): rule for rule in answer.get("Rules", [])}
    own = []
    for rule in (each.to_api() for each in bucket.want.lifecycle_rules):
        have = there.get(rule["ID"])
        kept = _longer(have, rule) if have and not bucket.want.exact else None
        if kept:
            yield bucket.stricter(f"lifecycle rule {rule['ID']} keeps logs longer: {kept}")
        own.append(_with_expiration(rule, have) if kept else rule)
    merged = merge_rules(answer.get("Rules", []), own, owned={rule["ID"] for rule in own})
    if merged.foreign:
        names = ", ".join(str(rule.get("ID", "(no id)")) for rule in merged.foreign)
        yield Note(Kind.FOREIGN, bucket.title, f"lifecycle rules of others are kept: {names}")
    if not merged.changed:
        return
    call = bucket.put(
        "put_bucket_lifecycle_configuration", LifecycleConfiguration=merged.document, **_smallest(answer)
    )
    changed = tuple(
        Difference(f"lifecycle rule {name}", have, want) for name, have, want in merged.differences
    )
    shorter = any(d.have and d.want and _longer(d.have, d.want) for d in changed)
    yield _loosening(
        update(bucket.title, changed, call),
        "shorten-retention" if shorter else None,
        "logs are deleted sooner than now",
    )


def _smallest(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a PUT must send back as read: left out, an old configuration would silently get the new default."""
    key = "TransitionDefaultMinimumObjectSize"
    return {key: answer[key]} if key in answer else {}


def _longer(have: Mapping[str, Any], want: Mapping[str, Any]) -> str:
    """How *have* keeps objects longer than *want*, in words; empty where it does not. A disabled rule is no rule."""
    if have.get("Status") != "Enabled":
        return ""
    days, asked = have.get("Expiration", {}).get("Days"), want.get("Expiration", {}).get("Days")
    if asked is None or "Date" in have.get("Expiration", {}) or (days is not None and days <= asked):
        return ""
    return f"{days} days instead of {asked}" if days else f"for ever instead of {asked} days"


def _with_expiration(rule: dict[str, Any], have: Mapping[str, Any] | None) -> dict[str, Any]:
    """The wanted rule, but with the longer time that AWS has."""
    rest = {k: v for k, v in rule.items() if k != "Expiration"}
    return {**rest, "Expiration": have["Expiration"]} if have and "Expiration" in have else rest


def _policy(bucket: Bucket) -> Changes:
    have = bucket.have("get_bucket_policy").get("Policy")
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
            "MalformedPolicy", "S3 to know the new principal of the bucket policy", "Invalid principal", _SEEN
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


def _loosening(change: Change, consent: str | None, loses: str) -> Change:
    """The change, marked as one that needs the flag *consent* where it loosens."""
    if consent is None:
        return change
    return Change(change.resource, change.differences, change.call, change.action, consent, loses)
