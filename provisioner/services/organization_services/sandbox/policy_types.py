"""The types of policies of the organization, and where its policies are invalid. Moto has five of the types."""

from __future__ import annotations

from typing import Any, Final

from moto.core.utils import get_service_model

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.organizations import own_organization
from ..section import AUTHORIZATION

_ROW: Final = "16.A EnablePolicyType is asynchronous"


@instead("organizations.policy_types", "EnablePolicyType", row=_ROW)
def enable_policy_type(request: Request) -> dict[str, Any]:
    """A type is enabled once for the root; AWS refuses another change until that is done, which is one call here."""
    held, name = own_organization(request), request.params["PolicyType"]
    root, changing = held._get_root_by_id(request.params["RootId"]), request.saved("policy_type_changes")
    if name not in get_service_model("organizations").shape_for("PolicyType").metadata["enum"]:
        raise Refused("InvalidInputException", "You specified an invalid value.")
    if any(each["Type"] == name for each in root.policy_types):
        text = "The specified policy type is already enabled."
        raise Refused("PolicyTypeAlreadyEnabledException", text)
    if changing.pop(root.id, None):
        text = "Changes to the effective policy are in progress. Try again later."
        raise Refused("PolicyChangesInProgressException", text)
    changing[root.id] = name
    root.policy_types.append({"Type": name, "Status": "ENABLED"})
    return {"Root": root.describe()}


@instead("organizations.policy_types", "DisablePolicyType")
def disable_policy_type(request: Request) -> dict[str, Any]:
    """It can be disabled again."""
    held, name = own_organization(request), request.params["PolicyType"]
    root = held._get_root_by_id(request.params["RootId"])
    if all(each["Type"] != name for each in root.policy_types):
        text = "The specified policy type is not enabled in this root."
        raise Refused("PolicyTypeNotEnabledException", text)
    root.policy_types[:] = [each for each in root.policy_types if each["Type"] != name]
    return {"Root": root.describe()}


@instead("organizations.invalid_policies", "ListAccountsWithInvalidEffectivePolicy", row=_ROW)
def invalid_policies(request: Request) -> dict[str, Any]:
    """The accounts in which the policies of a type are invalid, which a test puts here; not of those that IAM evaluates."""
    name = request.params["PolicyType"]
    if name in AUTHORIZATION:
        raise Refused("InvalidInputException", "You specified an invalid value.")
    accounts = request.saved("invalid_policies").get(name, ())
    return {"Accounts": [{"Id": each} for each in accounts], "PolicyType": name}
