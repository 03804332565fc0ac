"""What a new sandbox holds: an organization with all features, and its accounts; more of them where a test asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from unittest.mock import patch

from .words import SandboxError

MANAGEMENT: Final = "123456789012"
MEMBERS: Final = {"111122223333": "log-archive", "444455556666": "workload"}
CLOSED: Final = ("777788889999", "closed")
ORGANIZATION: Final = "o-sandbox12345"
ROOT: Final = "r-sand"
ALIAS: Final = "sandbox"
ROLE: Final = "OrganizationAccountAccessRole"
_FIRST = 310_000_000_000  # planted accounts are numbered from here
_MOST = 9_999
_FOUNDED = 1_704_067_200  # 2024-01-01; one account joins each minute
_NOBODY = "000000000000"


@dataclass(frozen=True)
class Member:
    """An account of the organization. *unit* is the path of its OU by name, empty for the root.

    *state* is Organizations' `State`: ACTIVE, SUSPENDED (by AWS), PENDING_CLOSURE or CLOSED (by its owner).
    """

    id: str
    name: str
    unit: str = ""
    state: str = "ACTIVE"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The older field `Status`, which has no word for CLOSED."""
        return "SUSPENDED" if self.state == "CLOSED" else self.state


Tags = Callable[[Member], Mapping[str, str]]


def plant(memory: dict[str, Any]) -> None:
    """Moto holds the organization; nothing that a baseline asks for is there."""
    from moto.iam.models import iam_backends
    from moto.organizations.models import organizations_backends

    held = organizations_backends[MANAGEMENT]["aws"]
    # Moto gives the management account the role of a member, in an account that it makes up.
    with patch("moto.organizations.utils.make_random_account_id", return_value=_NOBODY):
        held.create_organization("us-east-1", FeatureSet="ALL")
    del iam_backends[_NOBODY]
    organization: Any = held.org
    organization.id, organization.root_id, held.ou[0].id = ORGANIZATION, ROOT, ROOT
    (own,) = held.accounts
    own.organization_id, own.parent_id, own.name = ORGANIZATION, ROOT, "management"
    own.create_time = _joined(0)
    held.ou[0].organization_id = ORGANIZATION
    for number, name in MEMBERS.items():
        _add(held, Member(number, name, "Workloads" if name == "workload" else ""))
    _add(held, Member(*CLOSED, state="CLOSED"))
    iam_backends[MANAGEMENT]["aws"].account_aliases = [ALIAS]
    memory["seed"] = 1


def grow(
    accounts: int,
    units: Mapping[str, int] | None = None,
    states: Mapping[str, str] | None = None,
    tags: Tags | None = None,
) -> tuple[Member, ...]:
    """The organization has so many *accounts*, the management account and all others counted; the answer is all.

    *units* says how many of the new ones are in which OU (`Workloads/Prod`); what is left over is in the root.
    *states* says of an OU that the new accounts in it are not ACTIVE. Names, ids and tags are the same each time.
    Raises `SandboxError` where the organization is larger already, or *units* asks for more than there are to be.
    """
    held = _held()
    new = accounts - len(held.accounts)
    shape = _usual(new) if units is None else units
    states = {"Suspended": "SUSPENDED"} if states is None else states
    if new < 0:
        raise SandboxError(f"the organization has {len(held.accounts)} accounts: more than {accounts}")
    if sum(shape.values()) > new or new > _MOST:
        raise SandboxError(f"{new} new accounts are asked for, and {sum(shape.values())} in units")
    for path in shape:
        _unit(held, path)
    places = [path for path, count in shape.items() for _ in range(count)]
    places += [""] * (new - len(places))
    first = 1 + sum(_FIRST < int(one.id) <= _FIRST + _MOST for one in held.accounts)
    for number, unit in enumerate(places, first):
        name = f"{(unit or 'root').replace('/', '-').lower()}-{number:03d}"
        made = Member(f"{_FIRST + number}", name, unit, states.get(unit, "ACTIVE"))
        _add(held, replace(made, tags=(tags or _usual_tags)(made)))
    return tuple(members())


def members() -> Iterator[Member]:
    """Every account of the organization, in the order in which they joined."""
    held = _held()
    for one in held.accounts:
        yield Member(one.id, one.name, _path(held, one.parent_id), one.state, dict(one.tags))


def _held() -> Any:
    from moto.organizations.models import organizations_backends

    return organizations_backends[MANAGEMENT]["aws"]


def _usual(new: int) -> dict[str, int]:
    """Some in nested units, some suspended, the rest in the root."""
    return {"Workloads/Prod": new // 2, "Workloads/Test": new // 4, "Suspended": (new + 24) // 25}


def _usual_tags(member: Member) -> Mapping[str, str]:
    stage = member.unit.rpartition("/")[2].lower() or "none"
    return {"environment": stage, "wave": str(int(member.id) % 5 + 1)}


def _joined(number: int) -> datetime:
    # Moto's times have no zone.
    return datetime.fromtimestamp(_FOUNDED + 60 * number, UTC).replace(tzinfo=None)


def _unit(held: Any, path: str) -> str:
    """The id of the OU of that path of names, made with those above it where it is not there."""
    from moto.organizations.models import FakeOrganizationalUnit

    if not path:
        return ROOT
    above, _, name = path.rpartition("/")
    parent = _unit(held, above)
    if known := next((ou for ou in held.ou if (ou.parent_id, ou.name) == (parent, name)), None):
        return str(known.id)
    made = FakeOrganizationalUnit(held.org, Name=name, ParentId=parent)
    made.id = f"ou-{ROOT[2:]}-{sha256(path.encode()).hexdigest()[:8]}"
    held.ou.append(made)
    _attach_defaults(held, made.id)
    return made.id


def _path(held: Any, unit: str) -> str:
    """The path of an OU by name."""
    names: list[str] = []
    while unit != ROOT:
        found = next(ou for ou in held.ou if ou.id == unit)
        names.insert(0, found.name)
        unit = found.parent_id
    return "/".join(names)


def _attach_defaults(held: Any, target: str) -> None:
    for policy in ("p-FullAWSAccess", "p-RCPFullAWSAccess"):
        held.attach_policy(PolicyId=policy, TargetId=target)


def _add(held: Any, member: Member) -> None:
    from moto.organizations.models import FakeAccount, organizations_backends

    _let_in(member.id)
    email = f"{member.name}@example.com"
    with patch("moto.organizations.utils.make_random_account_id", return_value=member.id):
        account = FakeAccount(held.org, AccountName=member.name, Email=email)
    account.create_time = _joined(len(held.accounts))
    account.parent_id = _unit(held, member.unit)
    account.status, account.state, account.tags = member.status, member.state, dict(member.tags)
    held.accounts.append(account)
    _attach_defaults(held, member.id)
    organizations_backends.master_accounts[member.id] = (MANAGEMENT, "aws")


def _let_in(account: str) -> None:
    """The account has the role that Organizations makes in it: the management account may assume it."""
    from moto.iam.models import iam_backends

    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": MANAGEMENT},  # which AWS takes for the account's root
        "Action": "sts:AssumeRole",
    }
    iam_backends[account]["aws"].create_role(
        role_name=ROLE,
        assume_role_policy_document=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
