"""The section `security_hub` of the YAML file. Fields are those of Security Hub CSPM's API, in snake_case."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from ...baseline import (
    NO_SETTING,
    AccountId,
    Baseline,
    Contradiction,
    Control,
    ForOrganization,
    InvalidValue,
    NotInFullProfile,
    Region,
    Section,
    Switchable,
)
from ...compare.stricter import on
from ...steps.registry import section
from ...steps.settings import Guarded, Settings
from ...steps.tags import Tags
from .policy_section import ConfigurationPolicy, ControlId, PolicyName, PolicyTarget, StandardName
from .v2_section import AGGREGATED, SecurityHubV2

CENTRAL: Final = "CENTRAL"
_CENTRAL_ONLY: Final = NotInFullProfile("goes with `configuration_type: CENTRAL`")
_WITH_REGIONS: Final = ("ALL_REGIONS_EXCEPT_SPECIFIED", "SPECIFIED_REGIONS")


class DisabledControl(Section):
    """A control of a standard that is off."""

    reason: str = Field(min_length=1, max_length=500, pattern=r"\S", description="Why: AWS keeps it.")
    except_home_region: Annotated[bool, NO_SETTING] = Field(
        False,
        description="On in `home_region`: for controls on global resources such as those of IAM, which have the same"
        " result, and a bill, in each Region.",
    )
    regions: Annotated[
        list[Region] | None, NO_SETTING, NotInFullProfile("an alternative of `except_home_region`")
    ] = Field(None, min_length=1, description="Off only in these of the file's Regions.")

    @model_validator(mode="after")
    def _check_regions(self) -> Self:
        if self.except_home_region and self.regions is not None:
            raise InvalidValue("regions", "goes without `except_home_region`: drop one of the two")
        return self


class Standard(Control):
    """A standard, whose checks are billed in each Region in which it is enabled."""

    home_region_only: Annotated[bool, NO_SETTING] = Field(
        False, description="Only in `home_region`: checks in Regions without resources cost, too."
    )
    regions: Annotated[
        list[Region] | None, NO_SETTING, NotInFullProfile("an alternative of `home_region_only`")
    ] = Field(None, min_length=1, description="Only in these of the file's Regions.")
    disabled_controls: Annotated[dict[ControlId, DisabledControl], NO_SETTING] = Field(
        default={},
        description="Controls of the standard that are off, by id. Others that are off are shown as a danger.",
    )

    @model_validator(mode="after")
    def _check_regions(self) -> Self:
        if self.home_region_only and self.regions is not None:
            raise InvalidValue("regions", "goes without `home_region_only`: drop one of the two")
        return self


class FindingAggregator(Settings):
    """Findings of other Regions, shown in `home_region` too."""

    region_linking_mode: Annotated[
        Literal["ALL_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED", "SPECIFIED_REGIONS", "NO_REGIONS"], AGGREGATED
    ] = Field(description="The Regions: ALL_REGIONS has future ones, too.")
    regions: Annotated[list[Region] | None, NotInFullProfile("goes with other modes than ALL_REGIONS")] = (
        Field(None, min_length=1, description="Those that are specified, or the exceptions.")
    )

    @model_validator(mode="after")
    def _check_regions(self) -> Self:
        specified = self.region_linking_mode in _WITH_REGIONS
        if specified != (self.regions is not None):
            how = "is missing" if specified else "is not taken"
            raise InvalidValue("regions", f"{how} with `region_linking_mode: {self.region_linking_mode}`")
        return self


class Organization(Settings):
    """The account that administers Security Hub for the organization, and what new accounts of the organization get.

    The management account designates it, in each Region of the file; with this file it then sets what is below.
    """

    administrator: Annotated[AccountId, NO_SETTING] = Field(
        description="A member account. Another administrator that is there is never replaced."
    )
    auto_enable: Annotated[
        bool | None, Guarded(on, "enable-less", "new accounts of the organization have no hub")
    ] = Field(None, description="New accounts get a hub.")
    auto_enable_standards: Literal["NONE", "DEFAULT"] | None = Field(
        None, description="The standards that AWS enables in new accounts: its default ones, or NONE."
    )
    configuration_type: Annotated[
        Literal["LOCAL", "CENTRAL"] | None, NO_SETTING, NotInFullProfile("an alternative of `auto_enable`")
    ] = Field(
        None,
        description="CENTRAL: the administrator, a member account, sets accounts up from `home_region` by the policies below;"
        " what is local in them is told, and not written. Back to LOCAL needs `--allow leave-central-configuration`, and no"
        " policy that is left.",
    )
    configuration_policies: Annotated[dict[PolicyName, ConfigurationPolicy], NO_SETTING, _CENTRAL_ONLY] = (
        Field(default={}, description="Configuration policies, by name. Others that are there stay.")
    )
    self_managed: Annotated[list[PolicyTarget], NO_SETTING, _CENTRAL_ONLY] = Field(
        default=[],
        description="What is below a policy's target and sets itself up: as `targets` of a policy.",
    )

    @model_validator(mode="after")
    def _check_central(self) -> Self:
        central, named = self.configuration_type == CENTRAL, [*self.self_managed]
        named += [target for each in self.configuration_policies.values() for target in each.targets]
        if central and (self.auto_enable or self.auto_enable_standards == "DEFAULT"):
            field = "auto_enable" if self.auto_enable else "auto_enable_standards"
            raise InvalidValue(
                field,
                "goes without `configuration_type: CENTRAL`: a policy with the target `root`"
                " is for new accounts, too",
            )
        if not central and (self.configuration_policies or self.self_managed):
            field = "configuration_policies" if self.configuration_policies else "self_managed"
            raise InvalidValue(field, "needs `configuration_type: CENTRAL`")
        if twice := sorted({each for each in named if named.count(each) > 1}):
            raise InvalidValue(
                "configuration_policies", f"`{twice[0]}` is named twice: it can have one configuration"
            )
        return self


@section("security_hub")
class SecurityHub(Settings, Switchable):
    """Security Hub CSPM in each Region: the hub, standards, and controls that are off.

    An existing hub is adopted. Its standards, and the controls that are off in them, stay where the file does not name
    them. Standards need AWS Config, which records in each Region.
    """

    same_for_all_accounts = (("organization", "administrator"), ("organization", "configuration_type"))

    enable_default_standards: Annotated[bool, NO_SETTING] = Field(
        False, description="A new hub gets the standards of AWS's choice, beside those of the file."
    )
    control_finding_generator: Literal["SECURITY_CONTROL", "STANDARD_CONTROL"] | None = Field(
        None,
        description="One finding for each control, or one for each standard that has the control. In an organization its"
        " administrator sets it.",
    )
    auto_enable_controls: Annotated[
        bool | None, Guarded(on, "enable-less", "new controls of a standard stay off")
    ] = Field(None, description="New controls of a standard are on.")
    standards: Annotated[dict[StandardName, Standard], NO_SETTING] = Field(
        default={},
        description="Standards, by name and version. Each check is billed, in each account and Region.",
    )
    finding_aggregator: FindingAggregator | None = Field(
        None, description="Not touched if left out; members of an administrator have its own."
    )
    organization: Annotated[Organization | None, ForOrganization()] = Field(
        None, description="Not touched if left out."
    )
    security_hub_v2: Annotated[
        SecurityHubV2 | None,
        NotInFullProfile("changes the bill of GuardDuty, Inspector and Security Hub CSPM"),
    ] = Field(None, description="Neither looked at nor touched if left out.")
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    def controls(self) -> Iterator[tuple[str, Control]]:
        """Those of the standards, the aggregator and the organization."""
        yield from ((f"standard {name}", each) for name, each in self.standards.items())
        if self.finding_aggregator:
            yield "finding aggregator", self.finding_aggregator
        if self.security_hub_v2:
            if self.security_hub_v2.finding_aggregator:
                yield "Security Hub V2 aggregator", self.security_hub_v2.finding_aggregator
            yield "Security Hub V2*", self.security_hub_v2
        if self.organization:
            yield "organization configuration", self.organization
            yield "Security Hub administrator", self.organization
            for name, policy in self.organization.configuration_policies.items():
                yield f"configuration policy {name}", policy
                yield from ((f"configuration of {target}", policy) for target in policy.targets)

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Report Regions that are none of the file's, and what is for a home Region outside of them."""
        general = baseline.general
        for path, regions in self._named_regions():
            for index, region in enumerate(regions):
                if not general.covers(region):
                    message = f"'{region}' is none of the file's `regions`: add it there, or drop it here"
                    yield Contradiction(("security_hub", *path, "regions", index), message)
        if (
            self.organization
            and self.organization.configuration_type == CENTRAL
            and not self.finding_aggregator
        ):
            message = (
                "CENTRAL needs a `finding_aggregator`, which says in which Regions it takes effect: add it"
            )
            yield Contradiction(("security_hub", "organization", "configuration_type"), message)
        if general.covers(general.home_region):
            return
        message = "is for `home_region`, which is none of `regions`: add it"
        for name, each in self.standards.items():
            if each.home_region_only:
                yield Contradiction(("security_hub", "standards", name, "home_region_only"), message)
        if self.finding_aggregator:
            yield Contradiction(("security_hub", "finding_aggregator"), message)
        if self.security_hub_v2 and self.security_hub_v2.finding_aggregator:
            yield Contradiction(("security_hub", "security_hub_v2", "finding_aggregator"), message)

    def _named_regions(self) -> Iterator[tuple[tuple[str, ...], list[str]]]:
        """The lists of Regions, each with the path of what it is for."""
        for name, standard in self.standards.items():
            yield ("standards", name), standard.regions or []
            for control, each in standard.disabled_controls.items():
                yield ("standards", name, "disabled_controls", control), each.regions or []
        if self.finding_aggregator and self.finding_aggregator.region_linking_mode == "SPECIFIED_REGIONS":
            yield ("finding_aggregator",), self.finding_aggregator.regions or []
