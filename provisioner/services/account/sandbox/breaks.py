"""Ways to change the settings of the account by hand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from botocore import xform_name

from ....sandbox.drift import Administrator, Break, breaks, breaks_of, read_or_none
from ....sandbox.policy_text import to_policy, trust_policy
from ..allowed_images import TITLE as ALLOWED_IMAGES
from ..regional import EBS_KEY
from ..steps import OWNER, S3_BLOCK
from ..support_role import DESCRIPTION
from ..switches import SWITCHES
from .account import OWNER_AT_FIRST

_SWITCHES: Final = {each.field: each for each in SWITCHES}
_SSM_BREAKS: Final = (
    ("ssm_document_public_sharing", "Disable", "let documents of Systems Manager be public"),
    ("ssm_automation_log_destination", "CloudWatch", "stopped the logs of automations"),
)
_METADATA: Final = {
    "HttpTokens": ("optional", "let new instances answer IMDSv1"),
    "HttpPutResponseHopLimit": (64, "let tokens of new instances travel far"),
    "HttpEndpoint": ("no-preference", "left it to each launch whether there is instance metadata"),
    "InstanceMetadataTags": ("enabled", "let new instances read their tags"),
    "HttpTokensEnforced": ("disabled", "let instances be launched with IMDSv1"),
}


@breaks("account_settings")
def account_breaks(admin: Administrator) -> Iterator[Break]:
    """Switch off each flag of the public access block, remove it, and change and delete each contact."""
    s3, account = admin.client("s3control"), {"AccountId": admin.account}
    found = read_or_none(s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration", **account)
    have = found["PublicAccessBlockConfiguration"] if found else {}
    for flag in (flag for flag in have if have[flag]):
        off = partial(_switch_off, s3, admin.account, flag)
        text, asked = f"switched off {flag} of the account", f"s3_public_access_block.{xform_name(flag)}"
        yield Break(S3_BLOCK, flag, text, off, asked)
    if have:
        text, asked = "removed the public access block of the account", "s3_public_access_block"
        yield breaks_of(S3_BLOCK)("", text, s3.delete_public_access_block, asked, **account)
    yield from _contacts(admin.client("account"))
    yield from _owner(admin.client("account"))


def _switch_off(s3: Any, account: str, flag: str) -> None:
    """Switch off one flag more."""
    have = s3.get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration={**have, flag: False})


def _owner(client: Any) -> Iterator[Break]:
    """Name another owner of the account, if somebody has named one."""
    have = client.get_contact_information()["ContactInformation"]
    for field, value in (
        (("FullName", "Mallory"), ("PhoneNumber", "+1 555 0199")) if have != OWNER_AT_FIRST else ()
    ):
        text, put = f"gave AWS another {field} of the account's owner", client.put_contact_information
        other = {"ContactInformation": {**have, field: value}}
        yield breaks_of(OWNER)(field, text, put, "contact_information", **other)


def _contacts(client: Any) -> Iterator[Break]:
    other = {
        "Name": ("Mallory", "gave AWS another name for"),
        "Title": ("Nobody", "gave another title to"),
        "EmailAddress": ("mallory@example.net", "gave AWS another address of"),
        "PhoneNumber": ("+1 555 0199", "gave AWS another number of"),
    }
    for kind in ("SECURITY", "BILLING", "OPERATIONS"):
        named = {"AlternateContactType": kind}
        found = read_or_none(client.get_alternate_contact, "ResourceNotFoundException", **named)
        if found is None:
            continue
        title, asked = f"{kind.lower()} contact", f"alternate_contacts.{kind.lower()}"
        broken, put = breaks_of(title), client.put_alternate_contact
        for field, (value, text) in other.items():
            changed = {**found["AlternateContact"], field: value}
            yield broken(field, f"{text} the {title}", put, asked, **changed)
        yield broken("", f"deleted the {title}", client.delete_alternate_contact, asked, **named)


@breaks("account_region", regional=True)
def region_breaks(admin: Administrator) -> Iterator[Break]:
    """Switch off each setting, and tighten what can be stricter."""
    found = [*_region_breaks(admin)]
    yield from found
    ec2 = admin.client("ec2")
    # In an account in which nothing is set nobody asks for the serial console to be off.
    if found and not ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"]:
        switch, text = _SWITCHES["serial_console_access_enabled"], "opened the serial console"
        broken, on = breaks_of(switch.title), ec2.enable_serial_console_access
        yield broken(switch.path[-1], f"{text} in {admin.region}", on, switch.field)


def _region_breaks(admin: Administrator) -> Iterator[Break]:
    ec2, ssm = admin.client("ec2"), admin.client("ssm")

    def broken(field: str, sentence: str, call: Any, *, stricter: bool = False, **params: Any) -> Break:
        switch = _SWITCHES[field]
        text = f"{sentence} in {admin.region}"
        broken = breaks_of(switch.title)
        return broken(switch.path[-1], text, call, field, stricter=stricter, **params)

    if ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]:
        text, off = "stopped encrypting new volumes", ec2.disable_ebs_encryption_by_default
        yield broken("ebs_encryption_by_default", text, off)
    state, field = ec2.get_snapshot_block_public_access_state()["State"], "snapshot_block_public_access"
    if state != "unblocked":
        yield broken(field, "let snapshots be public", ec2.disable_snapshot_block_public_access)
    if state == "block-new-sharing":
        hide = partial(ec2.enable_snapshot_block_public_access, State="block-all-sharing")
        yield broken(field, "hid public snapshots", hide, stricter=True)
    if ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"] != "unblocked":
        off = ec2.disable_image_block_public_access
        yield broken("image_block_public_access", "let AMIs be public", off)
    for name, value, text in _SSM_BREAKS:
        setting = _SWITCHES[name].arn(admin.account, admin.region, ssm.meta.partition)
        if ssm.get_service_setting(SettingId=setting)["ServiceSetting"]["SettingValue"] == value:
            yield broken(name, text, partial(ssm.reset_service_setting, SettingId=setting))
    yield from _log_group(admin, ssm, broken)
    yield from _ebs_key(admin, ec2)
    yield from _allowed_images(ec2, admin.region)
    yield from _vpcs(ec2, broken)
    yield from _metadata(ec2, admin.region)


def _log_group(admin: Administrator, ssm: Any, broken: Any) -> Iterator[Break]:
    """Send the logs of automations elsewhere, if they are sent somewhere."""
    names = ("ssm_automation_log_destination", "ssm_automation_log_group_name")
    destination, group = (
        _SWITCHES[name].arn(admin.account, admin.region, ssm.meta.partition) for name in names
    )
    if ssm.get_service_setting(SettingId=destination)["ServiceSetting"]["SettingValue"]:
        put = partial(ssm.update_service_setting, SettingId=group, SettingValue="/theirs")
        yield broken(names[1], "sent the logs of automations elsewhere", put)


def _ebs_key(admin: Administrator, ec2: Any) -> Iterator[Break]:
    """Encrypt new volumes with a key of others, if they are encrypted."""
    if not ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]:
        return

    def change() -> None:
        key = admin.client("kms").create_key()["KeyMetadata"]["KeyId"]
        ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)

    text = f"encrypted new volumes with another key in {admin.region}"
    yield Break(EBS_KEY, "KmsKeyId", text, change, "ebs_default_kms_key_id")


def _vpcs(ec2: Any, broken: Any) -> Iterator[Break]:
    options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    mode, put = options["InternetGatewayBlockMode"], ec2.modify_vpc_block_public_access_options
    field = "vpc_block_public_access"
    if mode != "off":
        yield broken(field, "opened the VPCs", put, InternetGatewayBlockMode="off")
    if mode == "block-ingress":
        both = "block-bidirectional"
        yield broken(field, "closed the VPCs", put, stricter=True, InternetGatewayBlockMode=both)


def _metadata(ec2: Any, region: str) -> Iterator[Break]:
    have, put = ec2.get_instance_metadata_defaults()["AccountLevel"], ec2.modify_instance_metadata_defaults
    broken = breaks_of("instance metadata defaults")
    for field, (value, text) in _METADATA.items():
        if have.get(field, value) != value:
            asked = f"instance_metadata_defaults.{xform_name(field)}"
            yield broken(field, f"{text} in {region}", put, asked, **{field: value})
    if have.get("HttpPutResponseHopLimit", 1) > 1:
        field = "HttpPutResponseHopLimit"
        text = f"let tokens of new instances in {region} travel one hop"
        asked = f"instance_metadata_defaults.{xform_name(field)}"
        yield broken(field, text, put, asked, stricter=True, **{field: 1})


def _allowed_images(ec2: Any, region: str) -> Iterator[Break]:
    """Switch it off or on, remove the criteria, and add one."""
    have, broken = ec2.get_allowed_images_settings(), breaks_of(ALLOWED_IMAGES)
    if have["State"] == "disabled":
        return
    text, off = f"allowed every AMI in {region}", ec2.disable_allowed_images_settings
    yield broken("State", text, off, "allowed_images_settings")
    if have["State"] == "audit-mode":
        text = f"refused AMIs that the criteria leave out in {region}"
        on = partial(ec2.enable_allowed_images_settings, AllowedImagesSettingsState="enabled")
        yield broken("State", text, on, "allowed_images_settings", stricter=True)
    criteria, put = have["ImageCriteria"], ec2.replace_image_criteria_in_allowed_images_settings
    if criteria:
        other = [{"ImageProviders": ["999999999999"]}]
        asked = "allowed_images_settings.image_criteria"
        text = f"removed the criteria of AMIs in {region}"
        yield broken("ImageCriteria", text, put, asked, ImageCriteria=[])
        add = partial(put, ImageCriteria=[*criteria, *other])
        text = f"allowed the AMIs of another account in {region}"
        yield broken("ImageCriteria", text, add, asked, consent="remove-image-criteria")


@breaks("account_support_role")
def support_role_breaks(admin: Administrator) -> Iterator[Break]:
    """Take the role's policy, let a service assume it, and delete it."""
    iam = admin.client("iam")
    for each in iam.list_roles()["Roles"]:
        if each.get("Description") != DESCRIPTION:
            continue
        name = each["RoleName"]
        role, broken = {"RoleName": name}, breaks_of(f"role {name}")
        other, update = trust_policy("ec2.amazonaws.com"), iam.update_assume_role_policy
        text = f"let EC2 assume role {name}"
        yield broken("trust statement", text, update, "support_role", **role, PolicyDocument=other)
        for policy in iam.list_attached_role_policies(**role)["AttachedPolicies"]:
            text = f"gave role {name} other policies than {policy['PolicyName']}"
            swap = partial(_swap, iam, name, policy["PolicyArn"])
            yield broken("AttachedPolicies", text, swap, "support_role")
        yield broken("", f"deleted role {name}", partial(_delete, iam, name), "support_role")
        power = to_policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
        for text, give in (("attached", _attach), ("wrote", _write)):
            do, consent = partial(give, iam, name, power), "remove-foreign-policy"
            yield broken("policy ", f"{text} a policy of all actions for role {name}", do, consent=consent)


def _delete(iam: Any, name: str) -> None:
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=name)


def _swap(iam: Any, name: str, arn: str) -> None:
    """Replace a policy of the role by two of our own, an attached and an inline one."""
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    document = to_policy({"Effect": "Allow", "Action": "support:DescribeCases", "Resource": "*"})
    iam.attach_role_policy(RoleName=name, PolicyArn=_made(iam, "Cases", document))
    iam.put_role_policy(RoleName=name, PolicyName="cases", PolicyDocument=document)


def _attach(iam: Any, name: str, document: str) -> None:
    """Create a policy and attach it to the role."""
    iam.attach_role_policy(RoleName=name, PolicyArn=_made(iam, "AllActions", document))


def _made(iam: Any, name: str, document: str) -> str:
    """The ARN of a policy, which is created unless it is left of an earlier break."""
    there = {each["PolicyName"]: each["Arn"] for each in iam.list_policies(Scope="Local")["Policies"]}
    return there.get(name) or str(
        iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    )


def _write(iam: Any, name: str, document: str) -> None:
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document)


@breaks("account_root_access")
def root_access_breaks(admin: Administrator) -> Iterator[Break]:
    """Disable each feature."""
    iam, broken = admin.client("iam"), breaks_of("centralized root access")
    absent = (
        "ServiceAccessNotEnabledException",
        "AccountNotManagementOrDelegatedAdministratorException",
        "OrganizationNotFoundException",
    )
    found = read_or_none(iam.list_organizations_features, *absent) or {}
    for feature in found.get("EnabledFeatures", ()):
        off = getattr(iam, xform_name(f"DisableOrganizations{feature}"))
        asked = f"root_access.{xform_name(feature)}"
        yield broken(feature, f"disabled {feature} of the organization", off, asked)
