"""ACLs of buckets, as far as they stand in the way of `BucketOwnerEnforced` and of the public access block."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.buckets import named_bucket
from ....sandbox.model import Refused, Response
from ....sandbox.rule import before, instead

_PUBLIC = ("/global/AllUsers", "/global/AuthenticatedUsers")


@before(
    "s3.acl_private_first",
    "PutBucketOwnershipControls",
    row="2 Create: ACLs disabled, with an ACL on the bucket",
)
def acl_private_first(request: Request) -> None:
    """BucketOwnerEnforced for a bucket whose ACL grants others something is InvalidBucketAclWithObjectOwnership."""
    bucket = named_bucket(request)
    rules = request.params.get("OwnershipControls", {}).get("Rules") or [{}]
    if rules[0].get("ObjectOwnership") == "BucketOwnerEnforced" and _others(bucket):
        text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Refused("InvalidBucketAclWithObjectOwnership", text)


@instead("s3.block_public_acls", "PutBucketAcl", row="2 BlockPublicAcls refuses a public ACL")
def block_public_acls(request: Request) -> Response:
    """A public ACL under BlockPublicAcls is AccessDenied."""
    bucket = named_bucket(request)
    before_put = bucket.acl
    answer = request.moto()
    block = bucket.public_access_block
    public = any(uri.endswith(_PUBLIC) for uri in _others(bucket))
    if (
        answer.status < 300
        and public
        and block is not None
        and str(block.block_public_acls).lower() == "true"
    ):
        bucket.set_acl(before_put)
        raise Refused("AccessDenied", "Access Denied", 403)
    return answer


def _others(bucket: Any) -> list[str]:
    """Those to whom the ACL grants something, but the owner: groups by URI, accounts by canonical id."""
    from moto.s3.models import OWNER

    grants = bucket.acl.grants if bucket.acl else []
    return [
        each.uri or each.id for grant in grants for each in grant.grantees if each.uri or each.id != OWNER
    ]
