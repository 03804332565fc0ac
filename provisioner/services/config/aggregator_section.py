"""The mapping `aggregator` in the YAML section `config`: one place that shows what all accounts and Regions record."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ...baseline import NO_SETTING, Control, InvalidValue, NotInFullProfile, Region
from ...baseline.section import AccountId
from ...compare.spelling import CONTROL_TOWER
from ...steps.tags import Tags


class Aggregator(Control):
    """An aggregator in `home_region` of one account: of the organization, or of the accounts that are listed.

    Aggregators of other names are left alone.
    """

    name: Annotated[str, NO_SETTING] = Field(
        "provision",
        pattern=r"^[A-Za-z0-9_-]{1,256}$",
        description="Its name. AWS cannot rename one.",
        json_schema_extra={"want": "up to 256 letters, digits, _ and -"},
    )
    account_id: Annotated[
        AccountId | None,
        NO_SETTING,
        NotInFullProfile("an alternative of the account that runs are started from"),
    ] = Field(
        None,
        description="The account that has it: of an organization, one that was registered as delegated administrator of"
        " config.amazonaws.com. If left out, it is the account that runs are started from.",
    )
    organization: Annotated[bool, NO_SETTING] = Field(
        False, description="All accounts of the organization, those that join later included."
    )
    account_ids: Annotated[list[AccountId] | None, NotInFullProfile("an alternative of `organization`")] = (
        Field(
            None,
            min_length=1,
            description="These accounts. Each of them that the file is applied to authorizes the aggregator.",
        )
    )
    aws_regions: Annotated[list[Region] | None, NotInFullProfile("an alternative of `all_aws_regions`")] = (
        Field(
            None,
            min_length=1,
            description="These Regions only. If `all_aws_regions` is left out too, a new aggregator has all Regions.",
        )
    )
    all_aws_regions: bool | None = Field(None, description="All Regions, those that AWS adds later included.")
    role_name: Annotated[str, NO_SETTING] = Field(
        "config-aggregator",
        pattern=r"^[A-Za-z0-9+=,.@_-]{1,64}$",
        description="The role with which AWS Config lists the accounts of the organization. It is created and repaired.",
        json_schema_extra={"want": "the name of a role: up to 64 letters, digits and any of +=,.@_-"},
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.organization is (self.account_ids is not None):
            text = "want one of `organization: true` and `account_ids`"
            raise InvalidValue("organization", f"{text}, and not both" if self.organization else text)
        if self.all_aws_regions is False and not self.aws_regions:
            raise InvalidValue("all_aws_regions", "name the Regions in `aws_regions`, or drop this")
        if self.all_aws_regions and self.aws_regions:
            raise InvalidValue("aws_regions", "goes without `all_aws_regions`: drop one of the two")
        if self.role_name.startswith(CONTROL_TOWER):
            raise InvalidValue("role_name", "AWS Control Tower owns the roles of that name: choose another")
        return self
