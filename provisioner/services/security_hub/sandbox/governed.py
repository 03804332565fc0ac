"""What configuration policies do in the accounts that have one, and what these no longer do themselves."""

from __future__ import annotations

from typing import Any, NamedTuple

from ....sandbox.ask import Request
from ....sandbox.rule import before
from ....sandbox.rules.organizations import find_organization
from .central import OFF, ON, SELF_MANAGED, associations_of, denied, policies
from .hub import administrators, hubs, make_hub, members
from .organization import aggregators, central_region
from .standards import CONTROLS

_REASON = "Disabled by the configuration policy"


class Governor(NamedTuple):
    """The account that configures the request's account in its Region, and the part of its policy for Security Hub."""

    account: str
    policy: dict[str, Any]


def find_governor(request: Request) -> Governor | None:
    """The policy of the account, its own or from the closest of what is above it that has a configuration."""
    if not any(request.saved("security_hub_associations").values()):
        return None
    held = find_organization(request.account, request.partition)
    owner = held.org.master_account_id if held is not None else ""
    for (management, region), administrator in administrators(request).items():
        if management != owner or central_region(request, administrator) != region:
            continue
        found, place = associations_of(request, administrator), request.account
        places = [*held.accounts, *held.ou] if held is not None else []
        while place and place not in found:
            place = next((each.parent_id for each in places if each.id == place), "") or ""
        number = found[place]["ConfigurationPolicyId"] if place else SELF_MANAGED
        if number != SELF_MANAGED and _is_linked(request, administrator, region):
            policy = policies(request, administrator)[number]["ConfigurationPolicy"]["SecurityHub"]
            return Governor(administrator, policy)
    return None


def _is_linked(request: Request, administrator: str, home: str) -> bool:
    """Whether policies take effect in the Region: at home, and in the Regions that the aggregator links."""
    linked = aggregators(request)[administrator]
    mode, named = linked["RegionLinkingMode"], request.region in linked["Regions"]
    reached = mode == "ALL_REGIONS" or named is (mode == "SPECIFIED_REGIONS")
    return request.region == home or (mode != "NO_REGIONS" and reached)


@before("securityhub.carried_out", "*", row="7 under CENTRAL member-level standard changes are refused")
def carry_out(request: Request) -> None:
    """An account with a policy has what it says: the hub, its standards, and the controls that are off.

    The administrator's own hub is its own.
    """
    governor = find_governor(request)
    if governor is None:
        return
    kept, key = hubs(request), (request.account, request.region)
    own = governor.account == request.account
    if own and key not in kept:
        return
    before = (key in kept, repr(kept.get(key)), members(request).get(key))
    if not own:
        members(request)[key] = governor.account
    if governor.policy["ServiceEnabled"]:
        hub = kept.get(key) or make_hub(request)
        hub["standards"] = [_name(each) for each in governor.policy["EnabledStandardIdentifiers"]]
        hub["off"] = {
            (standard, control): hub["off"].get((standard, control), _REASON)
            for standard in hub["standards"]
            for control in CONTROLS[standard]
            if _is_off(control, governor.policy["SecurityControlsConfiguration"])
        }
    elif not own:
        kept.pop(key, None)
    if (key in kept, repr(kept.get(key)), members(request).get(key)) != before:
        request.world.dirty = True


def _name(standard: str) -> str:
    return standard.rpartition(":")[2].partition("/")[2]


def _is_off(control: str, controls: dict[str, Any]) -> bool:
    """Whether a control is off: it is in the one list, or not in the other."""
    return control in controls.get(OFF, ()) or (ON in controls and control not in controls[ON])


@before(
    "securityhub.governed",
    "EnableSecurityHub",
    "DisableSecurityHub",
    "UpdateSecurityHubConfiguration",
    "BatchEnableStandards",
    "BatchDisableStandards",
    "BatchUpdateStandardsControlAssociations",
    row="7 under CENTRAL member-level standard changes are refused",
)
def refuse_governed(request: Request) -> None:
    """An account with a policy sets nothing of it itself; the administrator still sets its own hub."""
    own_setting = request.operation.endswith(("SecurityHub", "SecurityHubConfiguration"))
    governor = find_governor(request)
    if governor is not None and not (own_setting and governor.account == request.account):
        raise denied(
            "This account is currently associated with a central configuration policy, so only the administrator"
            " can access this operation."
        )
