"""The section `macie` of the YAML file. Fields are those of Macie's API, in snake_case."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from ...baseline import (
    NO_SETTING,
    AccountId,
    Baseline,
    Contradiction,
    ForOrganization,
    NotInFullProfile,
    Section,
    Switchable,
    Text,
)
from ...compare.stricter import on, ranked
from ...steps.references import NAMED_BY_AWS, Refers, check_key_region, check_references, find
from ...steps.registry import section
from ...steps.settings import Guarded, Settings

_FREQUENCY: Final = Guarded(
    ranked("SIX_HOURS", "ONE_HOUR", "FIFTEEN_MINUTES"),
    "publish-findings-less-often",
    "updates of policy findings are published later",
)
_SESSION: Final = Guarded(
    ranked("PAUSED", "ENABLED"), "pause-macie", "Macie watches no buckets while it is paused"
)
_PUBLISH: Final = Guarded(on, "publish-fewer-findings", "Security Hub no longer gets these findings")
_DISCOVERY: Final = Guarded(
    ranked("DISABLED", "ENABLED"), "discover-less", "sensitive data is no longer searched for every day"
)
_NEW_MEMBERS: Final = Guarded(
    ranked("NONE", "NEW", "ALL"), "discover-less", "fewer accounts are searched for sensitive data"
)
_MEMBERS: Final = Guarded(
    on, "leave-new-accounts-without-macie", "accounts that join the organization have no Macie"
)


class SecurityHubConfiguration(Section):
    """The findings that Macie publishes to Security Hub. What is left out stays as AWS has it."""

    lower_camel_case = True

    publish_classification_findings: Annotated[bool | None, _PUBLISH] = Field(
        None, description="Findings of sensitive data. AWS's default is false."
    )
    publish_policy_findings: Annotated[bool | None, _PUBLISH] = Field(
        None,
        description="Findings of buckets that are public, shared or not encrypted. AWS's default is true.",
    )


class ClassificationExport(Section):
    """Where Macie stores the results of discovery; without it, they are gone after 90 days."""

    lower_camel_case = True

    bucket_name: Annotated[Text, Refers("bucket")] = Field(
        description="A key of `log_buckets`, or the name of a bucket there. Its policy lets macie.amazonaws.com write;"
        " for Regions that you opted in to, add `macie.REGION.amazonaws.com` to its `policy_statements`."
    )
    key_prefix: str | None = Field(
        None,
        max_length=512,
        pattern=r"^([^/].*[^/]|[^/])?$",
        description="What comes before `AWSLogs/` in the bucket; an empty text is nothing. If left out, AWS's is kept.",
        json_schema_extra={"want": "a prefix without / at its ends"},
    )
    kms_key_arn: Annotated[str, Refers("key", NAMED_BY_AWS)] = Field(
        pattern=r"^(arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+|[A-Za-z0-9_-]+)$",
        description="The key that encrypts the results: one of the file, by its name there, or the ARN of another in"
        " `home_region`, whose policy must let macie.amazonaws.com use `kms:GenerateDataKey` and `kms:Encrypt`.",
        json_schema_extra={"want": "the ARN of a KMS key, or a key's name in the file"},
    )


class AutomatedDiscovery(Section):
    """The search for sensitive data in samples of all buckets, every day. Billed by bucket, object and GB.

    In a member of an organization with a Macie administrator, that account sets it: differences are told only.
    """

    lower_camel_case = True

    status: Annotated[Literal["ENABLED", "DISABLED"] | None, _DISCOVERY] = Field(
        None, description="If left out, AWS's is kept. AWS may enable it in an account that is new to Macie."
    )
    auto_enable_organization_members: Annotated[
        Literal["ALL", "NEW", "NONE"] | None,
        _NEW_MEMBERS,
        NotInFullProfile("goes with `organization`, which `init` makes a comment of"),
    ] = Field(
        None, description="The members for which the Macie administrator enables it: all, new ones, or none."
    )
    exclude_log_buckets: Annotated[bool, NO_SETTING] = Field(
        False,
        description="Keep the buckets of `log_buckets` out of the search: it costs, and finds noise. Nothing that is"
        " excluded is ever included again.",
    )


class Organization(Section):
    """Macie for all accounts of the organization."""

    lower_camel_case = True

    admin_account_id: AccountId = Field(
        description="The account that administers Macie, in every Region of the file; AWS recommends a member account."
        " Another account that does is an error, and never replaced."
    )
    auto_enable: Annotated[bool | None, _MEMBERS] = Field(
        None,
        description="Enable Macie in accounts that join the organization. Set in the administrator's account.",
    )
    create_members: bool | None = Field(
        None,
        description="Add every account that is in the organization now, which enables Macie in it, and resume members"
        " that are paused. Nobody is ever removed. Done in the administrator's account.",
    )


@section("macie")
class Macie(Settings, Switchable):
    """Amazon Macie, enabled in each Region that has it; other Regions are passed over. Billed by bucket and object."""

    lower_camel_case = True
    same_for_all_accounts = (("classification_export", "bucket_name"), ("organization",))

    status: Annotated[Literal["ENABLED", "PAUSED"], _SESSION] = Field(
        "ENABLED", description="PAUSED keeps the settings, and stops all that Macie does and bills."
    )
    finding_publishing_frequency: Annotated[
        Literal["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"] | None, _FREQUENCY
    ] = Field(
        None,
        description="How often updates of policy findings are published. If left out, a new session has AWS's default"
        " of FIFTEEN_MINUTES.",
    )
    security_hub_configuration: SecurityHubConfiguration | None = Field(
        None, description="Not touched if left out."
    )
    classification_export: ClassificationExport | None = Field(None, description="Not touched if left out.")
    automated_discovery: AutomatedDiscovery | None = Field(None, description="Not touched if left out.")
    organization: Annotated[Organization | None, ForOrganization()] = Field(
        None, description="Not touched if left out."
    )

    @property
    def administrator(self) -> str:
        """The account that administers Macie for the organization; empty if the file names none."""
        return self.organization.admin_account_id if self.organization else ""

    def contradictions(self, baseline: Baseline) -> Iterator[Contradiction]:
        """Report a wrong bucket, a key in the wrong Region, and settings of an administrator that is not named."""
        yield from check_references(baseline, self, ("macie",))
        discovery = self.automated_discovery
        if discovery and discovery.auto_enable_organization_members and not self.organization:
            path = ("macie", "automated_discovery", "auto_enable_organization_members")
            text = "is set by Macie's administrator: name it in `organization.admin_account_id`"
            yield Contradiction(path, text)
        if export := self.classification_export:
            yield from _export_problems(export, baseline)


def _export_problems(export: ClassificationExport, baseline: Baseline) -> Iterator[Contradiction]:
    path = ("macie", "classification_export")
    bucket = find(baseline, "bucket", export.bucket_name)
    if bucket is not None and bucket.resource.object_lock is not None:
        text = (
            "Macie cannot store results in a bucket whose Object Lock has a default retention: take another"
        )
        yield Contradiction((*path, "bucket_name"), text)
    yield from check_key_region(baseline, export.kms_key_arn, (*path, "kms_key_arn"))
