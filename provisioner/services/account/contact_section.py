"""The parts of the section `account` that say whom AWS writes to and calls."""

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from ...baseline import InvalidValue, Section

_Line = Annotated[str, Field(min_length=1, max_length=60)]
_Name = Annotated[str, Field(min_length=1, max_length=50)]
# "This field is required in the following countries": PutContactInformation.
WITH_STATE: Final = ("US", "CA", "GB", "DE", "JP", "IN", "BR")
_PHONE: Final[dict[str, Any]] = {
    "want": "up to 20 characters: +, then digits, spaces and any of ()-, in quotes"
}


class AlternateContact(Section):
    """Whom AWS writes to and calls, beside the owner of the account. AWS wants all four."""

    name: str = Field(min_length=1, max_length=64)
    title: str = Field(min_length=1, max_length=50, description="The title of the person, such as `CISO`.")
    email_address: str = Field(
        min_length=3,
        max_length=254,
        pattern=r"^[\w+=.#|!&-]+@[\w.-]+\.\w+$",
        json_schema_extra={"want": "an e-mail address"},
    )
    phone_number: str = Field(
        min_length=1,
        max_length=25,
        pattern=r"^[\s0-9()+-]+$",
        json_schema_extra={"want": "up to 25 digits, spaces and any of ()+-, in quotes"},
    )


class AlternateContacts(Section):
    """The alternate contacts of the account. One that is left out is not touched."""

    security: AlternateContact | None = Field(None, description="For AWS's abuse and security notices. CIS.")
    billing: AlternateContact | None = None
    operations: AlternateContact | None = None


class ContactInformation(Section):
    """The owner of the account, whom AWS writes to and calls. What may be left out keeps what AWS has."""

    full_name: _Name
    company_name: _Name | None = None
    address_line1: _Line
    address_line2: _Line | None = None
    address_line3: _Line | None = None
    city: _Name
    state_or_region: _Name | None = Field(None, description=f"AWS wants it in {', '.join(WITH_STATE)}.")
    district_or_county: _Name | None = None
    postal_code: str = Field(min_length=1, max_length=20, description="In quotes, if it is a number.")
    country_code: str = Field(pattern=r"^[A-Z]{2}$", json_schema_extra={"want": "two letters such as DE"})
    phone_number: str = Field(
        max_length=20,
        pattern=r"^\+[\s0-9()-]+$",
        description="AWS may call it to verify it.",
        json_schema_extra=_PHONE,
    )
    website_url: str | None = Field(None, min_length=1, max_length=256)

    @model_validator(mode="after")
    def _check_state(self) -> Self:
        if self.country_code in WITH_STATE and self.state_or_region is None:
            raise InvalidValue("state_or_region", f"is missing: AWS wants it in {self.country_code}")
        return self
