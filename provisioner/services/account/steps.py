"""The step `account_settings`: the settings that an account has once, S3's public access block and the alternate contacts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...model import Call, Change, Changes, Exists, Finding, Findings, Kind, Note, Part, Scope, create
from ...steps.owners import policy_owner
from ...steps.registry import consents, harmful_actions, hints, step, verify
from ...steps.settings import Strictness, settings, to_api
from .contact_section import AlternateContact, AlternateContacts, ContactInformation
from .public_buckets import list_buckets, public_buckets
from .section import Account, S3PublicAccessBlock

S3_BLOCK: Final = "S3 public access block of the account"
S3_POLICY: Final = "S3_POLICY"
OWNER: Final = "primary contact"
_FLAGS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_CONSENT: Final = "block-public-buckets"

consents(_CONSENT)
harmful_actions(
    Account,
    *("s3:PutAccountPublicAccessBlock", "account:DeleteAlternateContact", "account:PutAlternateContact"),
    "account:PutContactInformation",
    *("ec2:DisableEbsEncryptionByDefault", "ec2:ModifyEbsDefaultKmsKeyId", "ec2:ResetEbsDefaultKmsKeyId"),
    *("ec2:DisableSnapshotBlockPublicAccess", "ec2:EnableSnapshotBlockPublicAccess"),
    *("ec2:DisableImageBlockPublicAccess", "ec2:ModifyInstanceMetadataDefaults"),
    *("ec2:EnableSerialConsoleAccess", "ec2:ModifyVpcBlockPublicAccessOptions", "ssm:UpdateServiceSetting"),
    *("ec2:DisableAllowedImagesSettings", "ec2:EnableAllowedImagesSettings"),
    "ec2:ReplaceImageCriteriaInAllowedImagesSettings",
    *("ssm:ResetServiceSetting", "iam:DisableOrganizationsRootCredentialsManagement"),
)
hints(
    "account", {"TooManyRequestsException": "AWS takes only a few changes of contacts at a time: run again"}
)


@step("account_settings", Account, Scope.ACCOUNT, clients=("s3control", "account", "iam"))
def ensure_account_settings(aws: Aws, baseline: Baseline) -> Changes:
    """Ensure the public access block and each contact; one that fails stops no other."""
    section = baseline[Account]
    contacts = section.alternate_contacts or AlternateContacts()
    block_read = aws.read("s3control").get_public_access_block
    block = block_read(AccountId=aws.account) if section.s3_public_access_block else None
    # Without an AccountId, which AWS refuses to the management account for itself.
    contact_read = aws.read("account").get_alternate_contact
    named = {name: contact for name, contact in contacts if contact is not None}
    readings = {name: contact_read(AlternateContactType=name.upper()) for name in named}
    owner = aws.read("account").get_contact_information() if section.contact_information else None
    if section.s3_public_access_block and block:
        yield Part(S3_BLOCK, _s3_block(aws, baseline, section.s3_public_access_block, block))
    for name, reading in readings.items():
        yield Part(f"{name} contact", _contact(aws, name, named[name], reading))
    if section.contact_information and owner:
        yield Part(OWNER, _owner(aws, section.contact_information, owner))


def _s3_block(aws: Aws, baseline: Baseline, want: S3PublicAccessBlock, reading: Reading) -> Changes:
    """Switch on the flags that are off, with a consent if a bucket is public."""
    found = reading.value("PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration") or {}
    have = {**dict.fromkeys(_FLAGS, False), **found}
    yield Exists(S3_BLOCK)

    def put(flags: dict[str, Any]) -> Call:
        # A flag that is left out is switched off.
        write = aws.write("s3control").put_public_access_block
        call = write(AccountId=aws.account, PublicAccessBlockConfiguration=flags)
        return replace(call.based_on(reading), flaps=True)

    asked, nothing_stricter = to_api(want), Strictness({}, exact=False)
    if asked.items() <= have.items():
        return
    buckets = list_buckets(aws)  # started beside the question for the owner
    owner = policy_owner(aws, S3_POLICY)
    for each in settings(S3_BLOCK, have, asked, put, nothing_stricter, whole=True, owner=owner):
        if isinstance(each, Change) and (public := public_buckets(aws, baseline, buckets)):
            for name, why in public.items():
                text = f"bucket {name} is open to the public ({why}): move what must be public, or allow the change"
                yield Note(Kind.WARNING, S3_BLOCK, text)
            yield replace(each, consent=_CONSENT, loses=f"public access to {', '.join(public)}", without=None)
        else:
            yield each


def _contact(aws: Aws, name: str, want: AlternateContact, reading: Reading) -> Changes:
    """Write the contact, all its fields in one request."""
    title, full = f"{name} contact", to_api(want)
    have = reading.value("AlternateContact", "ResourceNotFoundException")

    def put(fields: dict[str, Any]) -> Call:
        return aws.write("account").put_alternate_contact(AlternateContactType=name.upper(), **fields)

    if have is None:
        yield create(title, full, put(full))
        return
    yield Exists(title)
    known = {field: have.get(field) for field in full}
    yield from settings(title, known, full, put, Strictness({}, exact=False), whole=True)


def _owner(aws: Aws, want: ContactInformation, reading: Reading) -> Changes:
    """Write the primary contact, with what the file leaves out as AWS has it: a request replaces everything."""
    have, asked = reading.value("ContactInformation", "ResourceNotFoundException"), to_api(want)

    def put(fields: dict[str, Any]) -> Call:
        call = aws.write("account").put_contact_information(ContactInformation=fields)
        return call.based_on(None if have is None else reading)

    if have is None:
        yield create(OWNER, asked, put(asked))
        return
    yield Exists(OWNER)
    yield from settings(OWNER, have, asked, put, Strictness({}, exact=False), whole=True)


@verify("account_settings")
def verify_account_settings(aws: Aws, baseline: Baseline) -> Findings:
    """Find whether the root user has MFA and no access keys. Without a password, nobody can sign in as it."""
    want = baseline[Account].root_user
    if want is None:
        return
    found = aws.read("iam").get_account_summary().get("SummaryMap")
    mfa, key = found["AccountMFAEnabled"], found["AccountAccessKeysPresent"]
    if want.account_mfa_enabled:
        password = found.get("AccountPasswordPresent", 1)
        detail = (
            "it has"
            if mfa
            else "it has none: sign in as root, and add a device"
            if password
            else "no password"
        )
        yield Finding("root user", "MFA", bool(mfa) or not password, detail)
    if want.account_access_keys_present is False:
        detail = "it has one: sign in as root, and delete it" if key else "none"
        yield Finding("root user", "no access keys", not key, detail)
