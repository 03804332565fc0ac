"""The step `account_region`: what the account has in each Region for new volumes, snapshots, AMIs and instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...baseline.section import aws_name
from ...model import Call, Changes, Difference, Exists, Finding, Findings, Kind, Note, Part, Refused, Scope
from ...steps import existing
from ...steps.registry import step, verify
from ...steps.settings import Strictness, settings, to_api
from .allowed_images import TITLE as ALLOWED_IMAGES
from .allowed_images import allowed_images_finding, ensure_allowed_images, not_allowed
from .instance_section import AllowedImagesSettings, InstanceMetadataDefaults
from .section import Account
from .switches import SWITCHES, Switch

EBS_KEY: Final = "EBS default key"
AWS_KEY: Final = "alias/aws/ebs"
_METADATA: Final = "instance metadata defaults"
_NO_SETTING: Final = "ServiceSettingNotFound"
_OWNER: Final = "a declarative policy of the organization"


@step("account_region", Account, Scope.REGION, clients=("ec2", "ssm"))
def ensure_account_region(aws: Aws, baseline: Baseline) -> Changes:
    """Ensure each setting of the Region that the file has; one that fails stops no other."""
    section = baseline[Account]
    asked = [each for each in SWITCHES if getattr(section, each.field) is not None]
    parts = []
    for each in asked:
        setting = each.arn(aws.account, aws.region, aws.partition)
        params = {"SettingId": setting} if setting else {}
        reading = getattr(aws.read(each.service), each.read)(**params)
        parts.append(Part(each.title, _switch(aws, section, each, reading, setting)))
    if section.allowed_images_settings:
        parts.append(Part(ALLOWED_IMAGES, _allowed_images(aws, section, section.allowed_images_settings)))
    if section.instance_metadata_defaults:
        reading = aws.read("ec2").get_instance_metadata_defaults()
        parts.append(Part(_METADATA, _metadata(aws, section, section.instance_metadata_defaults, reading)))
    if section.ebs_default_kms_key_id:
        reading = aws.read("ec2").get_ebs_default_kms_key_id()
        parts.append(Part(EBS_KEY, _ebs_key(aws, section.ebs_default_kms_key_id, reading)))
    yield from parts


def _switch(aws: Aws, section: Account, switch: Switch, reading: Reading, setting: str) -> Changes:
    """Ensure one value."""
    first, *rest = switch.path
    found = reading.value(first, _NO_SETTING)
    about = (found or {}) if rest else reading.all()
    name, value = switch.path[-1], getattr(section, switch.field)
    yield Exists(switch.title)

    def put(changed: Mapping[str, Any]) -> Call:
        call = switch.put(aws.write(switch.service), changed[name], setting)
        # What somebody has made stricter since is not written over.
        call = call.based_on(reading if guard else None)
        return replace(call, settles=switch.settles)

    guard = Strictness.of(Account, exact=section.exact).guarded.get(aws_name(switch.field))
    strictness = Strictness({name: guard} if guard else {}, section.exact)

    def warn(_: Mapping[str, Difference]) -> Iterator[Note]:
        if switch.warning:
            yield Note(Kind.WARNING, switch.title, switch.warning)

    have, want = {name: about.get(name)}, {name: value}
    yield from settings(switch.title, have, want, put, strictness, warn=warn, owner=lambda: _owner(about))


def _allowed_images(aws: Aws, section: Account, want: AllowedImagesSettings) -> Changes:
    """Ensure them; both reads are under way before the first answer is waited for."""
    reading = aws.read("ec2").get_allowed_images_settings()
    in_use = not_allowed(aws) if want.state == "enabled" else None
    return ensure_allowed_images(aws, section, want, reading, in_use, lambda: _owner(reading.all()))


def _owner(found: Mapping[str, Any]) -> str:
    """Who sets what AWS has answered, if not the account."""
    return _OWNER if found.get("ManagedBy") == "declarative-policy" else ""


def _metadata(aws: Aws, section: Account, want: InstanceMetadataDefaults, reading: Reading) -> Changes:
    """Write the defaults that differ; AWS keeps those that a request leaves out."""
    found = reading.all().get("AccountLevel") or {}  # absent until somebody sets one
    yield Exists(_METADATA)

    def put(changed: Mapping[str, Any]) -> Call:
        call = aws.write("ec2").modify_instance_metadata_defaults(**changed)
        return call.based_on(reading)

    strictness = Strictness.of(InstanceMetadataDefaults, exact=section.exact)
    yield from settings(_METADATA, found, to_api(want), put, strictness, owner=lambda: _owner(found))


def _ebs_key(aws: Aws, want: str, reading: Reading) -> Changes:
    """Make the key the default. Raises Refused for one that EBS cannot use: no instance could be launched then."""
    write, have = aws.write("ec2"), reading.get("KmsKeyId")
    yield Exists(EBS_KEY)
    if have == want or (want == AWS_KEY and have.endswith(AWS_KEY)):
        return
    looks = [existing.key(aws, name) for name in (have, want) if name != AWS_KEY]
    # The key of now may be one of others that nobody here may look at: it is replaced all the same.
    now = looks[0]().answer or {}
    managed = have if now.get("KeyManager") == "AWS" else AWS_KEY
    key = managed if want == AWS_KEY else _usable(looks[-1]())

    def put(changed: Mapping[str, Any]) -> Call:
        name = changed["KmsKeyId"]
        if name.endswith(AWS_KEY):
            return write.reset_ebs_default_kms_key_id()
        return write.modify_ebs_default_kms_key_id(KmsKeyId=name)

    current = have if want == AWS_KEY else now.get("Arn", have)
    yield from settings(EBS_KEY, {"KmsKeyId": current}, {"KmsKeyId": key}, put, Strictness({}, exact=False))


def _usable(found: existing.Existing) -> str:
    """The ARN of the key that the file names."""
    if found.error:
        raise found.error
    if not found.ok or found.answer is None:
        raise Refused(f"`account.ebs_default_kms_key_id`: {found.text}")
    return str(found.answer["Arn"])


@verify("account_region")
def verify_account_region(aws: Aws, baseline: Baseline) -> Findings:
    """What was public before the blocks were on: AWS leaves it as it is, unless the file hides public snapshots."""
    section, read = baseline[Account], aws.read("ec2")
    images = section.image_block_public_access and read.describe_images(
        Owners=["self"], Filters=[{"Name": "is-public", "Values": ["true"]}]
    )
    snapshots = section.snapshot_block_public_access == "block-new-sharing" and read.describe_snapshots(
        OwnerIds=["self"], RestorableByUserIds=["all"]
    )
    unlike = not_allowed(aws) if section.allowed_images_settings else None
    if images:
        yield _none_public("block public access of AMIs", images.all().get("Images"), "ImageId")
    if snapshots:
        found = snapshots.all().get("Snapshots")
        yield _none_public("block public access of EBS snapshots", found, "SnapshotId")
    if unlike:
        yield allowed_images_finding(unlike)


def _none_public(resource: str, found: list[Mapping[str, Any]] | None, key: str) -> Finding:
    """The finding that nothing is shared with everybody."""
    ids = [each[key] for each in found or ()]
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    detail = f"shared with everybody: {', '.join(ids[:5])}{more}" if ids else "none"
    return Finding(resource, "none is public already", not ids, detail)
