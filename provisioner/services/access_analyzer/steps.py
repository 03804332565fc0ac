"""IAM Access Analyzer: an analyzer of each type that the file asks for, and that it is active."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Call, Changes, Exists, Finding, Findings, Scope, Wait, create
from ...steps.organization import OrganizationFeature, trusted_access
from ...steps.registry import hints, step, verify
from ...steps.settings import Strictness, settings, to_api
from ...steps.tags import tags
from .section import AccessAnalyzer, UnusedAccess

Analyzer = Mapping[str, Any]
Wanted = AccessAnalyzer | UnusedAccess

PRINCIPAL: Final = "access-analyzer.amazonaws.com"
ORGANIZATION_ANALYZER: Final = OrganizationFeature(
    PRINCIPAL,
    "an analyzer of the organization",
    "access_analyzer.type: ACCOUNT",
    f"aws organizations register-delegated-administrator --service-principal {PRINCIPAL}",
)
_TITLES: Final = {AccessAnalyzer: "external access analyzer", UnusedAccess: "unused access analyzer"}
_AGE: Final = "unusedAccessAge"
# It asks Organizations every few minutes only; Terraform waits ten.
_SEEN = Wait("ValidationException", "Access Analyzer to see the organization", "create an organization", 600)
_BUSY = Wait("ConflictException", "Access Analyzer to end what it does with the analyzer", seconds=180)

hints(
    "accessanalyzer",
    {
        "ConflictException": "an analyzer of that name and of another type is there: choose another `name`",
        "ServiceQuotaExceededException": "an account has one analyzer of a type in a Region, an organization five:"
        " `aws accessanalyzer list-analyzers` shows them",
    },
)


def wanted(baseline: Baseline, *, organization: bool, home: bool) -> list[Wanted]:
    """The analyzers of one account, or of the *organization*, in a Region; that of unused access is at *home* only."""
    section = baseline[AccessAnalyzer]
    every: list[Wanted] = [section]
    if home and section.unused_access is not None:
        every.append(section.unused_access)
    return [each for each in every if each.type.startswith("ORGANIZATION") is organization]


def read_analyzer(aws: Aws, want: Wanted) -> Analyzer | None:
    """The analyzer of that type: that of the name in the file, else the first that is active; or None.

    Those that an AWS service manages are no concern of ours.
    """
    listed = aws.read("accessanalyzer").list_analyzers().get("analyzers")
    found = [each for each in listed if each["type"] == want.type and not each.get("managedBy")]
    found.sort(key=lambda each: (each["name"] != want.name, each["status"] != "ACTIVE", each["name"]))
    return found[0] if found else None


@step("access_analyzer", AccessAnalyzer, Scope.REGION, clients=("accessanalyzer",))
def ensure_access_analyzer(aws: Aws, baseline: Baseline) -> Changes:
    """The account has its analyzers."""
    for want in wanted(baseline, organization=False, home=aws.target.home):
        yield from _analyzer(aws, want)


@step("access_analyzer_trusted_access", AccessAnalyzer, Scope.ONCE, clients=("organizations",))
def ensure_access_analyzer_trusted_access(aws: Aws, baseline: Baseline) -> Changes:
    """Access Analyzer has trusted access, where an analyzer is the organization's."""
    if wanted(baseline, organization=True, home=True):
        yield from trusted_access(aws, ORGANIZATION_ANALYZER)


@step(
    "access_analyzer_organization",
    AccessAnalyzer,
    Scope.ONCE,
    needs=("access_analyzer_trusted_access",),
    each_region=True,
    clients=("accessanalyzer",),
)
def ensure_access_analyzer_organization(aws: Aws, baseline: Baseline) -> Changes:
    """The organization has its analyzers, in the account that the run is started from."""
    for want in wanted(baseline, organization=True, home=aws.target.home):
        yield from _analyzer(aws, want)


def _analyzer(aws: Aws, want: Wanted) -> Changes:
    """Make the analyzer or adopt it, and bring its settings to the baseline."""
    have, write = read_analyzer(aws, want), aws.write("accessanalyzer")
    title = f"{_TITLES[type(want)]} {have['name'] if have else want.name}"
    age = want.unused_access_age if isinstance(want, UnusedAccess) else None
    if have is None:
        configuration = {"configuration": {"unusedAccess": {_AGE: age}}} if age is not None else {}
        given = {"tags": want.tags} if want.tags else {}
        call = write.create_analyzer(analyzerName=want.name, type=want.type, **given, **configuration)
        shown: dict[str, Any] = {"type": want.type, **({_AGE: age} if age is not None else {})}
        shown |= {f"tag {key}": value for key, value in want.tags.items()}
        yield create(title, shown, call.waiting(_SEEN).or_done("ConflictException"))
        return
    yield Exists(title)
    if isinstance(want, UnusedAccess):
        yield from _unused_access(aws, title, have["name"], want)
    yield from tags(
        title,
        have.get("tags") or {},
        want.tags,
        lambda missing: write.tag_resource(resourceArn=have["arn"], tags=missing),
    )


def _unused_access(aws: Aws, title: str, name: str, want: UnusedAccess) -> Changes:
    """Its age. What others excluded from the analysis goes back with it."""
    configuration = (
        aws.read("accessanalyzer").get_analyzer(analyzerName=name).get("analyzer").get("configuration")
    )
    have = (configuration or {}).get("unusedAccess") or {}

    def put(changed: dict[str, Any]) -> Call:
        made = aws.write("accessanalyzer").update_analyzer(
            analyzerName=name, configuration={"unusedAccess": {**have, **changed}}
        )
        return made.waiting(_BUSY)

    asked = {key: value for key, value in to_api(want).items() if key == _AGE}
    yield from settings(title, have, asked, put, Strictness.of(UnusedAccess, exact=want.exact))


@verify("access_analyzer")
def verify_access_analyzer(aws: Aws, baseline: Baseline) -> Findings:
    """The account's analyzers are active."""
    yield from _active(aws, wanted(baseline, organization=False, home=aws.target.home))


@verify("access_analyzer_organization")
def verify_access_analyzer_organization(aws: Aws, baseline: Baseline) -> Findings:
    """The organization's analyzers are active: they end with its trusted access."""
    yield from _active(aws, wanted(baseline, organization=True, home=aws.target.home))


def _active(aws: Aws, several: list[Wanted]) -> Iterator[Finding]:
    for want in several:
        have = read_analyzer(aws, want)
        title = f"{_TITLES[type(want)]} {have['name'] if have else want.name}"
        if have is None:
            yield Finding(title, "active", False, "not there")
            continue
        why = (have.get("statusReason") or {}).get("code", "")
        ok = {"ACTIVE": True, "CREATING": None}.get(have["status"], False)
        yield Finding(title, "active", ok, f"{have['status']}{why and f': {why}'}")
