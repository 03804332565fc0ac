"""The settings of EC2 and EBS that an account has in each Region. Moto has one of them."""

from __future__ import annotations

from typing import Any, Final

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import instead
from ....sandbox.rules.kms import find_key
from ..regional import AWS_KEY

_DECLARATIVE: Final = "DECLARATIVE_POLICY_EC2"
_DEFAULTS: Final[dict[str, Any]] = {
    "ebs": False,
    "key": None,
    "snapshots": "unblocked",
    "images": "unblocked",
    "console": False,
    "vpcs": "off",
    "metadata": {},
}
_CHOICES: Final = {
    "HttpTokens": {"optional", "required"},
    "HttpEndpoint": {"enabled", "disabled"},
    "InstanceMetadataTags": {"enabled", "disabled"},
    "HttpTokensEnforced": {"enabled", "disabled"},
}
_UNSET: Final = {"no-preference", -1}


def region_settings(request: Request) -> dict[str, Any]:
    """The settings of the request's account and Region. `owned` are those that a declarative policy sets.

    Also `public_images` and `public_snapshots`: what was shared with everybody before.
    """
    kept: dict[str, Any] = request.saved("account_region").setdefault((request.account, request.region), {})
    for name, value in _DEFAULTS.items():
        kept.setdefault(name, {} if value == {} else value)
    return kept


def managed(request: Request, name: str) -> dict[str, str]:
    """Who manages a setting, as AWS's answers say it."""
    owned = name in region_settings(request).get("owned", ())
    return {"ManagedBy": "declarative-policy" if owned else "account"}


def write_setting(request: Request, name: str, value: Any) -> Any:
    """Store a setting, and return it. Raises Refused where a declarative policy owns it."""
    if managed(request, name)["ManagedBy"] != "account":
        text = "This functionality has been disabled by a Declarative Policy."
        raise Refused("DeclarativePolicyViolation", text, 403)
    region_settings(request)[name] = value
    return value


@instead("ec2.ebs_encryption", "GetEbsEncryptionByDefault", row="10 EBS")
def ebs_encryption(request: Request) -> dict[str, Any]:
    """Encryption by default is per Region, with the managed key until another is the default."""
    on = region_settings(request)["ebs"]
    return {"EbsEncryptionByDefault": on, "SseType": "sse-kms" if on else "none"}


@instead("ec2.ebs_encryption", "EnableEbsEncryptionByDefault", "DisableEbsEncryptionByDefault")
def switch_ebs_encryption(request: Request) -> dict[str, Any]:
    """Switch it."""
    on = write_setting(request, "ebs", request.operation.startswith("Enable"))
    return {"EbsEncryptionByDefault": on}


@instead("ec2.ebs_encryption", "GetEbsDefaultKmsKeyId", "ResetEbsDefaultKmsKeyId")
def ebs_key(request: Request) -> dict[str, Any]:
    """The default key, as the ARN of the managed key's alias if it was not changed."""
    kept = region_settings(request)
    if request.operation.startswith("Reset"):
        kept["key"] = None
    alias = f"arn:{request.partition}:kms:{request.region}:{request.account}:{AWS_KEY}"
    return {"KmsKeyId": kept["key"] or alias}


@instead("ec2.ebs_encryption", "ModifyEbsDefaultKmsKeyId")
def modify_ebs_key(request: Request) -> dict[str, Any]:
    """A key of the Region becomes the default; AWS does not look at its policy."""
    name = request.params["KmsKeyId"]
    key = find_key(name, request.account, request.region)
    if key is None:
        raise Refused("InvalidKmsKey.NotFound", f"The specified KMS key {name} does not exist.")
    region_settings(request)["key"] = key.arn
    return {"KmsKeyId": key.arn}


@instead("ec2.snapshot_block", "GetSnapshotBlockPublicAccessState", row="10 EnableSnapshotBlockPublicAccess")
def snapshot_block(request: Request) -> dict[str, Any]:
    """Sharing of snapshots is blocked per Region, in one of two modes."""
    return {"State": region_settings(request)["snapshots"], **managed(request, "snapshots")}


@instead("ec2.snapshot_block", "EnableSnapshotBlockPublicAccess", "DisableSnapshotBlockPublicAccess")
def switch_snapshot_block(request: Request) -> dict[str, Any]:
    """Switch it. `unblocked` is a value of the answer only."""
    state = request.params["State"] if request.operation.startswith("Enable") else "unblocked"
    if request.operation.startswith("Enable") and state not in {"block-all-sharing", "block-new-sharing"}:
        raise Refused("InvalidParameterValue", f"Value ({state}) for parameter State is invalid.")
    return {"State": write_setting(request, "snapshots", state)}


@instead("ec2.image_block", "GetImageBlockPublicAccessState", row="10 EnableImageBlockPublicAccess")
def image_block(request: Request) -> dict[str, Any]:
    """Sharing of AMIs is blocked per Region."""
    return {
        "ImageBlockPublicAccessState": region_settings(request)["images"],
        **managed(request, "images"),
    }


@instead("ec2.image_block", "EnableImageBlockPublicAccess", "DisableImageBlockPublicAccess")
def switch_image_block(request: Request) -> dict[str, Any]:
    """Switch it, at once, where AWS takes up to ten minutes."""
    state = "block-new-sharing" if request.operation.startswith("Enable") else "unblocked"
    return {"ImageBlockPublicAccessState": write_setting(request, "images", state)}


@instead("ec2.public_images", "DescribeImages", "DescribeSnapshots", row="10 EnableImageBlockPublicAccess")
def public_images(request: Request) -> dict[str, Any]:
    """What was public before stays public, unless all sharing of snapshots is blocked."""
    kept = region_settings(request)
    if request.operation == "DescribeImages":
        return {"Images": [{"ImageId": each, "Public": True} for each in kept.get("public_images", ())]}
    return {"Snapshots": [{"SnapshotId": each} for each in kept.get("public_snapshots", ())]}


@instead("ec2.serial_console", "GetSerialConsoleAccessStatus", row="16.A GetSerialConsoleAccessStatus")
def serial_console(request: Request) -> dict[str, Any]:
    """The serial console is off until somebody switches it on."""
    return {
        "SerialConsoleAccessEnabled": region_settings(request)["console"],
        **managed(request, "console"),
    }


@instead("ec2.serial_console", "EnableSerialConsoleAccess", "DisableSerialConsoleAccess")
def switch_serial_console(request: Request) -> dict[str, Any]:
    """Switch it."""
    on = write_setting(request, "console", request.operation.startswith("Enable"))
    return {"SerialConsoleAccessEnabled": on}


@instead(
    "ec2.vpc_block", "DescribeVpcBlockPublicAccessOptions", row="16.A DescribeVpcBlockPublicAccessOptions"
)
def vpc_block(request: Request) -> dict[str, Any]:
    """Internet gateways are blocked per Region; a declarative policy may own that."""
    mode = region_settings(request)["vpcs"]
    state = "default-state" if mode == "off" else "update-complete"
    owner = managed(request, "vpcs")
    options = {"State": state, "InternetGatewayBlockMode": mode, **owner}
    return {"VpcBlockPublicAccessOptions": options}


@instead("ec2.vpc_block", "ModifyVpcBlockPublicAccessOptions")
def switch_vpc_block(request: Request) -> dict[str, Any]:
    """Change the mode."""
    write_setting(request, "vpcs", request.params["InternetGatewayBlockMode"])
    return vpc_block(request)


@instead("ec2.metadata_defaults", "GetInstanceMetadataDefaults", row="16.H IMDS defaults")
def metadata_defaults(request: Request) -> dict[str, Any]:
    """A default that is not set is absent."""
    return {"AccountLevel": {**region_settings(request)["metadata"], **managed(request, "metadata")}}


@instead("ec2.metadata_defaults", "ModifyInstanceMetadataDefaults")
def modify_metadata_defaults(request: Request) -> dict[str, Any]:
    """Defaults that the request leaves out stay; `no-preference` and -1 unset one."""
    changed = {key: value for key, value in request.params.items() if key != "DryRun"}
    for key, value in changed.items():
        if value not in (_CHOICES.get(key) or range(1, 65)) and value not in _UNSET:
            raise Refused("InvalidParameterValue", f"Value ({value}) for parameter {key} is invalid.")
    merged = {**region_settings(request)["metadata"], **changed}
    write_setting(request, "metadata", {key: value for key, value in merged.items() if value not in _UNSET})
    return {"Return": True}
