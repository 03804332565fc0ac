"""The mapping `recorder` in the YAML section `config`: what AWS Config records, and how often."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ...baseline import NO_SETTING, Control, InvalidValue, NotInFullProfile, Section
from ...steps.settings import to_api
from .recording import EVERYTHING, IAM_TYPES, WITHOUT_IAM, Types, continuous_types
from .resource_types import ResourceType

RecordingFrequency = Literal["CONTINUOUS", "DAILY"]
# API ConfigurationRecorder: service-linked recorders have this prefix, and customer managed ones cannot.
OF_SERVICES: Final = "AWSConfigurationRecorderFor"
_SOME: Final = NotInFullProfile("an alternative of `all_supported`")
# AWS refuses daily recording of the types that AWS Config records about itself.
_CONTINUOUS_ONLY: Final = frozenset(
    {
        *("AWS::Config::ResourceCompliance", "AWS::Config::ConformancePackCompliance"),
        "AWS::Config::ConfigurationRecorder",
    }
)


class RecordingGroup(Section):
    """What is recorded: every type, or `resource_types`, or all but `exclusion_by_resource_types`.

    If AWS records more, that is stricter and stays, unless `exact`.
    """

    all_supported: bool | None = Field(
        None, description="Every type, types that AWS adds later included. True if neither list is given."
    )
    include_global_resource_types: bool | None = Field(
        None,
        description="IAM users, groups, roles and policies, with `all_supported`. Recorded in `home_region`"
        " only: they are the same in every Region, and billed in each that records them.",
    )
    resource_types: Annotated[list[ResourceType] | None, _SOME] = Field(
        None, min_length=1, description="These types and no others, the same in every Region."
    )
    exclusion_by_resource_types: Annotated[list[ResourceType] | None, _SOME] = Field(
        None,
        min_length=1,
        description="All types but these. Outside of `home_region` IAM's four are excluded too, because AWS"
        " would record them in each Region.",
    )

    @model_validator(mode="after")
    def _check_strategy(self) -> Self:
        lists = [name for name in ("resource_types", "exclusion_by_resource_types") if getattr(self, name)]
        if len(lists) == 2:
            raise InvalidValue(
                lists[1], "goes without `resource_types`: say what is recorded, or what is not"
            )
        if lists and self.all_supported:
            raise InvalidValue("all_supported", f"goes without `{lists[0]}`: drop one of the two")
        if lists and self.include_global_resource_types:
            hint = "list the IAM types" if lists[0] == "resource_types" else "IAM's types are recorded anyway"
            raise InvalidValue("include_global_resource_types", f"goes with `all_supported` only: {hint}")
        if not lists and self.all_supported is False:
            raise InvalidValue(
                "all_supported", "nothing would be recorded: give `resource_types`, or leave it true"
            )
        return self

    def types(self, have: Types, *, iam: bool) -> Types:
        """The types to record, if AWS records *have* now. *iam*: this is the Region that records IAM."""
        if self.resource_types:
            return Types(frozenset(self.resource_types))
        if self.exclusion_by_resource_types:
            excluded = frozenset(self.exclusion_by_resource_types)
            return Types(excluded if iam else excluded | IAM_TYPES, all_but=True)
        if self.include_global_resource_types is None:
            return Types(frozenset(each for each in IAM_TYPES if each not in have), all_but=True)
        return EVERYTHING if self.include_global_resource_types and iam else WITHOUT_IAM


class RecordingModeOverride(Section):
    """Types that are recorded at another frequency than the rest."""

    description: str | None = Field(
        None, min_length=1, max_length=256, description="Why. If left out, AWS's is kept."
    )
    resource_types: list[ResourceType] = Field(
        min_length=1, description="The types that have the other frequency."
    )
    recording_frequency: RecordingFrequency = Field(description="The other frequency.")


class RecordingMode(Section):
    """How often changes are recorded. If AWS records more often, that is stricter and stays, unless `exact`."""

    lower_camel_case = True

    recording_frequency: RecordingFrequency = Field(
        "CONTINUOUS",
        description="DAILY costs less if much changes; rules see changes a day late, and Firewall Manager"
        " does not work.",
    )
    recording_mode_overrides: Annotated[
        list[RecordingModeOverride], NotInFullProfile("every type is recorded continuously")
    ] = Field(default=[], max_length=1, description="Types with another frequency; AWS takes one override.")

    @model_validator(mode="after")
    def _check_overrides(self) -> Self:
        for index, override in enumerate(self.recording_mode_overrides):
            place = ("recording_mode_overrides", index)
            if override.recording_frequency == self.recording_frequency:
                raise InvalidValue(
                    (*place, "recording_frequency"),
                    f"is {self.recording_frequency} anyway: drop the override",
                )
            only = [each for each in override.resource_types if each in _CONTINUOUS_ONLY]
            if override.recording_frequency == "DAILY" and only:
                raise InvalidValue((*place, "resource_types"), f"AWS records {only[0]} continuously only")
        return self

    @property
    def types(self) -> Types:
        """The types to record at each change."""
        return continuous_types(to_api(self))


def _check_name(name: str) -> str:
    if name.startswith(OF_SERVICES):
        raise InvalidValue(
            (), f"AWS gives names with `{OF_SERVICES}` to the recorders of its services: choose another"
        )
    return name


class Recorder(Control):
    """The configuration recorder: an account has one in each Region."""

    name: Annotated[str, NO_SETTING, AfterValidator(_check_name)] = Field(
        "default",
        min_length=1,
        max_length=256,
        description="The name of a new recorder. One that exists is adopted under its own name.",
    )
    recording_group: RecordingGroup | None = Field(
        None,
        description="What is recorded. If left out, AWS's is kept; a new recorder takes all but IAM's types.",
    )
    recording_mode: RecordingMode | None = Field(
        None, description="How often. If left out, AWS's is kept; a new recorder records every change."
    )

    @model_validator(mode="after")
    def _check_daily_types(self) -> Self:
        types = self.recording_group.resource_types if self.recording_group else None
        if self.recording_mode:
            for each in types or ():
                if each in _CONTINUOUS_ONLY and each not in self.recording_mode.types:
                    raise InvalidValue(
                        ("recording_mode", "recording_frequency"), f"AWS records {each} continuously only"
                    )
        return self
