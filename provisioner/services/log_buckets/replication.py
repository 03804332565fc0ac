"""Rules of others that copy what arrives in a log bucket to another account.

Source: "Replicating objects within and across Regions" in the S3 User Guide. Replication to a bucket of this account, the
management account or the log archive account is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...model import Call, Change, Changes, Difference
from ...steps.registry import consents
from .state import Bucket

CONSENT: Final = "remove-foreign-replication"
_READ: Final = "get_bucket_replication"
consents(CONSENT)


def replication(bucket: Bucket) -> Changes:
    """Offer to end each rule that copies log files to a bucket of another account.

    Where other rules stay, S3 wants the role of the replication again, so that the caller must be allowed to pass it.
    """
    have = bucket.have(_READ) or {}
    found = dict(_strangers(bucket, have.get("Rules") or ()))
    if not found:
        return
    left = [each for index, each in enumerate(have["Rules"]) if index not in found]
    removed = tuple(
        Difference(f"replication rule {_name(have['Rules'][index])} of others", target, None)
        for index, target in found.items()
    )
    loses = "; ".join(
        f"`{_name(have['Rules'][index])}` of others copies log files to {target}"
        for index, target in found.items()
    )
    yield Change(bucket.title, removed, _end(bucket, have, left), consent=CONSENT, loses=loses)


def _end(bucket: Bucket, have: Mapping[str, Any], left: list[Any]) -> Call:
    """The request after which only the rules *left* are there."""
    if left:
        return bucket.put("put_bucket_replication", ReplicationConfiguration={**have, "Rules": left})
    return bucket.put("delete_bucket_replication").based_on(bucket.reads[_READ])


def _strangers(bucket: Bucket, rules: Any) -> Iterator[tuple[int, str]]:
    """The index of each rule whose destination belongs to a stranger, and that destination, in words."""
    aws, friends = bucket.aws, {bucket.aws.central, bucket.aws.archive} - {bucket.aws.account}
    for index, rule in enumerate(rules):
        target = rule.get("Destination") or {}
        name, account = str(target.get("Bucket", "")).rpartition(":")[2], target.get("Account")
        if rule.get("Status") != "Enabled" or account in friends or name in _own_buckets(bucket):
            continue
        of = f"account {account}" if account and account != aws.account else "another account"
        yield index, f"the bucket {name} of {of}"


def _own_buckets(bucket: Bucket) -> set[str]:
    """The names of all buckets of the account, which is asked only where a rule has a destination."""
    return {each["Name"] for each in bucket.aws.read("s3").list_buckets().get("Buckets")}


def _name(rule: Mapping[str, Any]) -> str:
    return str(rule.get("ID") or "(no id)")
