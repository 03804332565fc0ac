"""What GuardDuty has in the sandbox: detectors, and the administrators of the organization."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.iam import LINKED_ROLES, ensure_linked_role
from ....sandbox.model import Refused

PRINCIPAL: Final = "guardduty.amazonaws.com"
LINKED_ROLES[PRINCIPAL] = "AmazonGuardDuty"
ALWAYS: Final = (
    "CLOUD_TRAIL",
    "DNS_LOGS",
    "FLOW_LOGS",
)  # data sources that every detector has, and nobody sets
NOT_BY_DEFAULT: Final = ("EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING")
_AGENTS: Final = ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT")
FEATURES: Final[dict[str, tuple[str, ...]]] = {  # with their parts
    "S3_DATA_EVENTS": (),
    "EKS_AUDIT_LOGS": (),
    "EBS_MALWARE_PROTECTION": (),
    "RDS_LOGIN_EVENTS": ("RDS_DATA_RISK",),
    "LAMBDA_NETWORK_LOGS": (),
    "EKS_RUNTIME_MONITORING": _AGENTS[:1],
    "RUNTIME_MONITORING": _AGENTS,
    "AI_PROTECTION": (),
    "AI_ANALYST": (),
}
State = dict[str, Any]


def state(request: Request, kind: str) -> dict[Any, Any]:
    """The dictionary of one kind, e.g. `detectors` by account and Region."""
    kept: dict[Any, Any] = request.saved("guardduty").setdefault(kind, {})
    return kept


def refused(text: str) -> Refused:
    """GuardDuty's error for everything."""
    return Refused("BadRequestException", f"The request is rejected because {text}")


def offered(request: Request) -> dict[str, tuple[str, ...]]:
    """The features that the Region has, with their parts. Tests name in `lacking` those that it has not."""
    lacking = state(request, "lacking").get(request.region, ())
    return {name: parts for name, parts in FEATURES.items() if name not in lacking}


def now(request: Request) -> str:
    """The time, as GuardDuty writes it."""
    return datetime.fromtimestamp(request.world.now(), UTC).isoformat()


def made_id(*parts: str) -> str:
    """An id as AWS makes them, the same for the same parts each time."""
    return sha256(" ".join(parts).encode()).hexdigest()[:32]


def add_detector(request: Request, account: str) -> State:
    """Make a detector with AWS's defaults: every feature is on but Runtime Monitoring."""
    ensure_linked_role(account, request.partition, PRINCIPAL)
    features = {
        name: {
            "Status": "DISABLED" if name in NOT_BY_DEFAULT else "ENABLED",
            "Parts": dict.fromkeys(parts, "DISABLED"),
        }
        for name, parts in offered(request).items()
    }
    made = {
        "Id": made_id(account, request.region, request.operation),
        "Status": "ENABLED",
        "FindingPublishingFrequency": "SIX_HOURS",
        "CreatedAt": now(request),
        "UpdatedAt": now(request),
        "Features": features,
        "Tags": {},
        "Destinations": {},
        "Organization": {"Members": "NONE", "Features": {}},
    }
    state(request, "detectors")[account, request.region] = made
    return made


def find_detector(request: Request, account: str = "") -> State | None:
    """The Region's detector of the request's account, or of another."""
    found: State | None = state(request, "detectors").get((account or request.account, request.region))
    return found


def detector(request: Request) -> State:
    """The detector that the request names. Raises `Refused` unless it is the account's."""
    found = find_detector(request)
    if found is None or found["Id"] != request.params["DetectorId"]:
        raise refused("the input detectorId is not owned by the current account.")
    return found


def administrator_of_member(request: Request) -> str:
    """The administrator whose member the account is; an empty text if it is none. Tests name it in `members`."""
    return str(state(request, "members").get((request.account, request.region), ""))


def by_name(value: Any) -> dict[str, Any]:
    """A list of features or parts by name."""
    return {each["Name"]: each for each in value or ()}


def shown(value: Any) -> Any:
    """A value with its fields as they are on the wire, in lowerCamelCase."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: shown(each) for key, each in value.items()}
    return [shown(each) for each in value] if isinstance(value, list) else value
