"""Allowed AMIs, and the instances that were launched from others. Moto has none of it."""

from __future__ import annotations

from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from .regional import managed, region_settings, write_setting

_MOST: Final = 10  # criteria
_ROW: Final = "16.H allowed images (audit-mode first)"


@instead("ec2.allowed_images", "GetAllowedImagesSettings", row=_ROW)
def allowed_images(request: Request) -> dict[str, Any]:
    """AMIs of others are refused per Region, if that is enabled; the criteria stay where it is not."""
    kept = region_settings(request)
    return {
        "State": kept.get("allowed", "disabled"),
        "ImageCriteria": kept.get("criteria", []),
        **managed(request, "allowed"),
    }


@instead("ec2.allowed_images", "EnableAllowedImagesSettings", "DisableAllowedImagesSettings")
def switch_allowed_images(request: Request) -> dict[str, Any]:
    """Switch it, to one of two modes, or off."""
    enable = request.operation.startswith("Enable")
    state = request.params["AllowedImagesSettingsState"] if enable else "disabled"
    if enable and state not in {"audit-mode", "enabled"}:
        raise Refused("InvalidParameterValue", f"Value ({state}) for the state is invalid.")
    return {"AllowedImagesSettingsState": write_setting(request, "allowed", state)}


@instead("ec2.allowed_images", "ReplaceImageCriteriaInAllowedImagesSettings")
def replace_criteria(request: Request) -> dict[str, Any]:
    """Replace the whole list; it is written as it is read, while it is off too, which AWS's page does not rule out."""
    criteria = request.params.get("ImageCriteria", [])
    if len(criteria) > _MOST:
        raise Refused("InvalidParameterValue", f"There can be at most {_MOST} image criteria.")
    for each in criteria:
        providers = each.get("ImageProviders", [])
        if "none" in providers and len(providers) > 1:
            raise Refused("InvalidParameterValue", "none cannot be specified with other image providers.")
    owned = managed(request, "allowed")["ManagedBy"] != "account"
    write_setting(request, "allowed" if owned else "criteria", criteria)
    return {"ReturnValue": True}


@instead("ec2.instance_images", "DescribeInstanceImageMetadata", row=_ROW)
def instance_images(request: Request) -> dict[str, Any]:
    """In the two modes in which AWS tells it, the instances from AMIs that are not allowed, which a test puts here."""
    kept = region_settings(request)
    told = kept.get("allowed", "disabled") != "disabled"
    return {
        "InstanceImageMetadata": [
            {"InstanceId": f"i-{place}", "ImageMetadata": {"ImageId": image, "ImageAllowed": False}}
            for place, image in enumerate(kept.get("other_images", ()) if told else ())
        ]
    }
