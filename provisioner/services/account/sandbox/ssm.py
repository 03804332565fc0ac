"""The service settings of Systems Manager that an account has in each Region."""

from __future__ import annotations

import re
from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ..switches import SWITCHES

# Of each setting that the sandbox has: AWS's default, and what else it can be.
_SETTINGS: Final = {
    "ssm_document_public_sharing": ("Enable", "Enable|Disable"),
    "ssm_automation_log_destination": ("", "CloudWatch"),
    "ssm_automation_log_group_name": ("/aws/ssm/automation/executeScript", "[A-Za-z0-9_/.#-]{1,512}"),
}
_FIELDS: Final = {each.setting: each.field for each in SWITCHES if each.setting}


@instead("ssm.service_setting", "GetServiceSetting", row="16.H SSM documents public sharing")
def service_setting(request: Request) -> dict[str, Any]:
    """A service setting has AWS's default until somebody changes it."""
    name = _name(request)
    value = _kept(request).get(name, _SETTINGS[_FIELDS[name]][0])
    status = "Customized" if name in _kept(request) else "Default"
    text = name.removeprefix("servicesetting")
    return {"ServiceSetting": {"SettingId": text, "SettingValue": value, "Status": status}}


@instead("ssm.service_setting", "UpdateServiceSetting", "ResetServiceSetting")
def update_service_setting(request: Request) -> dict[str, Any]:
    """Change it, or put AWS's default back."""
    name = _name(request)
    if request.operation.startswith("Reset"):
        _kept(request).pop(name, None)
        return service_setting(request)
    value = request.params["SettingValue"]
    if not re.fullmatch(_SETTINGS[_FIELDS[name]][1], value):
        raise Refused("ValidationException", f"Invalid value {value}.")
    _kept(request)[name] = value
    return {}


def _kept(request: Request) -> dict[str, str]:
    """The settings of the account and Region that somebody has changed."""
    kept: dict[str, str] = request.saved("service_settings").setdefault((request.account, request.region), {})
    return kept


def _name(request: Request) -> str:
    """The setting, as the end of its ARN. Raises Refused for one that the sandbox does not have."""
    name = re.sub(r"^.*servicesetting", "", request.params["SettingId"])
    if f"servicesetting{name}" not in _FIELDS:
        raise Refused("ServiceSettingNotFound", "Setting does not exist.")
    return f"servicesetting{name}"
