"""The permissions of the steps of the section `account`. Most of these actions have no resource types."""

from __future__ import annotations

from collections.abc import Iterator

from ...baseline import Baseline
from ...compare.policy import arn
from ...model import Target
from ...steps.organization import trusted_access_permissions
from ...steps.owners import policy_owner_permissions
from ...steps.permission import APPLY, DIFF, VERIFY, Permission, allow, permits, regional, within
from ...steps.roles import role_permissions
from .regional import AWS_KEY
from .root_access import ROOT_ACCESS
from .section import Account
from .support_role import support_policy
from .switches import SWITCHES

# Of each field that is one value: the action that reads it, and the action that writes it.
_EC2 = {
    "ebs_encryption_by_default": ("GetEbsEncryptionByDefault", "EnableEbsEncryptionByDefault"),
    "snapshot_block_public_access": (
        "GetSnapshotBlockPublicAccessState",
        "EnableSnapshotBlockPublicAccess",
    ),
    "image_block_public_access": ("GetImageBlockPublicAccessState", "EnableImageBlockPublicAccess"),
    "serial_console_access_enabled": ("GetSerialConsoleAccessStatus", "DisableSerialConsoleAccess"),
    "vpc_block_public_access": (
        "DescribeVpcBlockPublicAccessOptions",
        "ModifyVpcBlockPublicAccessOptions",
    ),
    "instance_metadata_defaults": ("GetInstanceMetadataDefaults", "ModifyInstanceMetadataDefaults"),
}


@permits("account_settings")
def account_settings_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and write the public access block and the contacts. Before the block, the buckets are looked at.

    GetAccountSummary has no resource types.
    """
    section = baseline[Account]
    if section.s3_public_access_block:
        yield from allow("AccountS3Read", "s3", "GetAccountPublicAccessBlock ListAllMyBuckets")
        # Every bucket of the account is read.
        reads = "GetBucketPublicAccessBlock GetBucketPolicyStatus GetBucketAcl GetBucketWebsite"
        yield from allow("PublicBucketsRead", "s3", reads)
        yield from allow("AccountS3Write", "s3", "PutAccountPublicAccessBlock", purposes=APPLY)
        yield from policy_owner_permissions()
    if section.root_user:
        yield from allow("RootUserRead", "iam", "GetAccountSummary", purposes=VERIFY)
    contacts, on = (
        section.alternate_contacts,
        (arn(target.partition, "account", "", target.account, "account"),),
    )
    if section.contact_information:
        yield from allow("ContactsRead", "account", "GetContactInformation", on=on)
        yield from allow("ContactsWrite", "account", "PutContactInformation", on=on, purposes=APPLY)
    if contacts and any(each for _, each in contacts):
        yield from allow("ContactsRead", "account", "GetAlternateContact", on=on)
        yield from allow("ContactsWrite", "account", "PutAlternateContact", on=on, purposes=APPLY)


@permits("account_region")
def account_region_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and write each setting of the Region that the file has."""
    section, condition = baseline[Account], within(target)
    for field, (read, write) in _EC2.items():
        if getattr(section, field) is not None:
            yield from allow("AccountRegionRead", "ec2", [read], condition=condition)
            yield from allow("AccountRegionWrite", "ec2", [write], condition=condition, purposes=APPLY)
    # What is public already is looked for.
    public = {
        "DescribeImages": section.image_block_public_access,
        "DescribeSnapshots": section.snapshot_block_public_access == "block-new-sharing",
    }
    names = [name for name, asked in public.items() if asked]
    yield from allow("AccountPublicRead", "ec2", names, condition=condition, purposes=VERIFY)
    if allowed := section.allowed_images_settings:
        yield from allow("AccountRegionRead", "ec2", "GetAllowedImagesSettings", condition=condition)
        purposes = DIFF if allowed.state == "enabled" else VERIFY
        instances = "DescribeInstanceImageMetadata"
        yield from allow("AccountPublicRead", "ec2", instances, condition=condition, purposes=purposes)
        writes = ["EnableAllowedImagesSettings"]
        writes += ["ReplaceImageCriteriaInAllowedImagesSettings"] if allowed.image_criteria else []
        yield from allow("AccountRegionWrite", "ec2", writes, condition=condition, purposes=APPLY)
    yield from _ssm_settings(target, baseline)
    if key := section.ebs_default_kms_key_id:
        yield from allow("AccountRegionRead", "ec2", "GetEbsDefaultKmsKeyId", condition=condition)
        write = "ResetEbsDefaultKmsKeyId" if key == AWS_KEY else "ModifyEbsDefaultKmsKeyId"
        yield from allow("AccountRegionWrite", "ec2", [write], condition=condition, purposes=APPLY)
        # In any Region: the policy of a file with many Regions is as long as AWS takes one.
        keys = (arn(target.partition, "kms", "*", target.account, "key/*"),)
        yield from allow("AccountKeyRead", "kms", "DescribeKey", on=keys)


def _ssm_settings(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and write each service setting of Systems Manager that the file has."""
    for each in SWITCHES:
        if each.setting and getattr(baseline[Account], each.field) is not None:
            on, narrowed = regional(target, baseline, "ssm", each.setting)
            # In one statement, as its condition names each Region.
            for name, purposes in (("GetServiceSetting", DIFF), ("UpdateServiceSetting", APPLY)):
                yield from allow("SsmSettings", "ssm", [name], on=on, condition=narrowed, purposes=purposes)


@permits("account_support_role")
def account_support_role_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read, create and repair the role, and read the policies that others attached to it."""
    want = baseline[Account].support_role
    if want is None:
        return
    managed = support_policy(target.partition)
    yield from role_permissions("SupportRole", target, want.role_name, managed=managed)


@permits("account_root_access")
def account_root_access_permissions(target: Target, baseline: Baseline) -> Iterator[Permission]:
    """Read and enable the features of the organization, and the trusted access that they need."""
    section = baseline[Account].root_access
    if section is None:
        return
    yield from trusted_access_permissions(ROOT_ACCESS)
    yield from allow("RootAccessRead", "iam", "ListOrganizationsFeatures")
    features = {
        "EnableOrganizationsRootCredentialsManagement": section.root_credentials_management,
        "EnableOrganizationsRootSessions": section.root_sessions,
    }
    names = [name for name, asked in features.items() if asked]
    yield from allow("RootAccessWrite", "iam", names, purposes=APPLY)
