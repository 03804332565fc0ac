"""The ACL of a log bucket, which S3 wants private before `BucketOwnerEnforced` turns ACLs off.

Source: "Troubleshooting" under "Controlling ownership of objects and disabling ACLs" in the S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...aws import Reading
from ...model import Change, Changes, Difference, Kind, Note
from ...steps.registry import consents, hints
from .names import LOG_DELIVERY
from .state import Bucket

CONSENT: Final = "remove-acl-grants"
consents(CONSENT)
hints(
    "s3",
    {
        "InvalidBucketAclWithObjectOwnership": "the bucket's ACL must be private first: allow `s3:GetBucketAcl` and "
        "`s3:PutBucketAcl`, or make it private by hand",
    },
)

_GROUPS: Final = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everybody",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "every AWS account",
    "http://acs.amazonaws.com/groups/s3/LogDelivery": "S3's log delivery",
}
_PUBLIC: Final = {"everybody", "every AWS account"}
_LOG_DELIVERY: Final = "S3's log delivery"


@dataclass(frozen=True)
class Acl:
    """The ACL of a bucket: the permissions of each grantee but the owner, and the consent without which it stays."""

    reading: Reading
    grants: Mapping[str, Collection[str]]
    consent: str | None
    loses: str


def read_acl(bucket: Bucket) -> Acl:
    """Read the ACL.

    It may be made private without consent where nobody loses anything by that: where public grants are ignored anyway,
    and where S3 writes access logs by it, which a policy can allow as well.
    """
    reading = bucket.aws.read("s3").get_bucket_acl(
        Bucket=bucket.want.name, ExpectedBucketOwner=bucket.aws.account
    )
    owner, grants = reading.get("Owner").get("ID"), dict[str, list[str]]()
    for grant in reading.get("Grants"):
        if grant["Grantee"].get("ID") != owner:
            grants.setdefault(_grantee(grant["Grantee"]), []).append(grant["Permission"])
    block = bucket.have("get_public_access_block") or {}
    ignored = bucket.want.public_access_block.ignore_public_acls or block.get("IgnorePublicAcls") is True
    losers = [who for who in grants if who != _LOG_DELIVERY and not (ignored and who in _PUBLIC)]
    loses = f"{', '.join(losers)} can use the bucket no more" if losers else ""
    return Acl(reading, grants, CONSENT if losers else None, loses)


def make_private(bucket: Bucket, acl: Acl) -> Changes:
    """Take the grants of all but the owner from the ACL."""
    if not acl.grants:
        return
    policies = f"{bucket.have('get_bucket_policy')} {bucket.grants.statements}"
    if _LOG_DELIVERY in acl.grants and LOG_DELIVERY not in policies:
        text = (
            f"{_LOG_DELIVERY} may write to it by its ACL, which is turned off: if access logs of other buckets arrive "
            f"here, allow `{LOG_DELIVERY}` `s3:PutObject` in `policy_statements`"
        )
        yield Note(Kind.WARNING, bucket.title, text)
    changed = tuple(
        Difference(f"ObjectOwnership, ACL grant to {who}", ", ".join(permissions), None)
        for who, permissions in acl.grants.items()
    )
    call = bucket.put("put_bucket_acl", ACL="private").based_on(acl.reading.at("Grants"))
    yield Change(bucket.title, changed, call, consent=acl.consent, loses=acl.loses)


def _grantee(grantee: Mapping[str, Any]) -> str:
    if uri := grantee.get("URI"):
        return _GROUPS.get(uri, str(uri))
    return f"the account with the canonical id {grantee.get('ID') or grantee.get('EmailAddress')}"
