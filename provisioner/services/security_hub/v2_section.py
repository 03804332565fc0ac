"""The field `security_hub_v2` of the section `security_hub`: the product beside Security Hub CSPM."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from ...baseline import InvalidValue, Region
from ...steps.settings import Guarded, Settings

ALL_REGIONS: Final = "ALL_REGIONS"


def _all_regions(have: Any, want: Any) -> bool:
    return bool(have == ALL_REGIONS != want)


AGGREGATED: Final = Guarded(
    _all_regions, "aggregate-fewer-regions", "findings of some Regions are not shown in the home Region"
)


class AggregatorV2(Settings):
    """Findings of Security Hub V2 from other Regions, shown in `home_region` too."""

    region_linking_mode: Annotated[Literal["ALL_REGIONS", "SPECIFIED_REGIONS"], AGGREGATED] = Field(
        description="The Regions: ALL_REGIONS has future ones, too."
    )
    linked_regions: list[Region] | None = Field(
        None, min_length=1, max_length=50, description="Those that are specified."
    )

    @model_validator(mode="after")
    def _check_regions(self) -> Self:
        if (self.region_linking_mode == ALL_REGIONS) is (self.linked_regions is not None):
            how = "is missing" if self.linked_regions is None else "is not taken"
            raise InvalidValue(
                "linked_regions", f"{how} with `region_linking_mode: {self.region_linking_mode}`"
            )
        return self


class SecurityHubV2(Settings):
    """Security Hub (V2) in each Region, beside Security Hub CSPM; `{}` enables it. It is never disabled.

    It changes the bill: each resource of the account is billed, used or not, in place of Security Hub CSPM, Inspector and
    GuardDuty.
    """

    finding_aggregator: AggregatorV2 | None = Field(None, description="Not touched if left out.")


def as_seen_from(region: str, want: Mapping[str, Any], key: str, home: str) -> dict[str, Any]:
    """The mode, and the Regions under *key*, of an aggregator that is in *region* and not in the file's *home*.

    It has the findings of its own Region anyway, and those of *home* are to be there, too.
    """
    others = [each for each in want[key] if each != region]
    if want["RegionLinkingMode"] == "SPECIFIED_REGIONS":
        return {**want, key: sorted([*others, home])}
    if want[key] and not others:
        return {"RegionLinkingMode": ALL_REGIONS, key: []}
    return {**want, key: others}
