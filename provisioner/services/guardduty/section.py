"""The section `guardduty` of the YAML file. Fields are those of GuardDuty's API, in snake_case."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from ...baseline import (
    AccountId,
    Baseline,
    Contradiction,
    Control,
    InvalidValue,
    NotInFullProfile,
    Section,
    Switchable,
    Text,
)
from ...baseline.problem import Path, did_you_mean
from ...compare.stricter import ranked
from ...steps.references import NAMED_BY_AWS, Refers, check_key_region, check_references
from ...steps.registry import section
from ...steps.settings import Guarded, Settings
from ...steps.tags import Tags

Status = Literal["ENABLED", "DISABLED"]
Frequency = Literal["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"]
AutoEnable = Literal["ALL", "NEW", "NONE"]
Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Z][A-Z0-9_]*$", json_schema_extra={"want": "AWS's name of it, such as S3_DATA_EVENTS"}
    ),
]

# Runtime Monitoring includes that of EKS, and AWS refuses a request that names both (API reference, "CreateDetector").
# Both may be on: "you enabled EKS Runtime Monitoring, and later, also enabled Runtime Monitoring" (User Guide).
RUNTIME, EKS_RUNTIME = "RUNTIME_MONITORING", "EKS_RUNTIME_MONITORING"


FREQUENCY: Final = Guarded(
    ranked("SIX_HOURS", "ONE_HOUR", "FIFTEEN_MINUTES"),
    "publish-findings-later",
    "news of a finding that goes on comes later",
)
FEATURE: Final = Guarded(
    ranked("DISABLED", "ENABLED"),
    "disable-guardduty-features",
    "GuardDuty no longer looks at what it looks at now",
)
AUTO_ENABLE: Final = Guarded(
    ranked("NONE", "NEW", "ALL"), "auto-enable-fewer-accounts", "fewer accounts get it by themselves"
)


class Feature(Section):
    """A protection plan of the detector."""

    status: Status = Field(description="Billed by what it looks at, after 30 days of trial in each Region.")
    additional_configuration: dict[Name, Status] = Field(
        default={}, description="Its parts, by AWS's name, such as EKS_ADDON_MANAGEMENT. Those left out stay."
    )


class OrganizationFeature(Section):
    """The accounts of the organization in which a protection plan is enabled by itself."""

    auto_enable: AutoEnable = Field(description="ALL accounts, NEW ones that join, or NONE.")
    additional_configuration: dict[Name, AutoEnable] = Field(
        default={}, description="The same for its parts, by AWS's name. Those left out stay."
    )


class PublishingDestination(Control):
    """The bucket to which each Region's findings are exported. One destination that exists is adopted."""

    s3_bucket_name: Annotated[Text, Refers("bucket")] = Field(
        description="A key of `log_buckets`, or the name of a bucket there."
    )
    s3_key_prefix: str | None = Field(
        None,
        max_length=512,
        pattern=r"^([^/*?$].*[^/]|[^/*?$])?$",
        description="What comes before `AWSLogs/` in the bucket; an empty text is nothing. If left out, AWS's is kept.",
        json_schema_extra={"want": "a prefix without / at its ends"},
    )
    kms_key_arn: Annotated[str, Refers("key", NAMED_BY_AWS)] = Field(
        pattern=r"^(arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+|[A-Za-z0-9_-]+)$",
        description="The key that encrypts findings, without which AWS exports none: one of the file, by its name there, or"
        " the ARN of another in `home_region`, whose policy must let GuardDuty `kms:GenerateDataKey`.",
        json_schema_extra={"want": "the ARN of a KMS key, or a key's name in the file"},
    )


class Organization(Control):
    """GuardDuty in the whole organization. Its settings are made in the account that the run is started from."""

    admin_account_id: Annotated[
        AccountId | None, NotInFullProfile("an alternative of the account that runs are started from")
    ] = Field(
        None,
        description="The delegated administrator in each Region. If left out, one that exists stays, and else it is the"
        " account that the run is started from. AWS advises against the management account.",
    )
    auto_enable_organization_members: AutoEnable | None = Field(
        None,
        description="Enable GuardDuty in NEW accounts that join, in ALL accounts, those included that were suspended or"
        " removed in GuardDuty, or in NONE. Each account is billed.",
    )
    features: dict[Name, OrganizationFeature] = Field(
        default={},
        description="The same for each protection plan, by AWS's name. ALL also enables it in each member that has it off.",
    )
    create_members: bool | None = Field(
        None,
        description="Add every account that is in the organization now, at once, which enables GuardDuty in it, and start"
        " members that are suspended. Nobody is ever removed.",
    )


@section("guardduty")
class GuardDuty(Settings, Switchable):
    """A detector in each Region, enabled. One that exists is adopted; in a new one, what the file leaves out is disabled."""

    same_for_all_accounts = (
        ("publishing_destination", "s3_bucket_name"),
        ("publishing_destination", "s3_key_prefix"),
        ("organization",),
    )

    finding_publishing_frequency: Annotated[Frequency | None, FREQUENCY] = Field(
        None, description="How often a finding that goes on is published again."
    )
    features: dict[Name, Feature] = Field(
        default={}, description="Protection plans, by AWS's name. Those left out stay as they are."
    )
    publishing_destination: PublishingDestination | None = Field(
        None, description="Export of findings to S3."
    )
    organization: Organization | None = Field(None, description="Not touched if left out.")
    tags: Tags = {}  # noqa: RUF012 - pydantic copies a default

    def controls(self) -> Iterator[tuple[str, Control]]:
        """Those of the destination and of the organization."""
        if self.publishing_destination:
            yield "publishing destination", self.publishing_destination
        if self.organization:
            yield "GuardDuty of the organization", self.organization

    @model_validator(mode="after")
    def _check(self) -> Self:
        on = [
            name
            for name in (RUNTIME, EKS_RUNTIME)
            if name in self.features and self.features[name].status == "ENABLED"
        ]
        if len(on) > 1:
            text = f"goes without `{RUNTIME}`, which includes it: drop it, or disable one of the two"
            raise InvalidValue.several([(("features", EKS_RUNTIME), text)])
        if self.organization and self.organization.features.keys() >= {RUNTIME, EKS_RUNTIME}:
            text = f"goes without `{RUNTIME}`, which includes it: drop it, as AWS takes no request that names both"
            raise InvalidValue.several([(("organization", "features", EKS_RUNTIME), text)])
        return self

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """A bucket that is not in `log_buckets`, a key in the wrong Region, and names that AWS's model does not know."""
        yield from check_references(baseline, self, ("guardduty",))
        if destination := self.publishing_destination:
            path = ("guardduty", "publishing_destination", "kms_key_arn")
            yield from check_key_region(baseline, destination.kms_key_arn, path)
        yield from _unknown_names(
            ("guardduty", "features"), self.features, "DetectorFeature", "FeatureAdditionalConfiguration"
        )
        if self.organization:
            path = ("guardduty", "organization", "features")
            parts = "OrgFeatureAdditionalConfiguration"
            yield from _unknown_names(path, self.organization.features, "OrgFeature", parts)


def _unknown_names(
    path: Path, features: Mapping[str, Feature | OrganizationFeature], shape: str, part_shape: str
) -> Iterator[Contradiction]:
    """Names of features, and of their parts, that the installed model of AWS does not have."""
    if not features:
        return
    from ...aws.service_models import enum  # loads a model

    def unknown(name: str, known: tuple[str, ...], *at: str) -> Iterator[Contradiction]:
        if name not in known:
            hint = did_you_mean(name, known) or f"one of {', '.join(known)}; if it is new, upgrade botocore"
            yield Contradiction((*path, *at), f"AWS's model (botocore) knows no `{name}`; {hint}")

    for name, feature in features.items():
        yield from unknown(name, enum("guardduty", shape), name)
        for part in feature.additional_configuration:
            yield from unknown(part, enum("guardduty", part_shape), name, "additional_configuration", part)
