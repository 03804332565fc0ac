"""The section `account` of the YAML file. Fields are those of AWS's APIs, in snake_case."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from ...baseline import NO_SETTING, Baseline, Contradiction, ForOrganization, Regional, Section
from ...compare.stricter import Stricter, lower
from ...steps.registry import section
from ...steps.settings import Guarded, Settings

_CONSENT = "loosen-account-settings"
Sharing = Literal["block-new-sharing"]
OnOff = Literal["enabled", "disabled"]
Principal = Annotated[
    str,
    Field(
        pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:(root|(user|role)/.+)$",
        json_schema_extra={"want": "the ARN of a user or role, or of an account, which ends in `:root`"},
    ),
]


def _ranked(*values: object) -> Stricter:
    """For values in order of strictness, the least strict first."""

    def stricter(have: object, want: object) -> bool:
        return have in values and want in values and values.index(have) > values.index(want)

    return stricter


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


class InstanceMetadataDefaults(Section):
    """What a new EC2 instance gets where its launch does not say otherwise. Instances that exist keep theirs."""

    http_tokens: Annotated[
        Literal["required", "optional"] | None,
        Guarded(_ranked("optional", "required"), _CONSENT, "new instances accept IMDSv1"),
    ] = Field(None, description="`required`: IMDSv2 only. CIS.")
    http_put_response_hop_limit: Annotated[
        int | None, Guarded(lower, _CONSENT, "credentials of new instances travel further")
    ] = Field(
        None,
        ge=1,
        le=64,
        description="How many hops a token may travel; containers need 2 to reach the service.",
    )
    http_endpoint: Annotated[
        OnOff | None,
        Guarded(_ranked("enabled", "disabled"), _CONSENT, "new instances have instance metadata"),
    ] = Field(None, description="Whether instances have instance metadata, and with it credentials, at all.")
    instance_metadata_tags: OnOff | None = Field(None, description="Instances can read their own tags.")
    http_tokens_enforced: Annotated[
        OnOff | None,
        Guarded(_ranked("disabled", "enabled"), _CONSENT, "instances can be launched with IMDSv1"),
    ] = Field(None, description="`enabled`: AWS refuses to launch an instance that accepts IMDSv1.")


class AlternateContact(Section):
    """Whom AWS writes to and calls, beside the owner of the account. AWS wants all four."""

    name: str = Field(min_length=1, max_length=64)
    title: str = Field(min_length=1, max_length=50, description="The title of the person, such as `CISO`.")
    email_address: str = Field(
        min_length=3,
        max_length=254,
        pattern=r"^[\w+=.#|!&-]+@[\w.-]+\.\w+$",
        json_schema_extra={"want": "an e-mail address"},
    )
    phone_number: str = Field(
        min_length=1,
        max_length=25,
        pattern=r"^[\s0-9()+-]+$",
        json_schema_extra={"want": "up to 25 digits, spaces and any of ()+-, in quotes"},
    )


class AlternateContacts(Section):
    """The alternate contacts of the account. One that is left out is not touched."""

    security: AlternateContact | None = Field(None, description="For AWS's abuse and security notices. CIS.")
    billing: AlternateContact | None = None
    operations: AlternateContact | None = None


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
            _ranked("unblocked", "block-new-sharing", "block-all-sharing"),
            _CONSENT,
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
        Guarded(
            _ranked("off", "block-ingress", "block-bidirectional"), _CONSENT, "VPCs can reach the internet"
        ),
    ] = Field(
        None,
        description="Internet gateways let nothing in, or nothing in and out. Cuts off what is public today.",
    )
    ssm_document_public_sharing: Literal["Disable"] | None = Field(
        None, description="`Disable`: documents of Systems Manager cannot be shared with everybody."
    )

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Tokens that are enforced must be required."""
        metadata = self.instance_metadata_defaults
        if metadata and metadata.http_tokens_enforced == "enabled" and metadata.http_tokens == "optional":
            text = "no instance could be launched with `http_tokens: optional`: set `required`"
            yield Contradiction(("account", "instance_metadata_defaults", "http_tokens_enforced"), text)
