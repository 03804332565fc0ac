"""Find the buckets of the account that are open to the public, before a public access block closes them.

Source: "The meaning of public" in the S3 User Guide. Objects with a public ACL of their own, in a bucket whose ACL is not
public, cannot be found without listing every object; a bucket with a website is therefore taken for public.
"""

from __future__ import annotations

from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...steps.references import keys, resolve

_EVERYBODY: Final = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")
_ENOUGH: Final = 1000  # buckets in a page; with a parameter, AWS names the Region of each bucket


def list_buckets(aws: Aws) -> Reading:
    """Start reading the names of the buckets."""
    return aws.read("s3").list_buckets(MaxBuckets=_ENOUGH)


def public_buckets(aws: Aws, baseline: Baseline, listed: Reading) -> dict[str, str]:
    """The public buckets, by name, with what makes each public. Buckets that the file has are never meant to be."""
    blocks = {}
    for each in listed.get("Buckets"):
        name, region = each["Name"], each.get("BucketRegion")
        blocks[name, region] = aws.read("s3", region).get_public_access_block(
            Bucket=name, ExpectedBucketOwner=aws.account
        )
    found = {}
    for (name, region), reading in blocks.items():
        block = reading.value("PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration") or {}
        if not (block.get("IgnorePublicAcls") and block.get("RestrictPublicBuckets")):
            found[name] = (block, *_ask(aws, name, region))
    own = {resolve(aws, baseline, "bucket", each).name for each in keys(baseline, "bucket")}
    reasons = {name: ", ".join(_why(*readings)) for name, readings in sorted(found.items())}
    return {name: why for name, why in reasons.items() if why and name not in own}


def _ask(aws: Aws, name: str, region: str | None) -> tuple[Reading, Reading, Reading]:
    """Start reading what can make a bucket public."""
    read, bucket = aws.read("s3", region), {"Bucket": name, "ExpectedBucketOwner": aws.account}
    return (
        read.get_bucket_policy_status(**bucket),
        read.get_bucket_acl(**bucket),
        read.get_bucket_website(**bucket),
    )


def _why(block: dict[str, Any], policy: Reading, acl: Reading, website: Reading) -> list[str]:
    """What makes the bucket public, beside its own block."""
    status = policy.value("PolicyStatus", "NoSuchBucketPolicy") or {}
    grantees = [each["Grantee"].get("URI", "") for each in acl.get("Grants")]
    is_website = website.found("NoSuchWebsiteConfiguration") is not None
    reasons = {
        "policy": status.get("IsPublic") and not block.get("RestrictPublicBuckets"),
        "ACL": any(each.endswith(_EVERYBODY) for each in grantees) and not block.get("IgnorePublicAcls"),
        "website": is_website,
    }
    return [reason for reason, holds in reasons.items() if holds]
