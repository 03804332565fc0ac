"""The parts of the section `account` that say how EC2 instances are launched."""

from typing import Annotated, Final, Literal

from pydantic import Field

from ...baseline import NotInFullProfile, Section
from ...compare.stricter import lower, ranked
from ...steps.settings import Guarded

LOOSEN: Final = "loosen-account-settings"
OnOff = Literal["enabled", "disabled"]
Provider = Annotated[
    str,
    Field(
        pattern=r"^(amazon|aws-marketplace|aws-backup-vault|none|[0-9]{12})$",
        json_schema_extra={"want": "amazon, aws-marketplace, aws-backup-vault, none or an account id"},
    ),
]
ProductCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,25}$")]
ImageName = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ()\[\]./'@_*?-]{1,128}$")]


class InstanceMetadataDefaults(Section):
    """What a new EC2 instance gets where its launch does not say otherwise. Instances that exist keep theirs."""

    http_tokens: Annotated[
        Literal["required", "optional"] | None,
        Guarded(ranked("optional", "required"), LOOSEN, "new instances accept IMDSv1"),
    ] = Field(None, description="`required`: IMDSv2 only. CIS.")
    http_put_response_hop_limit: Annotated[
        int | None, Guarded(lower, LOOSEN, "credentials of new instances travel further")
    ] = Field(
        None,
        ge=1,
        le=64,
        description="How many hops a token may travel; containers need 2 to reach the service.",
    )
    http_endpoint: Annotated[
        OnOff | None,
        Guarded(ranked("enabled", "disabled"), LOOSEN, "new instances have instance metadata"),
    ] = Field(None, description="Whether instances have instance metadata, and with it credentials, at all.")
    instance_metadata_tags: OnOff | None = Field(None, description="Instances can read their own tags.")
    http_tokens_enforced: Annotated[
        OnOff | None,
        Guarded(ranked("disabled", "enabled"), LOOSEN, "instances can be launched with IMDSv1"),
    ] = Field(None, description="`enabled`: AWS refuses to launch an instance that accepts IMDSv1.")


class CreationDateCondition(Section):
    """How old an allowed AMI may be."""

    maximum_days_since_created: int = Field(ge=0, le=2147483647)


class DeprecationTimeCondition(Section):
    """How long an allowed AMI may be deprecated."""

    maximum_days_since_deprecated: int = Field(ge=0, le=2147483647, description="0: not at all.")


class ImageCriterion(Section):
    """One criterion: an AMI is allowed if it meets all that is in it."""

    image_providers: list[Provider] | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Whose AMIs: `amazon` (verified providers too), `aws-marketplace`, `aws-backup-vault`, ids of accounts,"
        " or `none` alone: only your own, which are always allowed.",
    )
    marketplace_product_codes: Annotated[
        list[ProductCode] | None, NotInFullProfile("the products that an account has subscribed to")
    ] = Field(None, min_length=1, max_length=50)
    image_names: list[ImageName] | None = Field(
        None, min_length=1, max_length=50, description="Names, with ? and * for any characters."
    )
    creation_date_condition: CreationDateCondition | None = None
    deprecation_time_condition: DeprecationTimeCondition | None = None


class AllowedImagesSettings(Section):
    """Which AMIs of others instances can be launched from. The account's own AMIs always can."""

    state: Annotated[
        Literal["audit-mode", "enabled"],
        Guarded(
            ranked("disabled", "audit-mode", "enabled"), LOOSEN, "instances can be launched from any AMI"
        ),
    ] = Field(
        description="`audit-mode` refuses nothing, and `verify` names the AMIs in use that `enabled` would refuse. `enabled`"
        " needs `--allow enforce-allowed-images` while there are any, or where audit mode was not on."
    )
    image_criteria: list[ImageCriterion] | None = Field(
        None,
        min_length=1,
        max_length=10,
        description="An AMI that meets one of them is allowed. Those of others stay, unless `--allow"
        " remove-image-criteria`. If left out, AWS's are kept.",
    )
