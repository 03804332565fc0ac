"""The YAML section `access_analyzer`. Fields are CreateAnalyzer's, in snake_case."""

from typing import Annotated, Literal

from pydantic import Field

from ...baseline import NO_SETTING, Section
from ...compare.stricter import lower
from ...steps.registry import section
from ...steps.settings import Guarded, Settings
from ...steps.tags import Tags

_Name = Annotated[
    str,
    NO_SETTING,
    Field(
        min_length=1,
        max_length=255,
        pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$",
        json_schema_extra={"want": "up to 255 letters, digits and any of _.-, a letter or _ first"},
    ),
]
_LATER = Guarded(lower, "find-unused-access-later", "access that nobody uses is found later")


class UnusedAccess(Settings):
    """Finds roles, users, keys and permissions that nobody uses. Billed for each role and user, every month."""

    small_names = True

    type: Annotated[Literal["ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS"], NO_SETTING] = Field(
        "ACCOUNT_UNUSED_ACCESS",
        description="One analyzer in each account, or one for the whole organization; in `home_region`.",
    )
    name: _Name = Field(
        "unused-access", description="For a new one. One of that type is adopted as it is named."
    )
    unused_access_age: Annotated[int | None, _LATER] = Field(
        None, ge=1, le=365, description="Days without use. Left out, a new analyzer has AWS's 90."
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default


@section("access_analyzer")
class AccessAnalyzer(Section):
    """Finds what somebody outside of the zone of trust has access to: buckets, roles, keys. One in each Region, for nothing.

    An analyzer of that type that is there is adopted, whatever its name; those that AWS services made are not touched.
    """

    one_for_all = (("type",), ("unused_access", "type"))

    type: Annotated[Literal["ACCOUNT", "ORGANIZATION"], NO_SETTING] = Field(
        "ACCOUNT",
        description="The zone of trust: each account by itself, or the organization, which has one analyzer for all.",
    )
    name: _Name = Field(
        "external-access", description="For a new one. One of that type is adopted as it is named."
    )
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default
    unused_access: UnusedAccess | None = Field(None, description="Not touched, where left out.")
