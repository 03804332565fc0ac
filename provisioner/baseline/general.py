"""The settings at the top of the file that belong to no section: names, Regions and accounts."""

from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .section import AccountId, InvalidValue, Region, Section, Text

ALL: Final = "all"
ROLE: Final = "OrganizationAccountAccessRole"  # AWS Organizations makes it in every account that it creates
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
]
Tags = Annotated[dict[Text, str], Field(min_length=1)]


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
