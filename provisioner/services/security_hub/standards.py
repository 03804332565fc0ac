"""The standards of a Region: each is enabled by itself, as AWS takes no other before it is ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ...aws import Aws
from ...baseline.problem import did_you_mean
from ...model import Changes, Difference, Exists, Kind, Note, Part, Refused, Wait, create
from ...steps.settings import owned
from .section import SecurityHub, Standard
from .state import (
    HUB,
    HUB_KEY,
    WAITS,
    JsonObject,
    if_enabled,
    name_of,
    read_standards,
    standard_arn,
    standard_title,
    standards_of,
)

# "StandardsSubscription(s) in state PENDING, please try later": Terraform waits three minutes.
_OTHER = Wait("InvalidInputException", "the standard before it to be ready", "in state", 180)
_BILLED: Final = (
    "its checks are billed in this Region too, even if nothing runs here: `home_region_only` or `regions` of the"
    " standard leave a Region out"
)


def ensure_standards(aws: Aws, section: SecurityHub, owner: Callable[[], str], *, central: bool) -> Changes:
    """Enable the standards of the file. Those that others enabled are kept; with *central*, policies enable them."""
    have, want = read_standards(aws), standards_of(section, aws.target)
    others = [name for name in map(name_of, have) if name not in want]
    if others and not central:
        yield Note(
            Kind.FOREIGN, HUB, f"standards of others are kept, and billed: {', '.join(sorted(others))}"
        )
    for name, standard in want.items():
        if found := have.get(standard_arn(aws.target, name)):
            yield Exists(standard_title(name))
            if reason := status_reason(found):
                yield Note(Kind.WARNING, standard_title(name), f"is {found['StandardsStatus']}: {reason}")
        else:
            yield Part(standard_title(name), _enable(aws, name, standard, owner))


def status_reason(standard: JsonObject) -> str:
    """Why a standard is not ready, as AWS says it; or `""`."""
    reason = str((standard.get("StandardsStatusReason") or {}).get("StatusReasonCode") or "")
    if reason == "NO_AVAILABLE_CONFIGURATION_RECORDER":
        reason += "; AWS Config does not record here, which its controls need"
    return reason


def find_offer(aws: Aws, name: str) -> JsonObject | None:
    """AWS's entry of the standard; None if there is no hub yet, and so no list. Raises Refused if AWS does not offer it."""
    listed = if_enabled(aws.read("securityhub").describe_standards(), "Standards")
    if listed is None:
        return None
    offers = {name_of(each["StandardsArn"]): each for each in listed if each.get("Provider", "AWS") == "AWS"}
    if name not in offers:
        hint = did_you_mean(name, list(offers)) or f"it offers {', '.join(sorted(offers))}"
        raise Refused(f"AWS does not offer the standard `{name}` in {aws.region}: {hint}")
    offer: JsonObject = offers[name]
    return offer


def manager_of(offer: JsonObject | None) -> str:
    """The service that manages a standard, or `""`."""
    manager: dict[str, Any] = (offer or {}).get("StandardsManagedBy") or {}
    return " ".join(str(manager[key]) for key in ("Company", "Product") if manager.get(key))


def _enable(aws: Aws, name: str, standard: Standard, owner: Callable[[], str]) -> Changes:
    title, offer = standard_title(name), find_offer(aws, name)
    arn = offer["StandardsArn"] if offer else standard_arn(aws.target, name)
    if who := manager_of(offer) or owner():
        yield owned(title, Difference("StandardsArn", None, arn), who)
        return
    call = aws.write("securityhub").batch_enable_standards(
        StandardsSubscriptionRequests=[{"StandardsArn": arn}]
    )
    if not aws.target.home and standard.regions is None:
        yield Note(Kind.WARNING, title, _BILLED)
    yield create(title, {"StandardsArn": arn}, call.waiting(*WAITS, _OTHER).using(HUB_KEY))
