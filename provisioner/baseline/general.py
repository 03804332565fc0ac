"""The settings at the top of the file that belong to no section: names, Regions and accounts."""

from collections.abc import Sequence
from math import ceil
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .partitions import partition_of
from .section import SECRET, AccountId, InvalidValue, Region, Section, Text, known_region

ALL: Final = "all"
REST: Final = "rest"
ROLE: Final = "OrganizationAccountAccessRole"  # AWS Organizations makes it in every account that it creates
Item = TypeVar("Item")
_SELECTORS: Final = ("organizational_units", "tags", "ids")

Unit = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        json_schema_extra={
            "want": "an organizational unit: its id, or its names from the root, `Workloads/Prod`"
        },
    ),
]
RegionOrAll = Annotated[
    str,
    Field(
        pattern=r"^(all|[a-z]{2,5}(-[a-z]{2,12}){1,3}-[0-9]{1,2})$",
        json_schema_extra={"want": "a Region such as 'eu-west-1'"},
    ),
    AfterValidator(lambda region: region if region == ALL else known_region(region)),
]
Tags = Annotated[dict[Text, str], Field(min_length=1)]
Percent = Annotated[
    str,
    Field(pattern=r"^(100|[1-9]?[0-9])%$", json_schema_extra={"want": "a share from '0%' to '100%'"}),
]
Wave = (
    Annotated[int, Field(ge=1)]
    | Annotated[
        str,
        Field(
            pattern=r"^((100|[1-9][0-9]?)%|rest)$",
            json_schema_extra={"want": "a share from '1%' to '100%', or 'rest'"},
        ),
    ]
)


def _or_all(schema: dict[str, Any]) -> None:
    """Let the JSON Schema also accept the word `all` in place of the list."""
    items = {key: schema.pop(key) for key in ("type", "items", "minItems", "maxItems")}
    schema["anyOf"] = [items, {"const": ALL}]


def _not_null(value: Any) -> Any:
    """Refuse a key without a value: if all lines below it are commented out, "no restriction" is not what is meant."""
    if value is None:
        raise PydanticCustomError("nothing", "nothing")
    return value


def _without_null(schema: dict[str, Any]) -> None:
    """Let the JSON Schema refuse null, as `_not_null` does."""
    schema["anyOf"].remove({"type": "null"})


def _without_null_such_as_all(schema: dict[str, Any]) -> None:
    _without_null(schema)
    schema["want"] = "a mapping such as {all: true}"


class AccountSelector(Section):
    """Accounts of the organization: by organizational unit, by tags, and by id."""

    organizational_units: list[Unit] = Field(
        default=[],
        description="Those in these units, and in units below. By id, or by name: `Workloads/Prod`.",
    )
    tags: Annotated[Tags | None, BeforeValidator(_not_null)] = Field(
        None, description="Those that have all of these tags.", json_schema_extra=_without_null
    )
    ids: list[AccountId] = Field(default=[], description="Those named here.")

    @property
    def is_set(self) -> bool:
        """True if at least one of the selectors is given."""
        return bool(self.organizational_units or self.tags or self.ids)


class Rollout(Section):
    """How `apply` goes through the accounts: in waves, each only if few accounts failed until then."""

    waves: list[Wave] = Field(
        min_length=1,
        max_length=100,
        description="The accounts of each wave, in the order of their ids: a number, a share of those that differ from"
        " the file, rounded up, and `rest` for the last wave.",
    )
    max_failures: Annotated[int, Field(ge=0)] | Percent = Field(
        0,
        description="The next wave begins if at most so many accounts have failed: a number, or a share of those in the"
        " waves until then.",
    )

    @field_validator("waves")
    @classmethod
    def _end_with_the_rest(cls, waves: list[int | str]) -> list[int | str]:
        if REST in waves[:-1]:
            raise InvalidValue(waves.index(REST), "`rest` is the last wave: nothing is left after it")
        if waves[-1] != REST:
            raise InvalidValue(
                len(waves) - 1, "the last wave is `rest`, so that no account is left out: add it"
            )
        return waves

    def split(self, items: Sequence[Item]) -> list[Sequence[Item]]:
        """The items of each wave, without waves that have none."""
        found: list[Sequence[Item]] = []
        left = items
        for wave in self.waves:
            size = len(left) if wave == REST else _of(wave, len(items))
            found.append(left[:size])
            left = left[size:]
        return [each for each in found if each]

    def allows(self, failed: int, accounts: int) -> bool:
        """Whether the next wave begins after *failed* of the *accounts* until then."""
        if isinstance(self.max_failures, str):
            return failed * 100 <= accounts * int(self.max_failures.removesuffix("%"))
        return failed <= self.max_failures

    @property
    def limit(self) -> str:
        """`max_failures`, for messages."""
        return f"`accounts.rollout.max_failures` is {self.max_failures}"


def _of(size: int | str, total: int) -> int:
    """The number of accounts that a number or a share of *total* is, rounded up."""
    return ceil(total * int(size.removesuffix("%")) / 100) if isinstance(size, str) else size


class Accounts(AccountSelector):
    """The accounts that the baseline applies to, and how to sign in to them."""

    all: bool = Field(False, description="Every active account of the organization.")
    exclude: AccountSelector = Field(
        default=AccountSelector(),
        description="But not these.",
        json_schema_extra={"want": "a mapping such as {ids: ['123456789012']}"},
    )
    log_archive: Annotated[AccountId | None, BeforeValidator(_not_null)] = Field(
        None,
        description="The account that has the log buckets. The caller's, where left out.",
        json_schema_extra=_without_null,
    )
    role_name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9+=,.@_/-]{1,512}$",
            json_schema_extra={"want": "the name of a role, after its path if it has one"},
            description="The role to assume in each account but the caller's own.",
        ),
    ] = ROLE
    external_id: (
        Annotated[
            str,
            SECRET,
            Field(
                pattern=r"^[A-Za-z0-9+=,.@:/_-]{2,1224}$",
                json_schema_extra={
                    "want": "an external id of 2 to 1224 letters, digits and any of +=,.@:/_-"
                },
            ),
        ]
        | None
    ) = Field(None, description="What the role's trust policy asks for as `sts:ExternalId`.")
    session_tags: dict[Text, Annotated[str, Field(max_length=256)]] = Field(
        default={},
        max_length=50,
        description="Tags of the session; the trust policy must allow `sts:TagSession`.",
    )
    rollout: Annotated[Rollout | None, BeforeValidator(_not_null)] = Field(
        None,
        description="Apply in waves of accounts. To all accounts at once, where left out.",
        json_schema_extra=_without_null,
    )

    @model_validator(mode="after")
    def _all_or_selected(self) -> Self:
        if not (self.all or self.is_set):
            raise InvalidValue((), "say which accounts: `all: true`, `organizational_units`, `tags` or `ids`")
        if self.all and self.is_set:
            key = next(each for each in _SELECTORS if getattr(self, each))
            raise InvalidValue(key, "`all: true` is every account already: leave out one of the two")
        return self

    @property
    def listed(self) -> bool:
        """True if the file lists every account by id, so that AWS Organizations need not be asked."""
        return not (self.all or self.organizational_units or self.tags)


class Override(AccountSelector):
    """The accounts that one item of `overrides` applies to. Its values are in the same mapping, by section."""

    @model_validator(mode="after")
    def _selects_accounts(self) -> Self:
        if not self.is_set:
            raise InvalidValue((), "say for which accounts: `organizational_units`, `tags` or `ids`")
        return self


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
            json_schema_extra=_without_null,
        ),
        BeforeValidator(_not_null),
    ] = None
    accounts: Annotated[
        Accounts | None,
        BeforeValidator(_not_null),
        Field(
            description="The accounts of an organization. Only the caller's own where this is left out.",
            json_schema_extra=_without_null_such_as_all,
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

    @property
    def named_regions(self) -> list[str]:
        """The Regions that the file names: an empty list for `regions: all`."""
        return [region for region in self.regions if region != ALL]

    def covers(self, region: str) -> bool:
        """True if the baseline applies to the Region: it is named, or the file says `all`."""
        return ALL in self.regions or region in self.regions
