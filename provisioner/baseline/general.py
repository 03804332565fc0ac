"""The settings at the top of the file that belong to no section: name, Regions and accounts."""

from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from .accounts import Accounts, Override
from .control import DriftException
from .journal import JournalBucket
from .notices import Notices, in_other_partitions
from .partitions import partition_of
from .section import NOT_NULL, AccountId, InvalidValue, Region, Section, known_region, without_null

ALL: Final = "all"

RegionOrAll = Annotated[
    str,
    Field(
        pattern=r"^(all|[a-z]{2,5}(-[a-z]{2,12}){1,3}-[0-9]{1,2})$",
        json_schema_extra={"want": "a Region such as 'eu-west-1'"},
    ),
    AfterValidator(lambda region: region if region == ALL else known_region(region)),
]


def _or_all(schema: dict[str, Any]) -> None:
    """Let the JSON Schema also accept the word `all` in place of the list."""
    items = {key: schema.pop(key) for key in ("type", "items", "minItems", "maxItems")}
    schema["anyOf"] = [items, {"const": ALL}]


def _mapping_without_null(schema: dict[str, Any]) -> None:
    """As `without_null`, and say in messages what the mapping is like."""
    without_null(schema)
    schema["want"] = "a mapping such as {all: true}"


class General(Section):
    """The settings at the top of the file that belong to no section."""

    organization_name: Annotated[
        str,
        Field(
            pattern="^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
            max_length=48,
            description="Your organization in bucket names: `${organization_name}`.",
            json_schema_extra={"want": "up to 48 lower-case letters, digits and inner hyphens"},
        ),
    ]
    home_region: Annotated[
        Region, Field(description="The Region of what exists once in an account: the buckets and the trail.")
    ]
    regions: Annotated[
        list[RegionOrAll],
        BeforeValidator(lambda value: [value] if value == ALL else value),
        Field(
            min_length=1,
            max_length=100,
            default_factory=lambda valid: [valid["home_region"]],
            json_schema_extra=_or_all,
            description="The Regions to hold at the baseline, or `all` that the account has enabled. Only"
            " `home_region` where this is left out.",
        ),
    ]
    allowed_account_ids: Annotated[
        list[AccountId] | None,
        Field(
            min_length=1,
            description="The only accounts that may be touched. Any account where left out.",
            json_schema_extra=without_null,
        ),
        NOT_NULL,
    ] = None
    accounts: Annotated[
        Accounts | None,
        NOT_NULL,
        Field(
            description="The accounts of an organization. Only the caller's own where this is left out.",
            json_schema_extra=_mapping_without_null,
        ),
    ] = None
    exceptions: Annotated[
        tuple[DriftException, ...],
        Field(description="Differences that are accepted until a day. They are shown, and not repaired."),
    ] = ()
    notices: Annotated[
        Notices,
        Field(
            description="Who is told what `repair` found and did, each by a name of your choice.",
            json_schema_extra={"want": "a mapping of up to 20 names, each with a sink"},
        ),
    ] = {}  # noqa: RUF012 - pydantic copies it
    journal: Annotated[
        JournalBucket | None,
        NOT_NULL,
        Field(
            description="A bucket in which runs keep their journal beside the one on disk.",
            json_schema_extra=without_null,
        ),
    ] = None
    overrides: Annotated[
        tuple[Override, ...],
        Field(description="Other values for some accounts. Of two for one account, the later one counts."),
    ] = ()

    @field_validator("regions")
    @classmethod
    def _no_duplicates(cls, regions: list[str]) -> list[str]:
        repeated = [i for i, region in enumerate(regions) if region in regions[:i]]
        if repeated:
            raise InvalidValue.several(
                (i, f"'{regions[i]}' is listed twice; keep one of them") for i in repeated
            )
        if ALL in regions and len(regions) > 1:
            raise InvalidValue(regions.index(ALL), "`all` stands alone: `regions: all`")
        return regions

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.overrides and self.accounts is None:
            raise InvalidValue(
                "overrides", "without `accounts`, the file is for one account: change the sections themselves"
            )
        home = partition_of(self.home_region)
        text = f"`home_region` is in {home}: an account is in one partition; make a file for each"
        elsewhere = [
            (("regions", index), f"'{region}' is in {partition_of(region)}, and {text}")
            for index, region in enumerate(self.regions)
            if region != ALL and partition_of(region) != home
        ]
        if elsewhere:
            raise InvalidValue.several(elsewhere)
        archive, allowed = self.accounts and self.accounts.log_archive, self.allowed_account_ids
        if archive and allowed is not None and archive not in allowed:
            raise InvalidValue(
                ("accounts", "log_archive"), "is not among `allowed_account_ids`: add it there"
            )
        return self

    @model_validator(mode="after")
    def _notices_in_partition(self) -> Self:
        if elsewhere := in_other_partitions(self.notices, self.home_region):
            raise InvalidValue.several(elsewhere)
        return self

    @property
    def named_regions(self) -> list[str]:
        """The Regions that the file names: an empty list for `regions: all`."""
        return [region for region in self.regions if region != ALL]

    def covers(self, region: str) -> bool:
        """True if the baseline applies to the Region: it is named, or the file says `all`."""
        return ALL in self.regions or region in self.regions
