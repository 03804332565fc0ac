"""The initial state of a sandbox, an organization with all features, and more accounts for tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from unittest.mock import patch

from .model import SandboxError
from .policy_text import to_policy

MANAGEMENT: Final = "123456789012"
MEMBERS: Final = {"111122223333": "log-archive", "444455556666": "workload"}
CLOSED: Final = ("777788889999", "closed")
ORGANIZATION: Final = "o-sandbox12345"
ROOT: Final = "r-sand"
ALIAS: Final = "sandbox"
ROLE: Final = "OrganizationAccountAccessRole"
_FIRST = 310_000_000_000  # added accounts are numbered from here
_MOST = 9_999
_CREATED = 1_704_067_200  # 2024-01-01; one account joins each minute
_DISCARDED = "000000000000"


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
        """The older field `Status`, which has no value CLOSED."""
        return "SUSPENDED" if self.state == "CLOSED" else self.state


Tags = Callable[[Member], Mapping[str, str]]


def populate(memory: dict[str, Any]) -> None:
    """Create the organization and its accounts in moto, without anything that a baseline asks for."""
    from moto.iam.models import iam_backends

    held = _organization()
    # Moto creates a member's role for the management account, in an account id that it invents.
    with patch("moto.organizations.utils.make_random_account_id", return_value=_DISCARDED):
        held.create_organization("us-east-1", FeatureSet="ALL")
    del iam_backends[_DISCARDED]
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


def add_accounts(
    accounts: int,
    units: Mapping[str, int] | None = None,
    states: Mapping[str, str] | None = None,
    tags: Tags | None = None,
) -> tuple[Member, ...]:
    """Grow the organization to *accounts* in total, the management account included, and return all members.

    *units* is the number of new accounts in each OU (`Workloads/Prod`); the rest are in the root. *states* is the state of new
    accounts by OU, if not ACTIVE. Names, ids and tags are the same each time. Raises `SandboxError` if the organization is larger
    already, or *units* has more accounts than there are to be.
    """
    held = _organization()
    new = accounts - len(held.accounts)
    shape = _default_units(new) if units is None else units
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
        _add(held, replace(made, tags=(tags or _default_tags)(made)))
    return tuple(members())


def members() -> Iterator[Member]:
    """Every account of the organization, in the order in which they joined."""
    held = _organization()
    for one in held.accounts:
        yield Member(one.id, one.name, _path(held, one.parent_id), one.state, dict(one.tags))


def _organization() -> Any:
    from moto.organizations.models import organizations_backends

    return organizations_backends[MANAGEMENT]["aws"]


def _default_units(new: int) -> dict[str, int]:
    """Half and a quarter of the new accounts in nested OUs, a few suspended, the rest in the root."""
    return {"Workloads/Prod": new // 2, "Workloads/Test": new // 4, "Suspended": (new + 24) // 25}


def _default_tags(member: Member) -> Mapping[str, str]:
    stage = member.unit.rpartition("/")[2].lower() or "none"
    return {"environment": stage, "wave": str(int(member.id) % 5 + 1)}


def _joined(number: int) -> datetime:
    # Moto's times are naive.
    return datetime.fromtimestamp(_CREATED + 60 * number, UTC).replace(tzinfo=None)


def _unit(held: Any, path: str) -> str:
    """The id of the OU with that path of names, created with its parents if missing."""
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


def _attach_defaults(held: Any, target_id: str) -> None:
    for policy in ("p-FullAWSAccess", "p-RCPFullAWSAccess"):
        held.attach_policy(PolicyId=policy, TargetId=target_id)


def _add(held: Any, member: Member) -> None:
    from moto.organizations.models import FakeAccount, organizations_backends

    _create_access_role(member.id)
    email = f"{member.name}@example.com"
    with patch("moto.organizations.utils.make_random_account_id", return_value=member.id):
        account = FakeAccount(held.org, AccountName=member.name, Email=email)
    account.create_time = _joined(len(held.accounts))
    account.parent_id = _unit(held, member.unit)
    account.status, account.state, account.tags = member.status, member.state, dict(member.tags)
    held.accounts.append(account)
    _attach_defaults(held, member.id)
    organizations_backends.master_accounts[member.id] = (MANAGEMENT, "aws")


def add_standalone(account: str) -> None:
    """Create an account outside of the organization, if missing; the management account may assume its role `ROLE`.

    Raises `SandboxError` for a member of the organization, and for what is no account id.
    """
    from moto.iam.models import iam_backends

    if not re.fullmatch(r"\d{12}", account):
        raise SandboxError(f"`{account}` is no account id: an account id has 12 digits")
    if any(one.id == account for one in members()):
        raise SandboxError(f"account {account} is in the organization: choose another id")
    if account not in iam_backends:
        _create_access_role(account)


def _create_access_role(account: str) -> None:
    """Create the role that Organizations creates in a member account; the management account may assume it."""
    from moto.iam.models import iam_backends

    # AWS reads an account id as the account's root.
    trust = {"Effect": "Allow", "Principal": {"AWS": MANAGEMENT}, "Action": "sts:AssumeRole"}
    iam_backends[account]["aws"].create_role(
        role_name=ROLE,
        assume_role_policy_document=to_policy(trust),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
