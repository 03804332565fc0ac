"""AWS Config: rules and conformance packs that it makes in all accounts of the organization, and the proof of each account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Changes, Finding, Findings, Part, Scope, Target
from ...steps.organization import OrganizationFeature, trusted_access
from ...steps.registry import hints, step, verify
from .organization_packs import PACKS, ensure_pack
from .organization_rules import RULES, ensure_rule
from .organization_section import OrganizationConformancePack, OrganizationRule
from .organization_state import DENIED, Deployed, ResourceKind
from .regional import in_region
from .section import Config
from .state import JsonObject

MULTI_ACCOUNT: Final = "config-multiaccountsetup.amazonaws.com"
ORGANIZATION: Final = OrganizationFeature(
    MULTI_ACCOUNT,
    "a rule or conformance pack of the organization",
    "config.organization_rules: {}",
)
_STEP: Final = "config_organization"
_NO_RECORDER: Final = "NoAvailableConfigurationRecorder"

hints(
    "config",
    {
        DENIED: "only the management account, or a delegated administrator of"
        f" {MULTI_ACCOUNT}, makes rules and packs of the organization",
    },
)


def rules_and_packs(
    section: Config, target: Target
) -> tuple[dict[str, OrganizationRule], dict[str, OrganizationConformancePack]]:
    """The organization's rules and packs of the file for the target's Region, by name."""
    return (
        in_region(section.organization_rules, target),
        in_region(section.organization_conformance_packs, target),
    )


@step(
    _STEP,
    Config,
    Scope.ONCE,
    needs=("config_recorder",),  # the account itself is one of those in which AWS makes them
    each_region=True,
    after_accounts=True,  # AWS makes nothing in accounts that have no recorder yet, and does not come again
    clients=("config", "organizations"),
    field="for_organization",
)
def ensure_config_organization(aws: Aws, baseline: Baseline) -> Changes:
    """Ensure trusted access, and each rule and pack of the organization. Those of other names are left alone."""
    exact = baseline[Config].exact
    rules, packs = rules_and_packs(baseline[Config], aws.target)
    kinds = [kind for kind, want in ((RULES, rules), (PACKS, packs)) if want]
    reads = {kind: (kind.listed(aws), kind.statuses(aws)) for kind in kinds}
    access = aws.read("organizations").list_aws_service_access_for_organization()
    if aws.target.home:
        yield from trusted_access(aws, ORGANIZATION)
    trusted = any(
        each["ServicePrincipal"] == MULTI_ACCOUNT for each in access.get("EnabledServicePrincipals")
    )
    found = {kind: Deployed(kind, *both, trusted=trusted) for kind, both in reads.items()}
    for name, rule in rules.items():
        yield Part(RULES.title(name), ensure_rule(aws, name, rule, found[RULES], exact=exact))
    for name, pack in packs.items():
        yield Part(PACKS.title(name), ensure_pack(aws, name, pack, found[PACKS]))


@verify(_STEP)
def verify_config_organization(aws: Aws, baseline: Baseline) -> Findings:
    """AWS has made each rule and pack in each account; the accounts without a recorder are named once."""
    rules, packs = rules_and_packs(baseline[Config], aws.target)
    names = [*((RULES, name) for name in rules), *((PACKS, name) for name in packs)]
    asked = [(kind, name, kind.details(aws, name)) for kind, name in names]
    lacking: set[str] = set()
    for kind, name, reading in asked:
        accounts = reading.value(kind.details_key, kind.missing)
        if accounts is None and _is_there(aws, kind, name):
            yield Finding(kind.title(name), "accounts", None, "AWS does not show them yet")
            continue
        yield accounts_finding(kind, name, accounts)
        lacking |= {each["AccountId"] for each in accounts or () if _lacks_recorder(kind, each)}
    if lacking:
        text = (
            f"{', '.join(sorted(lacking))}: no recorder in {aws.region}, so AWS makes nothing there: apply this file to"
            " these accounts and then here again, or list them in `excluded_accounts`"
        )
        yield Finding("accounts of the organization", "recorders", False, text)


def _is_there(aws: Aws, kind: ResourceKind, name: str) -> bool:
    """Whether AWS lists the rule or pack, whatever its other answers say."""
    return Deployed(kind, kind.listed(aws), kind.statuses(aws), trusted=False).of(name) is not None


def _lacks_recorder(kind: ResourceKind, account: JsonObject) -> bool:
    error = f"{account.get('ErrorCode', '')} {account.get('ErrorMessage', '')}"
    return str(account[kind.account_status]).endswith("_FAILED") and _NO_RECORDER in error


def accounts_finding(kind: ResourceKind, name: str, accounts: Iterable[JsonObject] | None) -> Finding:
    """Whether AWS has made the rule or pack in each account."""
    title, check = kind.title(name), "accounts"
    if accounts is None:
        return Finding(title, check, False, "it is not there")
    states = {each["AccountId"]: each for each in accounts}
    failed = [each for each in states.values() if str(each[kind.account_status]).endswith("_FAILED")]
    waiting = sum(str(each[kind.account_status]).endswith("_IN_PROGRESS") for each in states.values())
    if failed:
        shown = ", ".join(_shown(each) for each in failed[:3])
        return Finding(title, check, False, f"{len(failed)} of {len(states)} failed, such as {shown}")
    if waiting or not states:
        text = f"{waiting} of {len(states)} are under way" if waiting else "no account yet"
        return Finding(title, check, None, text)
    return Finding(title, check, True, f"in all of {len(states)}")


def _shown(account: Mapping[str, Any]) -> str:
    reason = account.get("ErrorCode") or account.get("ErrorMessage") or "AWS does not say why"
    return f"{account['AccountId']} ({reason})"
