"""Ways to break a log bucket by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore import xform_name

from ....sandbox.drift import (
    Administrator,
    Break,
    breaks,
    breaks_of,
    create_delivery_bucket,
    read_or_none,
)
from ..names import LOG_DELIVERY

STRANGER = "999999999999"
_OURS = "Provision"  # the end of the Sids of generated statements


@breaks("log_buckets")
def bucket_breaks(admin: Administrator) -> Iterator[Break]:
    """Break each setting of each bucket and each statement of its policy, and delete the bucket."""
    s3 = admin.client("s3")
    for each in s3.list_buckets()["Buckets"]:
        bucket = _Bucket(s3, each["Name"])
        yield from bucket.public_access()
        yield from bucket.replication()  # which needs versions, of which there may be none after the next
        yield from bucket.object_lock()
        yield from bucket.encryption()
        yield from bucket.lifecycle()
        yield from bucket.tags()
        yield from bucket.access_logging(admin)
        yield from bucket.policy()
        yield bucket.broken("", "deleted", "", s3.delete_bucket)


class _Bucket:
    def __init__(self, s3: Any, name: str):
        self.s3, self.name, self.what = s3, name, f"bucket {name}"

    def broken(self, field: str, sentence: str, asked: str, call: Any, **params: Any) -> Break:
        """A break whose sentence ends with the bucket, and whose call takes it."""
        sentence = f"{sentence} {self.what}"
        return breaks_of(self.what)(field, sentence, call, asked, Bucket=self.name, **params)

    def read(self, operation: str, absent: str) -> Any:
        """The answer of an operation, or None for the *absent* error code."""
        return read_or_none(getattr(self.s3, operation), absent, Bucket=self.name)

    def public_access(self) -> Iterator[Break]:
        found = self.read("get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
        if found is None:
            return
        have, put = found["PublicAccessBlockConfiguration"], self.s3.put_public_access_block
        for field in (field for field in have if have[field]):
            asked = f"*.public_access_block.{xform_name(field)}"
            block = {"PublicAccessBlockConfiguration": {**have, field: False}}
            yield self.broken(field, f"turned off {field} of", asked, put, **block)
        text, asked = "removed the public access block of", "*.public_access_block"
        yield self.broken("", text, asked, self.s3.delete_public_access_block)

    def object_lock(self) -> Iterator[Break]:
        s3 = self.s3
        lock = self.read("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError")
        if lock is None:
            if s3.get_bucket_versioning(Bucket=self.name).get("Status") == "Enabled":
                text, asked = "suspended versioning of", "*.versioning.status"
                off = {"VersioningConfiguration": {"Status": "Suspended"}}
                yield self.broken("Versioning", text, asked, s3.put_bucket_versioning, **off)
            return
        if not lock["ObjectLockConfiguration"].get("Rule"):
            return

        def retention(field: str, sentence: str, *, stricter: bool = False, **period: int) -> Break:
            rule = {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", **period}}} if period else {}
            lock = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **rule}}
            put = s3.put_object_lock_configuration
            return self.broken(field, sentence, "*.object_lock.*", put, stricter=stricter, **lock)

        yield retention("", "ended the default retention of")
        yield retention("Days", "kept objects for a day in", Days=1)
        yield retention("", "kept objects for nine years in", Years=9, stricter=True)

    def encryption(self) -> Iterator[Break]:
        # The AWS managed key `aws/s3`, which no log service can use.
        managed = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
        text = "encrypted with a key that log services cannot use"
        asked, put = "*.server_side_encryption.sse_algorithm", self.s3.put_bucket_encryption
        yield self.broken("SSEAlgorithm", text, asked, put, ServerSideEncryptionConfiguration=managed)
        region = self.s3.meta.region_name
        key = {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": f"arn:aws:kms:{region}:{STRANGER}:key/11111111-2222-3333-4444-555555555555",
        }
        theirs = {"Rules": [{"ApplyServerSideEncryptionByDefault": key}]}
        text = "encrypted with a key of another account"
        yield self.broken("", text, asked, put, stricter=True, ServerSideEncryptionConfiguration=theirs)
        text, asked = "let writers own the objects of", "*.object_ownership"
        writer = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        put = self.s3.put_bucket_ownership_controls
        yield self.broken("ObjectOwnership", text, asked, put, OwnershipControls=writer)

        def open_acl(**bucket: str) -> None:
            put(**bucket, OwnershipControls=writer)
            self.s3.put_bucket_acl(**bucket, ACL="log-delivery-write")

        yield self.broken("ObjectOwnership", "let S3's log delivery write by the ACL of", asked, open_acl)

    def lifecycle(self) -> Iterator[Break]:
        found = self.read("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")
        if found is None:
            return
        asked, put = "*.lifecycle_rules", self.s3.put_bucket_lifecycle_configuration
        yield self.broken("", "deleted the lifecycle rules of", asked, self.s3.delete_bucket_lifecycle)

        size = "TransitionDefaultMinimumObjectSize"
        others = {"all_storage_classes_128K", "varies_by_storage_class"} - {found.get(size)}
        lifecycle = {"LifecycleConfiguration": {"Rules": found["Rules"]}, size: min(others)}
        text, asked_size = "moved other sizes of objects in", "*.transition_default_minimum_object_size"
        yield self.broken(size, text, asked_size, put, **lifecycle)

        def changed(field: str, sentence: str, new: dict[str, Any], *, stricter: bool = False) -> Break:
            rules = [new if each["ID"] == new["ID"] else each for each in found["Rules"]]
            params = {"LifecycleConfiguration": {"Rules": rules}, size: found[size]}
            return self.broken(field, sentence, asked, put, stricter=stricter, **params)

        for rule in found["Rules"]:
            field, day = f"lifecycle rule {rule['ID']}", {"Expiration": {"Days": 1}}
            if {"Transitions", "NoncurrentVersionTransitions"}.isdisjoint(rule):
                yield changed(field, "had logs deleted after a day in", {**rule, **day})
            late = {**rule, "Expiration": {"Days": 9999}}
            yield changed("", "kept logs for 27 years in", late, stricter=True)
            bare = {key: rule[key] for key in ("ID", "Status", "Filter")} | day
            yield changed(field, "had logs deleted after a day, and moved nowhere, in", bare)
        for action in ({"Expiration": {"Days": 1}}, {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}}):
            foreign = {"ID": "Foreign", "Status": "Enabled", "Filter": {}, **action}
            text = f"added a rule with {next(iter(action))} after a day to"
            rules = {"LifecycleConfiguration": {"Rules": [*found["Rules"], foreign]}, size: found[size]}
            consent = "remove-foreign-lifecycle-rule"
            yield self.broken("lifecycle rule Foreign", text, asked, put, consent=consent, **rules)

    def tags(self) -> Iterator[Break]:
        found = (self.read("get_bucket_tagging", "NoSuchTagSet") or {}).get("TagSet", [])
        for tag in found:
            rest = {"TagSet": [each for each in found if each != tag]}
            text, put = f"removed the tag {tag['Key']} of", self.s3.put_bucket_tagging
            yield self.broken(f"tag {tag['Key']}", text, "*.tags", put, Tagging=rest)

    def access_logging(self, admin: Administrator) -> Iterator[Break]:
        have, put = (
            self.s3.get_bucket_logging(Bucket=self.name).get("LoggingEnabled"),
            self.s3.put_bucket_logging,
        )
        if have is None:
            return
        asked = "*.logging"
        yield self.broken("", "turned off access logging of", asked, put, BucketLoggingStatus={})
        other = {"LoggingEnabled": {**have, "TargetPrefix": "elsewhere/"}}
        text, asked_prefix = "put access logs where nobody looks, for", "*.logging.target_prefix"
        yield self.broken("TargetPrefix", text, asked_prefix, put, BucketLoggingStatus=other)

        def divert(**bucket: str) -> None:
            target = f"elsewhere-{self.name}"[:63]
            create_delivery_bucket(admin, target, LOG_DELIVERY, {})
            put(**bucket, BucketLoggingStatus={"LoggingEnabled": {**have, "TargetBucket": target}})

        yield self.broken("TargetBucket", "diverted access logs of", asked, divert)

    def replication(self) -> Iterator[Break]:
        if self.s3.get_bucket_versioning(Bucket=self.name).get("Status") != "Enabled":
            return
        rule = {
            "ID": "Foreign",
            "Priority": 1,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": "arn:aws:s3:::a-bucket-of-a-stranger", "Account": STRANGER},
        }
        copied = {"Role": f"arn:aws:iam::{STRANGER}:role/copies", "Rules": [rule]}
        text, consent = "copied to a stranger what arrives in", "remove-foreign-replication"
        put, field = self.s3.put_bucket_replication, "replication rule Foreign"
        yield self.broken(field, text, "", put, consent=consent, ReplicationConfiguration=copied)

    def policy(self) -> Iterator[Break]:
        found = self.read("get_bucket_policy", "NoSuchBucketPolicy")
        if found is None:
            return
        yield self.broken("", "deleted the policy of", "", self.s3.delete_bucket_policy)
        document = json.loads(found["Policy"])
        statements = document["Statement"]
        for statement in statements:
            sid = statement.get("Sid", "")
            rest = [each for each in statements if each is not statement]
            yield self._policy(
                sid,
                f"dropped the statement {sid} from the policy of",
                document,
                rest,
                asked="" if sid.endswith(_OURS) else "*.policy_statements",
            )
            other = {**statement, "Condition": {"StringEquals": {"aws:PrincipalAccount": "999999999999"}}}
            changed = [other if each is statement else each for each in statements]
            yield self._policy(sid, f"changed the statement {sid} in the policy of", document, changed)
        for sentence, statement in self._foreign(statements):
            found = {"Sid": "Foreign", **statement}
            text = f"{sentence} the policy of"
            yield self._policy("Foreign", text, document, [*statements, found], "remove-foreign-statement")

    def _foreign(self, statements: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Statements that defeat those of the baseline, each with what it does."""
        arn = f"arn:aws:s3:::{self.name}"
        stranger = {"AWS": "arn:aws:iam::999999999999:root"}
        delete = {
            "Effect": "Allow",
            "Principal": stranger,
            "Action": "s3:DeleteObject*",
            "Resource": f"{arn}/*",
        }
        yield "let a stranger delete logs by", delete
        for statement in statements:
            if "Service" in statement["Principal"] and statement.get("Condition"):
                bare = {key: value for key, value in statement.items() if key not in {"Sid", "Condition"}}
                yield f"repeated {statement.get('Sid', 'a statement')} without its condition in", bare
        deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"{arn}/*"}
        services = [each["Principal"]["Service"] for each in statements if "Service" in each["Principal"]]
        if services:
            for key, operator, value in (
                ("aws:SourceVpce", "StringNotEquals", "vpce-0123456789abcdef0"),
                ("aws:SourceIp", "NotIpAddress", "192.0.2.0/24"),
                ("aws:PrincipalOrgID", "StringNotEquals", "o-elsewhere00"),
                ("s3:x-amz-server-side-encryption", "StringNotEquals", "AES256"),
            ):
                yield f"denied all that has another {key} by", {**deny, "Condition": {operator: {key: value}}}
            yield "denied deliveries by", {**deny, "Principal": {"Service": services}}

    def _policy(
        self,
        sid: str,
        sentence: str,
        document: dict[str, Any],
        statements: list[Any],
        consent: str = "",
        asked: str = "",
    ) -> Break:
        field = f"policy statement {sid}"
        if not statements:
            return self.broken(field, sentence, asked, self.s3.delete_bucket_policy)
        text = json.dumps({**document, "Statement": statements})
        return self.broken(field, sentence, asked, self.s3.put_bucket_policy, consent=consent, Policy=text)
