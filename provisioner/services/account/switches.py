"""The settings of a Region that are one value each: where AWS has them, and how it is asked for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ...aws.access import Writer
from ...compare.policy import arn
from ...model import Call

IMAGE_BLOCK_SECONDS: Final = 600.0  # that AWS may take until it shows the block, by its documentation


@dataclass(frozen=True)
class Switch:
    """A setting of the Region that is one value: the *field* of the section, and how AWS reads and writes it.

    *path* is where AWS's answer has the value; its owner is beside it.
    """

    field: str
    title: str
    service: str
    read: str
    path: tuple[str, ...]
    put: Callable[[Writer, Any, str], Call]  # given the value, and the setting's ARN
    settles: float = 0.0
    setting: str = ""  # of a setting of SSM: the end of its ARN
    warning: str = ""  # of what a change stops

    def arn(self, account: str, region: str, partition: str) -> str:
        """The ARN of the setting; empty if it has none."""
        return arn(partition, self.service, region, account, self.setting) if self.setting else ""


def _snapshots(write: Writer, value: str, _: str) -> Call:
    if value == "unblocked":
        return write.disable_snapshot_block_public_access()
    return write.enable_snapshot_block_public_access(State=value)


def _images(write: Writer, value: str, _: str) -> Call:
    if value == "unblocked":
        return write.disable_image_block_public_access()
    return write.enable_image_block_public_access(ImageBlockPublicAccessState=value)


def _ssm(field: str, title: str, setting: str) -> Switch:
    """A service setting of Systems Manager."""
    return Switch(
        field,
        title,
        "ssm",
        "get_service_setting",
        ("ServiceSetting", "SettingValue"),
        lambda write, value, name: write.update_service_setting(SettingId=name, SettingValue=value),
        setting=f"servicesetting/ssm/{setting}",
    )


SWITCHES: Final = (
    Switch(
        "ebs_encryption_by_default",
        "EBS encryption by default",
        "ec2",
        "get_ebs_encryption_by_default",
        ("EbsEncryptionByDefault",),
        lambda write, value, _: (
            write.enable_ebs_encryption_by_default() if value else write.disable_ebs_encryption_by_default()
        ),
    ),
    Switch(
        "snapshot_block_public_access",
        "block public access of EBS snapshots",
        "ec2",
        "get_snapshot_block_public_access_state",
        ("State",),
        _snapshots,
    ),
    Switch(
        "image_block_public_access",
        "block public access of AMIs",
        "ec2",
        "get_image_block_public_access_state",
        ("ImageBlockPublicAccessState",),
        _images,
        IMAGE_BLOCK_SECONDS,
    ),
    Switch(
        "serial_console_access_enabled",
        "EC2 serial console",
        "ec2",
        "get_serial_console_access_status",
        ("SerialConsoleAccessEnabled",),
        lambda write, value, _: (
            write.enable_serial_console_access() if value else write.disable_serial_console_access()
        ),
    ),
    Switch(
        "vpc_block_public_access",
        "block public access of VPCs",
        "ec2",
        "describe_vpc_block_public_access_options",
        ("VpcBlockPublicAccessOptions", "InternetGatewayBlockMode"),
        lambda write, value, _: write.modify_vpc_block_public_access_options(InternetGatewayBlockMode=value),
        warning="cuts off at once what is public in the Region, such as load balancers and instances, but for VPCs and"
        " subnets with an exclusion",
    ),
    _ssm(
        "ssm_document_public_sharing",
        "public sharing of SSM documents",
        "documents/console/public-sharing-permission",
    ),
    _ssm(
        "ssm_automation_log_destination",
        "logs of SSM automations",
        "automation/customer-script-log-destination",
    ),
    _ssm(
        "ssm_automation_log_group_name",
        "log group of SSM automations",
        "automation/customer-script-log-group-name",
    ),
)
