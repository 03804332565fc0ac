"""`Facts`: what a new file must know of its account. Reads them from AWS; what may not be read is left out and told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from ...aws import Aws
from ...aws.errors import DENIED, ClientError, code_of
from ...steps.organization import Organization, read_organization
from ...steps.regions import enabled_regions

Value = TypeVar("Value")
_LONGEST: Final = 32  # characters of a guessed name: names of buckets go on after it


@dataclass(frozen=True)
class Facts:
    """What is known of the account, and what the flags ask for. Without a look at AWS, *account* is empty.

    *names*: what could be the `organization_name`, the best first, each with where it comes from. *regions*: those that
    were asked for. *unread*: what the caller may not read.
    """

    home_region: str
    names: tuple[tuple[str, str], ...] = ()
    regions: tuple[str, ...] = ()
    enabled: tuple[str, ...] = ()
    account: str = ""
    alias: str = ""
    organization: Organization | None = None
    single_account: bool = False
    unread: tuple[str, ...] = ()

    @property
    def manages(self) -> bool:
        """The account is the management account of an organization with all features."""
        have = self.organization
        return have is not None and have.all_features and have.management_account == self.account

    @property
    def of_organization(self) -> bool:
        """The file is for all accounts of the organization."""
        return self.manages and not self.single_account


def read_facts(aws: Aws, home_region: str) -> Facts:
    """The facts of the account. Raises AWS's errors, but for calls that are denied."""
    unread: list[str] = []
    none: tuple[str, ...] = ()

    def allowed(what: str, read: Callable[[], Value], otherwise: Value) -> Value:
        try:
            return read()
        except ClientError as error:
            if code_of(error) not in DENIED:
                raise
            unread.append(what)
            return otherwise

    aliases = aws.read("iam").list_account_aliases()
    organization = allowed("its organization", lambda: read_organization(aws), None)
    enabled = allowed("its enabled Regions", lambda: tuple(enabled_regions(aws, home_region)[0]), none)
    alias = next(iter(allowed("its alias", lambda: aliases.get("AccountAliases"), [])), "")
    name = ""
    if organization and organization.management_account == aws.account:
        described = aws.read("organizations").describe_account(AccountId=aws.account)
        name = allowed("its name", lambda: str(described.get("Account").get("Name", "")), "")
    return Facts(
        home_region,
        tuple(_names(alias, name, organization)),
        enabled=enabled,
        account=aws.account,
        alias=alias,
        organization=organization,
        unread=tuple(unread),
    )


def _names(alias: str, name: str, organization: Organization | None) -> Iterator[tuple[str, str]]:
    """What the organization could be called in the names of buckets, and where that comes from."""
    identifier = organization.id if organization else ""
    for text, source in (
        (alias, "the account's alias"),
        (name, "the name of the management account"),
        (identifier, "the id of the organization"),
    ):
        if short := re.sub(r"[^a-z0-9]+", "-", text.lower())[:_LONGEST].strip("-"):
            yield short, source
