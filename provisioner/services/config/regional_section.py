"""What rules and conformance packs have in common: the Regions in which they are."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ...baseline import NO_SETTING, Control, InvalidValue, NotInFullProfile, Region


class Regional(Control):
    """A resource that is in each Region of the file, or only in some of them."""

    home_region_only: Annotated[bool, NO_SETTING] = Field(
        False,
        description="Only in `home_region`: for rules about IAM, which have the same result in each Region.",
    )
    regions: Annotated[
        list[Region] | None, NO_SETTING, NotInFullProfile("an alternative of `home_region_only`")
    ] = Field(
        None,
        min_length=1,
        description="Only in these of the file's Regions: for rules that AWS does not have in all, such as those of"
        " CloudFront, in us-east-1.",
    )

    @model_validator(mode="after")
    def _check_regions(self) -> Self:
        if self.home_region_only and self.regions is not None:
            raise InvalidValue("regions", "goes without `home_region_only`: drop one of the two")
        repeated = [i for i, each in enumerate(self.regions or ()) if each in (self.regions or ())[:i]]
        if repeated:
            raise InvalidValue.several(
                (("regions", i), "is listed twice: keep one of them") for i in repeated
            )
        return self
