"""Organizations: the management account, members, trusted access and delegated administrators."""

from __future__ import annotations

from typing import Any

from ..ask import Request
from ..model import Refused
from ..rule import after, before, instead

_MEMBER_OPERATIONS = (
    "DescribeOrganization",
    "DescribeEffectivePolicy",
    "LeaveOrganization",
    "CreateOrganization",
)


def find_organization(account: str, partition: str) -> Any | None:
    """Moto's backend with the organization of *account*; None for a standalone account."""
    from moto.organizations.models import organizations_backends

    # `dict.get`, because indexing would create a backend, which would be part of the state.
    held: Any = dict.get(organizations_backends, account)
    own = dict.get(held, partition) if held is not None else None
    if own is not None and own.org is not None:
        return own
    if account in organizations_backends.master_accounts:
        owner, where = organizations_backends.master_accounts[account]
        found = organizations_backends[owner][where]
        return found if found.org is not None and where == partition else None
    return None


def own_organization(request: Request) -> Any:
    """Moto's backend of the caller's organization. Raises `Refused` (AWSOrganizationsNotInUseException)."""
    held = find_organization(request.account, request.partition)
    if held is None:
        raise Refused("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    return held


def unit_path(held: Any, account: str) -> str:
    """The path of the account, `o-…/r-…/ou-…/`, as in the condition key aws:PrincipalOrgPaths."""
    found = next((one for one in held.accounts if one.id == account), None)
    unit = found.parent_id if found is not None else ""
    names: list[str] = []
    while above := next((ou for ou in held.ou if ou.id == unit), None):
        names.insert(0, f"{above.id}/")
        unit = above.parent_id
    return f"{held.org.id}/{''.join(names)}"


def trusted(held: Any, principal: str) -> bool:
    """Whether the service has trusted access."""
    return any(service["ServicePrincipal"] == principal for service in held.services)


def trust(held: Any, principal: str) -> None:
    """Give the service trusted access, as some services do by themselves for the management account."""
    if not trusted(held, principal):
        from moto.core.utils import unix_time

        held.services.append({"ServicePrincipal": principal, "DateEnabled": unix_time()})


def delegated(held: Any, account: str, principal: str) -> bool:
    """Whether *account* is a delegated administrator of the service."""
    return any(admin.account.id == account and principal in admin.services for admin in held.admins)


@before("organizations.not_in_use", "*", row="13.5 org.list_accounts() with no org")
def not_in_use(request: Request) -> None:
    """Every call of an account without an organization is AWSOrganizationsNotInUseException."""
    if request.operation != "CreateOrganization":
        own_organization(request)


@before("organizations.management_only", "*", row="13.5 list_accounts() from a member")
def management_only(request: Request) -> None:
    """A member may only describe the organization; a delegated administrator may also read."""
    held = find_organization(request.account, request.partition)
    if (
        held is None
        or held.org.master_account_id == request.account
        or request.operation in _MEMBER_OPERATIONS
    ):
        return
    reads = request.operation.startswith(("List", "Describe"))
    if reads and any(admin.account.id == request.account for admin in held.admins):
        request.act_as(held.org.master_account_id)
        return
    raise Refused("AccessDeniedException", "You don't have permissions to access this resource.")


@instead(
    "organizations.any_service_principal", "EnableAWSServiceAccess", row="13.5 enable_aws_service_access"
)
def any_service_principal(request: Request) -> dict[str, Any]:
    """Trusted access can be enabled for every AWS service principal, repeatedly without error."""
    principal = request.params.get("ServicePrincipal", "")
    held = own_organization(request)
    if not principal.endswith(".amazonaws.com"):
        raise Refused("InvalidInputException", "You specified an unrecognized service principal.")
    trust(held, principal)
    return {}


@instead("organizations.any_service_principal", "DisableAWSServiceAccess")
def disable_any_service_principal(request: Request) -> dict[str, Any]:
    """It can be disabled for each of them, too, also where it is not enabled."""
    held = own_organization(request)
    principal = request.params.get("ServicePrincipal", "")
    held.services[:] = [each for each in held.services if each["ServicePrincipal"] != principal]
    return {}


@instead(
    "organizations.delegated_services",
    "RegisterDelegatedAdministrator",
    row="13.5 register_delegated_administrator",
)
def delegated_services(request: Request) -> dict[str, Any]:
    """Any member can be registered for any service; the management account cannot."""
    register(request, request.params["AccountId"], request.params["ServicePrincipal"])
    return {}


def register(request: Request, account: str, principal: str) -> None:
    """Register *account* as delegated administrator of *principal*. Raises `Refused`."""
    from moto.core.utils import unix_time
    from moto.organizations.models import FakeDelegatedAdministrator

    held = own_organization(request)
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
def list_delegated(request: Request) -> dict[str, Any]:
    """Return the delegated administrators of one service, or of all."""
    principal = request.params.get("ServicePrincipal")
    found = [
        admin for admin in own_organization(request).admins if not principal or principal in admin.services
    ]
    return {"DelegatedAdministrators": [admin.describe() for admin in found]}


@after("organizations.closed_state", "CloseAccount", row="11 State, falling back to Status")
def closed_state(request: Request, _: dict[str, Any]) -> None:
    """An account closed by its owner has the State CLOSED; its older Status is SUSPENDED."""
    held = find_organization(request.account, request.partition)
    for account in held.accounts if held is not None else ():
        if account.id == request.params["AccountId"]:
            account.state = "CLOSED"


@before("organizations.unknown_child", "ListParents", row="moto says AccountNotFoundException")
def unknown_child(request: Request) -> None:
    """ListParents of an unknown account or OU is ChildNotFoundException."""
    held = find_organization(request.account, request.partition)
    known = {one.id for one in (*held.accounts, *held.ou)} if held is not None else set()
    if request.params.get("ChildId") not in known:
        text = "You specified an organizational unit (OU) or account that doesn't exist."
        raise Refused("ChildNotFoundException", text)


def organization_of(account: str, where: str) -> tuple[str, str]:
    """The management account and the organization id of an account; both empty if it has no organization."""
    held = find_organization(account, where)
    return (held.org.master_account_id, held.org.id) if held is not None else ("", "")


def effective_policies(request: Request) -> dict[str, str]:
    """The effective policies of the request's account that own settings: a JSON document by policy type.

    Moto has none of these types, so tests put them here instead of attaching a policy.
    """
    kept: dict[str, str] = request.saved("effective_policies").setdefault(request.account, {})
    return kept


@instead("organizations.effective_policy", "DescribeEffectivePolicy", row="16.A DescribeEffectivePolicy")
def effective_policy(request: Request) -> dict[str, Any]:
    """Every account of an organization may ask for its own effective policy of a type."""
    kind, target = request.params["PolicyType"], request.params.get("TargetId", request.account)
    if target != request.account:
        raise Refused("AccessDeniedException", "You don't have permissions to access this resource.")
    content = effective_policies(request).get(kind)
    if content is None:
        text = "The effective policy doesn't exist. There must be a policy of the type that applies to the target."
        raise Refused("EffectivePolicyNotFoundException", text)
    return {"EffectivePolicy": {"PolicyContent": content, "TargetId": target, "PolicyType": kind}}
