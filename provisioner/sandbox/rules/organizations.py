"""Organizations: who is the management account, which services are trusted, who administers for whom."""

from __future__ import annotations

from typing import Any

from ..ask import Ask
from ..rule import after, before, instead
from ..words import Refused

_MEMBER_MAY = ("DescribeOrganization", "LeaveOrganization", "CreateOrganization")
_UNUSED = "Your account is not a member of an organization."


def held_organization(account: str, partition: str) -> Any | None:
    """Moto's backend that holds the organization of *account*; None for an account of its own."""
    from moto.organizations.models import organizations_backends

    # A look must not make a backend: it would be part of the state.
    held: Any = dict.get(organizations_backends, account)
    own = dict.get(held, partition) if held is not None else None
    if own is not None and own.org is not None:
        return own
    if account in organizations_backends.master_accounts:
        owner, where = organizations_backends.master_accounts[account]
        found = organizations_backends[owner][where]
        return found if found.org is not None and where == partition else None
    return None


def unit_path(held: Any, account: str) -> str:
    """Where the account is: `o-…/r-…/ou-…/`, as the condition key aws:PrincipalOrgPaths has it."""
    found = next((one for one in held.accounts if one.id == account), None)
    unit = found.parent_id if found is not None else ""
    names: list[str] = []
    while above := next((ou for ou in held.ou if ou.id == unit), None):
        names.insert(0, f"{above.id}/")
        unit = above.parent_id
    return f"{held.org.id}/{''.join(names)}"


def trusted(held: Any, principal: str) -> bool:
    """The organization lets the service act in its accounts."""
    return any(service["ServicePrincipal"] == principal for service in held.services)


def delegated(held: Any, account: str, principal: str) -> bool:
    """*account* administers the service for the organization."""
    return any(admin.account.id == account and principal in admin.services for admin in held.admins)


@before(
    "organizations.not_in_use",
    "*",
    row="13.5 org.list_accounts() with no org; enable_aws_service_access with no org",
)
def not_in_use(ask: Ask) -> None:
    """Every call of an account without an organization is AWSOrganizationsNotInUseException."""
    if ask.operation != "CreateOrganization" and held_organization(ask.account, ask.partition) is None:
        raise Refused("AWSOrganizationsNotInUseException", _UNUSED)


@before(
    "organizations.management_only",
    "*",
    row="13.5 list_accounts() from a member; enable_aws_service_access from a member",
)
def management_only(ask: Ask) -> None:
    """A member may only describe the organization, unless it is a delegated administrator that reads."""
    held = held_organization(ask.account, ask.partition)
    if held is None or held.org.master_account_id == ask.account or ask.operation in _MEMBER_MAY:
        return
    reads = ask.operation.startswith(("List", "Describe"))
    if reads and any(admin.account.id == ask.account for admin in held.admins):
        ask.act_as(held.org.master_account_id)
        return
    raise Refused("AccessDeniedException", "You don't have permissions to access this resource.")


@instead(
    "organizations.any_service_principal",
    "EnableAWSServiceAccess",
    row="13.5 enable_aws_service_access malware-protection.guardduty",
)
def any_service_principal(ask: Ask) -> dict[str, Any]:
    """Trusted access can be enabled for every AWS service principal, again without error."""
    principal = ask.params.get("ServicePrincipal", "")
    held = held_organization(ask.account, ask.partition)
    if held is None:
        raise Refused("AWSOrganizationsNotInUseException", _UNUSED)
    if not principal.endswith(".amazonaws.com"):
        raise Refused("InvalidInputException", "You specified an unrecognized service principal.")
    if not trusted(held, principal):
        from moto.core.utils import unix_time

        held.services.append({"ServicePrincipal": principal, "DateEnabled": unix_time()})
    return {}


@instead(
    "organizations.delegated_services",
    "RegisterDelegatedAdministrator",
    row="13.5 register_delegated_administrator for cloudtrail, config, securityhub, account",
)
def delegated_services(ask: Ask) -> dict[str, Any]:
    """Any member can be registered for any service; the management account cannot."""
    register(ask, ask.params["AccountId"], ask.params["ServicePrincipal"])
    return {}


def register(ask: Ask, account: str, principal: str) -> None:
    """*account* administers *principal*; raises `Refused` as Organizations would."""
    from moto.core.utils import unix_time
    from moto.organizations.models import FakeDelegatedAdministrator

    held = held_organization(ask.account, ask.partition)
    if held is None:
        raise Refused("AWSOrganizationsNotInUseException", _UNUSED)
    if account == held.org.master_account_id:
        text = "You cannot register master account/yourself as delegated administrator for your organization."
        raise Refused("ConstraintViolationException", text)
    member = next((one for one in held.accounts if one.id == account), None)
    if member is None or member.status != "ACTIVE":
        raise Refused("AccountNotFoundException", "You specified an account that doesn't exist.")
    if delegated(held, account, principal):
        text = "The provided account is already a delegated administrator for your organization."
        raise Refused("AccountAlreadyRegisteredException", text)
    admin = next((one for one in held.admins if one.account.id == account), None)
    if admin is None:
        admin = FakeDelegatedAdministrator(member)
        held.admins.append(admin)
    admin.services[principal] = {"ServicePrincipal": principal, "DelegationEnabledDate": unix_time()}


@instead("organizations.delegated_services", "ListDelegatedAdministrators")
def list_delegated(ask: Ask) -> dict[str, Any]:
    """The administrators of one service, or of all."""
    held = held_organization(ask.account, ask.partition)
    if held is None:
        raise Refused("AWSOrganizationsNotInUseException", _UNUSED)
    principal = ask.params.get("ServicePrincipal")
    found = [admin for admin in held.admins if not principal or principal in admin.services]
    return {"DelegatedAdministrators": [admin.describe() for admin in found]}


@after("organizations.closed_state", "CloseAccount", row="11 State, falling back to Status")
def closed_state(ask: Ask, _: dict[str, Any]) -> None:
    """An account closed by its owner has the State CLOSED, for which the older Status says SUSPENDED."""
    held = held_organization(ask.account, ask.partition)
    for account in held.accounts if held is not None else ():
        if account.id == ask.params["AccountId"]:
            account.state = "CLOSED"


@before("organizations.unknown_child", "ListParents", row="moto says AccountNotFoundException")
def unknown_child(ask: Ask) -> None:
    """The parents of what is not there are ChildNotFoundException."""
    held = held_organization(ask.account, ask.partition)
    known = {one.id for one in (*held.accounts, *held.ou)} if held is not None else set()
    if ask.params.get("ChildId") not in known:
        text = "You specified an organizational unit (OU) or account that doesn't exist."
        raise Refused("ChildNotFoundException", text)


def organization_of(account: str, where: str) -> tuple[str, str]:
    """The management account and the id of the account's organization in the partition; empty where it has none."""
    held = held_organization(account, where)
    return (held.org.master_account_id, held.org.id) if held is not None else ("", "")
