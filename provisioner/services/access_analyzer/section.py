"""The section `access_analyzer` of the YAML file. Fields are those of CreateAnalyzer, in snake_case."""

from typing import Annotated, Literal

from pydantic import Field

from ...baseline import NO_SETTING, ForOrganization, Switchable
from ...compare.stricter import lower
from ...steps.registry import section
from ...steps.settings import Guarded, Settings
from ...steps.tags import Tags

_Name = Annotated[
    str,
    NO_SETTING,
    Field(
        description="The name of a new analyzer. An existing one of the same type keeps its name.",
        min_length=1,
        max_length=255,
        pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$",
        json_schema_extra={"want": "up to 255 letters, digits and any of _.-, a letter or _ first"},
    ),
]
_AGE = Guarded(lower, "find-unused-access-later", "access that nobody uses is found later")


class UnusedAccess(Settings):
    """An analyzer that finds unused roles, users, keys and permissions. Billed for each role and user, every month."""

    lower_camel_case = True

    type: Annotated[
        Literal["ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS"],
        NO_SETTING,
        ForOrganization(("ORGANIZATION_UNUSED_ACCESS",), otherwise="ACCOUNT_UNUSED_ACCESS"),
    ] = Field(
        "ACCOUNT_UNUSED_ACCESS",
        description="One analyzer in each account, or one for the whole organization; in `home_region`.",
    )
    name: _Name = "unused-access"
    unused_access_age: Annotated[int | None, _AGE] = Field(
        None,
        ge=1,
        le=365,
        description="Days without use. If left out, a new analyzer has AWS's default of 90.",
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default


@section("access_analyzer")
class AccessAnalyzer(Switchable):
    """An analyzer in each Region that finds buckets, roles and keys with access from outside of the zone of trust. Free.

    An existing analyzer of that type is adopted, whatever its name; those that AWS services made are not touched.
    """

    same_for_all_accounts = (("type",), ("unused_access", "type"))

    type: Annotated[
        Literal["ACCOUNT", "ORGANIZATION"],
        NO_SETTING,
        ForOrganization(("ORGANIZATION",), otherwise="ACCOUNT"),
    ] = Field(
        "ACCOUNT",
        description="The zone of trust: each account by itself, or the organization, with one analyzer for all accounts.",
    )
    name: _Name = "external-access"
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default
    unused_access: UnusedAccess | None = Field(None, description="Not touched if left out.")
