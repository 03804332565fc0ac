"""`accounts` and `overrides` of the file: which accounts of the organization, and in which waves `apply` changes them."""

from collections.abc import Sequence
from math import ceil
from typing import Annotated, Final, Self, TypeVar

from pydantic import Field, field_validator, model_validator

from .section import NOT_NULL, SECRET, AccountId, InvalidValue, Section, Text, without_null

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


class AccountSelector(Section):
    """Accounts of the organization: by organizational unit, by tags, and by id."""

    organizational_units: list[Unit] = Field(
        default=[],
        description="Those in these units, and in units below. By id, or by name: `Workloads/Prod`.",
    )
    tags: Annotated[Tags | None, NOT_NULL] = Field(
        None, description="Those that have all of these tags.", json_schema_extra=without_null
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
    log_archive: Annotated[AccountId | None, NOT_NULL] = Field(
        None,
        description="The account that has the log buckets. The caller's, where left out.",
        json_schema_extra=without_null,
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
    rollout: Annotated[Rollout | None, NOT_NULL] = Field(
        None,
        description="Apply in waves of accounts. To all accounts at once, where left out.",
        json_schema_extra=without_null,
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

    without: Annotated[list[Text], Field(min_length=1)] = Field(
        default=[],
        description="Sections that are not for these accounts: what the accounts have of them stays as it is.",
    )

    @model_validator(mode="after")
    def _selects_accounts(self) -> Self:
        if not self.is_set:
            raise InvalidValue((), "say for which accounts: `organizational_units`, `tags` or `ids`")
        return self
