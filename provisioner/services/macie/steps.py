"""The step `macie`: enable Macie in each Region that has it, and bring its settings to the baseline."""

from __future__ import annotations

from typing import Any

from ...aws import Aws
from ...baseline import Baseline
from ...model import Call, Changes, Exists, Finding, Findings, Kind, Note, Part, Scope, Wait, create
from ...steps.regions import enabled_regions
from ...steps.registry import harmful_actions, hints, step, verify
from ...steps.settings import Strictness, settings, to_api
from .discovery import ensure_discovery, ensure_exclusions
from .members import MEMBERS, ensure_members
from .section import Macie, Organization, SecurityHubConfiguration
from .state import (
    ENABLED,
    NEW_PUBLICATION,
    SERVICE,
    TITLE,
    administrator,
    if_enabled,
    read_auto_enable,
    read_discovery,
    read_session,
    start_reads,
)
from .suppressions import ensure_unsuppressed

harmful_actions(
    Macie,
    *(
        "macie2:DisableMacie",
        "macie2:UpdateMacieSession",
        "macie2:UpdateAutomatedDiscoveryConfiguration",
        "macie2:PutClassificationExportConfiguration",
        "macie2:DisableOrganizationAdminAccount",
        "macie2:CreateFindingsFilter",
        "macie2:UpdateFindingsFilter",
        "macie2:UpdateMemberSession",
        "macie2:DisassociateMember",
        "macie2:DeleteMember",
    ),
)
hints(
    SERVICE,
    {
        "ValidationException": "is the bucket's policy that of `log_buckets`, does the key's policy let"
        " macie.amazonaws.com use `kms:GenerateDataKey` and `kms:Encrypt`, and are both in one Region",
        "ServiceQuotaExceededException": "`aws service-quotas list-service-quotas --service-code macie2` shows the quotas",
    },
)
_ADMINISTERS = Wait("AccessDeniedException", "Macie to know its administrator", "administrator", 240)


@step(
    "macie",
    Macie,
    Scope.REGION,
    clients=("organizations", SERVICE),
    after=("log_buckets", "macie_administrator"),
)
def ensure_macie(aws: Aws, baseline: Baseline) -> Changes:
    """Enable Macie, or resume it, and bring its settings to the baseline; each where the others fail, too."""
    if aws.target.home and (missing := regions_without_macie(aws, baseline)):
        text = f"AWS has no Macie in {', '.join(missing)}: nothing is done there"
        yield Note(Kind.WARNING, TITLE, text)
    if not aws.offers(SERVICE):
        return
    section = baseline[Macie]
    start_reads(aws, section)
    yield from _session(aws, section)
    start_reads(aws, section)  # what a new session has
    if section.security_hub_configuration:
        yield Part("Macie's findings publication", _publication(aws, section))
    yield Part("Macie's suppression rules", ensure_unsuppressed(aws))
    if section.automated_discovery:
        yield Part("Macie's automated discovery", ensure_discovery(aws, section))
        yield Part("Macie's classification scope", ensure_exclusions(aws, baseline))
    if section.organization and aws.account == section.administrator:
        yield Part("Macie's organization configuration", _organization(aws, section))
        if section.organization.create_members and section.status == "ENABLED":
            yield Part(MEMBERS, ensure_members(aws, _ADMINISTERS))


def regions_without_macie(aws: Aws, baseline: Baseline) -> list[str]:
    """The Regions of the file in which AWS has no Macie, as far as botocore knows."""
    regions = baseline.general.named_regions or enabled_regions(aws, aws.region)[0]
    asked = filter(baseline[Macie].runs_in, regions)
    return [each for each in asked if not aws.offers(SERVICE, each)]


def _session(aws: Aws, section: Macie) -> Changes:
    """Enable Macie, resume it, and set how often it publishes."""
    have, frequency = read_session(aws), section.finding_publishing_frequency
    want = {"status": section.status, **({"findingPublishingFrequency": frequency} if frequency else {})}
    if have is None:
        if not (section.automated_discovery and section.automated_discovery.status):
            text = (
                "AWS may enable automated discovery, which is billed, in an account that is new to Macie:"
                " say in `macie.automated_discovery.status` what you want"
            )
            yield Note(Kind.WARNING, TITLE, text)
        # The service-linked role may not be seen at once; Terraform waits four minutes.
        new_role = Wait("ClientError", "Macie's service-linked role to be seen", seconds=240)
        call = aws.write(SERVICE).enable_macie(**want).waiting(new_role).or_done("ConflictException")
        yield create(TITLE, want, call)
        return
    yield Exists(TITLE)

    reading = aws.read(SERVICE).get_macie_session()

    def put(changed: dict[str, Any]) -> Call:
        compared = reading.at(lambda answer: {name: answer.get(name) for name in have})
        return aws.write(SERVICE).update_macie_session(**changed).based_on(compared)

    yield from settings(TITLE, have, want, put, Strictness.of(Macie, exact=section.exact))


def _publication(aws: Aws, section: Macie) -> Changes:
    """Set which findings go to Security Hub, both switches in one request."""
    reading = aws.read(SERVICE).get_findings_publication_configuration()
    have = if_enabled(lambda: reading.get("securityHubConfiguration")) or NEW_PUBLICATION

    def put(full: dict[str, Any]) -> Call:
        call = aws.write(SERVICE).put_findings_publication_configuration(securityHubConfiguration=full)
        return call.waiting(ENABLED).based_on(reading.at("securityHubConfiguration"))

    want = to_api(section.security_hub_configuration)
    strictness = Strictness.of(SecurityHubConfiguration, exact=section.exact)
    yield from settings(TITLE, have, want, put, strictness, whole=True)


def _organization(aws: Aws, section: Macie) -> Changes:
    """Set whether accounts that join the organization get Macie."""
    want = {name: each for name, each in to_api(section.organization).items() if name == "autoEnable"}
    if not want:
        return
    have = {"autoEnable": bool(read_auto_enable(aws))}

    def put(changed: dict[str, Any]) -> Call:
        return aws.write(SERVICE).update_organization_configuration(**changed).waiting(ENABLED, _ADMINISTERS)

    yield from settings(TITLE, have, want, put, Strictness.of(Organization, exact=section.exact))


@verify("macie")
def verify_macie(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether Macie is enabled and not paused, and searches the buckets."""
    if not aws.offers(SERVICE):
        return
    section = baseline[Macie]
    start_reads(aws, section)
    session = read_session(aws)
    status = session["status"] if session else "not enabled"
    yield Finding(TITLE, "enabled", status == section.status, status)
    if section.automated_discovery and (want := section.automated_discovery.status):
        found = read_discovery(aws)
        have = found.have.get("status", "DISABLED")
        owner = found.owner or ("" if have == want else administrator(aws)())
        detail = f"{owner} sets it" if found.owner else f"{have}; {owner} sets it" if owner else have
        yield Finding(TITLE, "automated discovery", None if owner else have == want, detail)
