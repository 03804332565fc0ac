"""The steps of Access Analyzer: make an analyzer of each type that the file asks for, and verify that it is active."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Call, Changes, Exists, Finding, Findings, Kind, Note, Part, Scope, Wait, create
from ...steps.organization import OrganizationFeature, trusted_access
from ...steps.registry import harmful_actions, hints, step, verify
from ...steps.settings import Strictness, settings, to_api
from ...steps.suppressions import suppression
from ...steps.tags import tags
from .section import AccessAnalyzer, UnusedAccess

Analyzer = Mapping[str, Any]
AnalyzerSection = AccessAnalyzer | UnusedAccess

PRINCIPAL: Final = "access-analyzer.amazonaws.com"
ORGANIZATION_ANALYZER: Final = OrganizationFeature(
    PRINCIPAL,
    "an analyzer of the organization",
    "access_analyzer.type: ACCOUNT",
)
_TITLES: Final = {AccessAnalyzer: "external access analyzer", UnusedAccess: "unused access analyzer"}
_AGE: Final = "unusedAccessAge"
_BILLED: Final = {  # by whether it is of the organization
    False: "each role and user of the account is billed every month, whether it is used or not",
    True: "each role and user of every account of the organization is billed every month, whether it is used or not",
}
# It reads Organizations every few minutes only; Terraform waits ten minutes.
_ORGANIZATION_SEEN = Wait(
    "ValidationException", "Access Analyzer to see the organization", "create an organization", 600
)
_BUSY = Wait("ConflictException", "Access Analyzer to finish what it does with the analyzer", seconds=180)

harmful_actions(
    AccessAnalyzer,
    *(
        "access-analyzer:DeleteAnalyzer",
        "access-analyzer:UpdateAnalyzer",
        "access-analyzer:CreateArchiveRule",
        "access-analyzer:UpdateArchiveRule",
    ),
)
hints(
    "accessanalyzer",
    {
        "ConflictException": "an analyzer of that name and of another type exists: choose another `name`",
        "ServiceQuotaExceededException": "an account has one analyzer of a type in a Region, an organization five:"
        " `aws accessanalyzer list-analyzers` shows them",
    },
)


def want_analyzers(baseline: Baseline, *, organization: bool, home: bool) -> list[AnalyzerSection]:
    """The analyzers that the file asks for in a Region: those of the account, or of the *organization*.

    The analyzer of unused access is in the *home* Region only.
    """
    section = baseline[AccessAnalyzer]
    sections: list[AnalyzerSection] = [section]
    if home and section.unused_access:
        sections.append(section.unused_access)
    return [each for each in sections if each.type.startswith("ORGANIZATION") is organization]


def read_analyzer(aws: Aws, want: AnalyzerSection) -> Analyzer | None:
    """The analyzer of that type, or None: preferably that of the name in the file, then one that is active.

    Analyzers that AWS services manage do not count.
    """
    listed = aws.read("accessanalyzer").list_analyzers().get("analyzers")
    found = [each for each in listed if each["type"] == want.type and not each.get("managedBy")]
    return min(
        found,
        key=lambda each: (each["name"] != want.name, each["status"] != "ACTIVE", each["name"]),
        default=None,
    )


@step("access_analyzer", AccessAnalyzer, Scope.REGION, clients=("accessanalyzer",))
def ensure_access_analyzer(aws: Aws, baseline: Baseline) -> Changes:
    """Make the account's analyzers, and bring their settings to the baseline."""
    for want in want_analyzers(baseline, organization=False, home=aws.target.home):
        yield from _analyzer(aws, want)


@step("access_analyzer_trusted_access", AccessAnalyzer, Scope.ONCE, clients=("organizations",))
def ensure_access_analyzer_trusted_access(aws: Aws, baseline: Baseline) -> Changes:
    """Give Access Analyzer trusted access, where the file asks for an analyzer of the organization."""
    if want_analyzers(baseline, organization=True, home=True):
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
    """Make the organization's analyzers, in the account that the run is started from."""
    for want in want_analyzers(baseline, organization=True, home=aws.target.home):
        yield from _analyzer(aws, want)


def _analyzer(aws: Aws, want: AnalyzerSection) -> Changes:
    """Make the analyzer if there is none of its type, and bring its settings to the baseline."""
    have, write = read_analyzer(aws, want), aws.write("accessanalyzer")
    title = analyzer_title(want, have)
    if have is None:
        age = (
            {_AGE: want.unused_access_age}
            if isinstance(want, UnusedAccess) and want.unused_access_age
            else {}
        )
        configuration = {"configuration": {"unusedAccess": age}} if age else {}
        given = {"tags": want.tags} if want.tags else {}
        call = write.create_analyzer(analyzerName=want.name, type=want.type, **given, **configuration)
        if isinstance(want, UnusedAccess):
            yield Note(Kind.WARNING, title, _BILLED[want.type.startswith("ORGANIZATION")])
        shown = {"type": want.type, **age, **{f"tag {key}": value for key, value in want.tags.items()}}
        yield create(title, shown, call.waiting(_ORGANIZATION_SEEN).or_done("ConflictException"))
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
    yield Part(f"archive rules of the {title}", _ensure_unarchived(aws, title, have["name"]))


def _ensure_unarchived(aws: Aws, title: str, name: str) -> Changes:
    """Offer to delete each rule that archives new findings: an analyzer cannot be told to pass over one."""
    key = {"analyzerName": name}
    for each in aws.read("accessanalyzer").list_archive_rules(**key).get("archiveRules"):
        call = aws.write("accessanalyzer").delete_archive_rule(**key, ruleName=each["ruleName"])
        yield suppression(title, "archive rule", each["ruleName"], "archives new findings unseen", call)


def analyzer_title(want: AnalyzerSection, have: Analyzer | None) -> str:
    """The name of an analyzer in plans: the one that it has, or is to get."""
    return f"{_TITLES[type(want)]} {have['name'] if have else want.name}"


def _unused_access(aws: Aws, title: str, name: str, want: UnusedAccess) -> Changes:
    """Update the age. What others excluded from the analysis is written again with it."""
    reading = aws.read("accessanalyzer").get_analyzer(analyzerName=name)
    analyzer = reading.get("analyzer")
    have = (analyzer.get("configuration") or {}).get("unusedAccess") or {}

    def put(changed: dict[str, Any]) -> Call:
        configuration = {"unusedAccess": {**have, **changed}}
        call = aws.write("accessanalyzer").update_analyzer(analyzerName=name, configuration=configuration)
        return call.waiting(_BUSY).based_on(reading.at("analyzer", "configuration"))

    stated = {key: value for key, value in to_api(want).items() if key == _AGE}
    yield from settings(title, have, stated, put, Strictness.of(UnusedAccess, exact=want.exact))


@verify("access_analyzer")
def verify_access_analyzer(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the account's analyzers are active."""
    yield from _active(aws, want_analyzers(baseline, organization=False, home=aws.target.home))


@verify("access_analyzer_organization")
def verify_access_analyzer_organization(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the organization's analyzers are active; without trusted access AWS disables them."""
    yield from _active(aws, want_analyzers(baseline, organization=True, home=aws.target.home))


def _active(aws: Aws, analyzers: list[AnalyzerSection]) -> Iterator[Finding]:
    for want in analyzers:
        have = read_analyzer(aws, want)
        if have is None:
            yield Finding(analyzer_title(want, have), "active", False, "not there")
            continue
        reason = (have.get("statusReason") or {}).get("code")
        ok = {"ACTIVE": True, "CREATING": None}.get(have["status"], False)
        detail = f"{have['status']}: {reason}" if reason else have["status"]
        yield Finding(analyzer_title(want, have), "active", ok, detail)
