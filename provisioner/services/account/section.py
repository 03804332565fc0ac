"""The section `account` of the YAML file. Fields are those of AWS's APIs, in snake_case."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from ...baseline import (
    NO_SETTING,
    Baseline,
    Contradiction,
    ForOrganization,
    NotInFullProfile,
    Regional,
    Section,
)
from ...baseline.partitions import region_of
from ...compare.stricter import ranked
from ...steps.registry import section
from ...steps.settings import Guarded, Settings
from .contact_section import AlternateContacts, ContactInformation
from .instance_section import LOOSEN, AllowedImagesSettings, ImageCriterion, InstanceMetadataDefaults

Sharing = Literal["block-new-sharing"]
Principal = Annotated[
    str,
    Field(
        pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:(root|(user|role)/.+)$",
        json_schema_extra={"want": "the ARN of a user or role, or of an account, which ends in `:root`"},
    ),
]


class S3PublicAccessBlock(Section):
    """The public access block of all buckets of the account. It adds to the blocks of the buckets, and never lifts them.

    A bucket that is public loses its visitors: while there is one, the change needs `--allow block-public-buckets`.
    """

    block_public_acls: Literal[True] | None = Field(None, description="New public ACLs are refused.")
    ignore_public_acls: Literal[True] | None = Field(None, description="Public ACLs have no effect.")
    block_public_policy: Literal[True] | None = Field(None, description="New public policies are refused.")
    restrict_public_buckets: Literal[True] | None = Field(
        None, description="A public policy lets in only AWS services and users of the account."
    )


class RootUser(Section):
    """The root user of the account, which `verify` looks at; only the root user itself can change it."""

    account_mfa_enabled: Annotated[Literal[True] | None, NO_SETTING] = Field(
        None, description="It has MFA, or no password. CIS."
    )
    account_access_keys_present: Annotated[Literal[False] | None, NO_SETTING] = Field(
        None, description="It has no access key. CIS."
    )


class SupportRole(Section):
    """A role that may open cases with AWS Support. CIS."""

    role_name: Annotated[str, NO_SETTING] = Field(
        "aws-support",
        min_length=1,
        max_length=64,
        pattern=r"^[\w+=,.@-]+$",
        json_schema_extra={"want": "up to 64 letters, digits and any of _+=,.@-"},
    )
    principals: Annotated[list[Principal] | None, NO_SETTING] = Field(
        None,
        min_length=1,
        description="Who may assume it: ARNs of users, roles and accounts. If left out, whom the account's own policies let.",
    )


class RootAccess(Section):
    """Root users of member accounts are managed from the management account, which the file is applied in.

    Gives IAM trusted access to the organization. Root credentials that members have are not deleted by this.
    """

    root_credentials_management: Literal[True] | None = Field(
        None,
        description="Root credentials of members can be deleted, and are not made for new accounts. CIS 7.0.",
    )
    root_sessions: Literal[True] | None = Field(
        None, description="Short sessions for the few tasks that need the root user of a member."
    )


@section("account")
class Account(Settings, Regional):
    """Settings of the account as a whole and in each Region. What is left out stays as it is in AWS.

    A setting that a policy of the organization sets is told where it differs, and never written.
    """

    same_for_all_accounts = (("root_access",),)

    s3_public_access_block: S3PublicAccessBlock | None = None
    alternate_contacts: AlternateContacts | None = None
    contact_information: Annotated[
        ContactInformation | None, NotInFullProfile("personal data of the owner of the account")
    ] = Field(None, description="The primary contact. Not touched if left out. CIS.")
    support_role: SupportRole | None = Field(None, description="Not made if left out.")
    root_access: Annotated[RootAccess | None, ForOrganization()] = None
    ebs_encryption_by_default: Literal[True] | None = Field(
        None, description="New EBS volumes and snapshots are encrypted, in each Region. CIS."
    )
    ebs_default_kms_key_id: str | None = Field(
        None,
        max_length=2048,
        pattern=r"^(arn:[^:]+:kms:[^:]+:[^:]+:(key|alias)/.+|alias/.+|[0-9a-z-]{36})$",
        description="The key for that: an alias that each Region has, or with `${region}` the ARN of a key.",
        json_schema_extra={"want": "the alias, id or ARN of a KMS key"},
    )
    snapshot_block_public_access: Annotated[
        Literal["block-new-sharing", "block-all-sharing"] | None,
        Guarded(
            ranked("unblocked", "block-new-sharing", "block-all-sharing"),
            LOOSEN,
            "snapshots that were shared with everybody are public again",
        ),
    ] = Field(
        None,
        description="EBS snapshots cannot be shared with everybody; `block-all-sharing` hides public ones, too.",
    )
    image_block_public_access: Sharing | None = Field(
        None, description="AMIs cannot be shared with everybody. Those that are public stay so."
    )
    instance_metadata_defaults: InstanceMetadataDefaults | None = None
    serial_console_access_enabled: Literal[False] | None = Field(
        None, description="`false`: nobody can log in at the serial console of an instance."
    )
    vpc_block_public_access: Annotated[
        Literal["block-ingress", "block-bidirectional"] | None,
        Guarded(ranked("off", "block-ingress", "block-bidirectional"), LOOSEN, "VPCs can reach the internet"),
        NotInFullProfile("cuts off every public load balancer and instance of the account"),
    ] = Field(
        None,
        description="Internet gateways let nothing in, or nothing in and out. Cuts off what is public today.",
    )
    ssm_document_public_sharing: Literal["Disable"] | None = Field(
        None, description="`Disable`: documents of Systems Manager cannot be shared with everybody."
    )

    ssm_automation_log_destination: Literal["CloudWatch"] | None = Field(
        None, description="`CloudWatch`: what the scripts of automations print goes to CloudWatch Logs. FSBP."
    )
    ssm_automation_log_group_name: str | None = Field(
        None,
        min_length=1,
        max_length=512,
        pattern=r"^[A-Za-z0-9_/.#-]+$",
        description="The log group for that, which each Region must have; AWS makes only its own,"
        " `/aws/ssm/automation/executeScript`.",
        json_schema_extra={"want": "the name of a log group"},
    )
    allowed_images_settings: AllowedImagesSettings | None = None
    root_user: RootUser | None = None

    @property
    def image_criteria(self) -> list[ImageCriterion]:
        """The criteria of allowed AMIs."""
        return (self.allowed_images_settings and self.allowed_images_settings.image_criteria) or []

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Tokens that are enforced must be required, and `none` is the only provider where it is one."""
        for index, each in enumerate(self.image_criteria):
            where = ("account", "allowed_images_settings", "image_criteria", index)
            if not each.model_fields_set:
                yield Contradiction(where, "name a provider, a product code, a name or a condition")
            if "none" in (providers := each.image_providers or ()) and len(providers) > 1:
                yield Contradiction((*where, "image_providers"), "AWS takes no other beside `none`")
        metadata = self.instance_metadata_defaults
        if metadata and metadata.http_tokens_enforced == "enabled" and metadata.http_tokens == "optional":
            text = "no instance could be launched with `http_tokens: optional`: set `required`"
            yield Contradiction(("account", "instance_metadata_defaults", "http_tokens_enforced"), text)
        key_region, region = region_of(self.ebs_default_kms_key_id), baseline.region
        if key_region not in {"", region} and region in filter(self.runs_in, baseline.general.named_regions):
            text = (
                f"the key is in {key_region}, and EBS takes keys of its own Region only, such as {region}: write"
                " `${region}` in the ARN, or an alias, or name the Regions in `regions`"
            )
            yield Contradiction(("account", "ebs_default_kms_key_id"), text)
