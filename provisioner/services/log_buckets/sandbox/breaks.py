"""Each way in which somebody may break a log bucket by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from ....sandbox.drift import Break, Hands, answer, breaks

_BLOCKS = {
    "BlockPublicAcls": "block_public_acls",
    "IgnorePublicAcls": "ignore_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "RestrictPublicBuckets": "restrict_public_buckets",
}


@breaks("log_buckets")
def bucket_breaks(hands: Hands) -> Iterator[Break]:
    """Every setting of each bucket, each statement of its policy, and the bucket gone."""
    s3 = hands.client("s3")
    for each in s3.list_buckets()["Buckets"]:
        bucket = _Bucket(s3, each["Name"])
        yield from bucket.public_access()
        yield from bucket.objects()
        yield from bucket.lifecycle()
        yield from bucket.tags()
        yield from bucket.policy()
        yield Break(bucket.what, "", f"deleted {bucket.what}", partial(s3.delete_bucket, Bucket=bucket.name))


class _Bucket:
    def __init__(self, s3: Any, name: str):
        self.s3, self.name, self.what = s3, name, f"bucket {name}"

    def broken(self, field: str, sentence: str, asked: str, call: Any, **params: Any) -> Break:
        return Break(
            self.what, field, f"{sentence} {self.what}", partial(call, Bucket=self.name, **params), asked
        )

    def public_access(self) -> Iterator[Break]:
        s3 = self.s3
        found = answer(s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration", Bucket=self.name)
        if found is None:
            return
        have = found["PublicAccessBlockConfiguration"]
        for field in (field for field in _BLOCKS if have[field]):
            open_ = {**have, field: False}
            asked = f"*.public_access_block.{_BLOCKS[field]}"
            put = s3.put_public_access_block
            yield self.broken(
                field, f"turned off {field} of", asked, put, PublicAccessBlockConfiguration=open_
            )
        gone = s3.delete_public_access_block
        yield self.broken("", "removed the public access block of", "*.public_access_block", gone)

    def objects(self) -> Iterator[Break]:
        s3 = self.s3
        lock = answer(
            s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError", Bucket=self.name
        )
        enabled = s3.get_bucket_versioning(Bucket=self.name).get("Status") == "Enabled"
        if enabled and lock is None:
            off = {"Status": "Suspended"}
            put = s3.put_bucket_versioning
            yield self.broken(
                "Versioning",
                "suspended versioning of",
                "*.versioning.status",
                put,
                VersioningConfiguration=off,
            )
        if lock is not None and lock["ObjectLockConfiguration"].get("Rule"):
            put = s3.put_object_lock_configuration
            none = {"ObjectLockEnabled": "Enabled"}
            asked = "*.object_lock.*"
            yield self.broken("", "ended the default retention of", asked, put, ObjectLockConfiguration=none)
            day = {**none, "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
            yield self.broken("Days", "kept objects for a day in", asked, put, ObjectLockConfiguration=day)
            year = {**none, "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 9}}}
            longer = partial(put, Bucket=self.name, ObjectLockConfiguration=year)
            yield Break(
                self.what, "", f"kept objects for nine years in {self.what}", longer, asked, stricter=True
            )
        # With a key of AWS's, which no log service can use.
        managed = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
        asked = "*.server_side_encryption.sse_algorithm"
        put = s3.put_bucket_encryption
        text = "encrypted with a key that log services cannot use"
        yield self.broken("SSEAlgorithm", text, asked, put, ServerSideEncryptionConfiguration=managed)
        rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        put = s3.put_bucket_ownership_controls
        yield self.broken(
            "ObjectOwnership",
            "let writers own the objects of",
            "*.object_ownership",
            put,
            OwnershipControls=rules,
        )

    def lifecycle(self) -> Iterator[Break]:
        s3 = self.s3
        found = answer(
            s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration", Bucket=self.name
        )
        if found is None:
            return
        asked = "*.lifecycle_rules"
        gone = s3.delete_bucket_lifecycle
        yield self.broken("", "deleted the lifecycle rules of", asked, gone)
        for rule in found["Rules"]:
            field = f"lifecycle rule {rule['ID']}"
            put = partial(self._put_rule, found["Rules"])
            soon = {**rule, "Expiration": {"Days": 1}}
            if {"Transitions", "NoncurrentVersionTransitions"}.isdisjoint(rule):
                yield Break(
                    self.what,
                    field,
                    f"had logs deleted after a day in {self.what}",
                    partial(put, soon),
                    asked,
                )
            late = {**rule, "Expiration": {"Days": 9999}}
            text = f"kept logs for 27 years in {self.what}"
            yield Break(self.what, "", text, partial(put, late), asked, stricter=True)
            bare = {key: rule[key] for key in ("ID", "Status", "Filter")} | {"Expiration": {"Days": 1}}
            text = f"had logs deleted after a day, and moved nowhere, in {self.what}"
            yield Break(self.what, field, text, partial(put, bare), asked)

    def _put_rule(self, rules: list[dict[str, Any]], rule: dict[str, Any]) -> None:
        every = [rule if each["ID"] == rule["ID"] else each for each in rules]
        self.s3.put_bucket_lifecycle_configuration(Bucket=self.name, LifecycleConfiguration={"Rules": every})

    def tags(self) -> Iterator[Break]:
        found = answer(self.s3.get_bucket_tagging, "NoSuchTagSet", Bucket=self.name)
        for tag in (found or {}).get("TagSet", ()):
            rest = [each for each in found["TagSet"] if each != tag]
            put = self.s3.put_bucket_tagging
            text = f"removed the tag {tag['Key']} of"
            yield self.broken(f"tag {tag['Key']}", text, "*.tags", put, Tagging={"TagSet": rest})

    def policy(self) -> Iterator[Break]:
        s3 = self.s3
        found = answer(s3.get_bucket_policy, "NoSuchBucketPolicy", Bucket=self.name)
        if found is None:
            return
        yield self.broken("", "deleted the policy of", "", s3.delete_bucket_policy)
        document = json.loads(found["Policy"])
        statements = document["Statement"]
        for statement in statements:
            sid = statement.get("Sid", "")
            field = f"policy statement {sid}"
            rest = [each for each in statements if each is not statement]
            yield self._policy(field, f"dropped the statement {sid} from the policy of", document, rest)
            other = {**statement, "Condition": {"StringEquals": {"aws:PrincipalAccount": "999999999999"}}}
            changed = [other if each is statement else each for each in statements]
            yield self._policy(field, f"changed the statement {sid} in the policy of", document, changed)

    def _policy(self, field: str, sentence: str, document: dict[str, Any], statements: list[Any]) -> Break:
        put, text = self.s3.put_bucket_policy, json.dumps({**document, "Statement": statements})
        if not statements:
            return self.broken(field, sentence, "", self.s3.delete_bucket_policy)
        return self.broken(field, sentence, "", put, Policy=text)
