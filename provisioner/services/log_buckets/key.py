"""The KMS key that the file names for a log bucket. S3 takes any key, and then delivers nothing where it cannot use it."""

from __future__ import annotations

from typing import NamedTuple

from ...aws.errors import ClientError, code_of
from ...model import Finding, Findings
from .state import Bucket

_DENIED = {"AccessDenied", "AccessDeniedException"}


class Key(NamedTuple):
    """Whether S3 can use the key, as far as its state shows (None: it cannot be looked at), and a text about that."""

    usable: bool | None
    detail: str


def read_key(bucket: Bucket) -> Key | None:
    """Look at the key that the file names; None if it names none."""
    arn = bucket.want.server_side_encryption.kms_master_key_id
    if arn is None:
        return None
    try:
        found = bucket.aws.read("kms").describe_key(KeyId=arn).value("KeyMetadata", "NotFoundException")
    except ClientError as error:
        if code_of(error) not in _DENIED:
            raise
        text = f"the key {arn} cannot be looked at: allow `kms:DescribeKey`, and see that its policy lets log services use it"
        return Key(None, text)
    if found is None:
        return Key(False, f"the key {arn} does not exist: create it, or name another")
    if found.get("KeyState") != "Enabled":
        return Key(False, f"the key {arn} is {found.get('KeyState')}: enable it, or name another")
    if found.get("KeyManager") == "AWS":
        return Key(False, f"the key {arn} is AWS's own, which log services cannot use: name one of yours")
    return Key(True, f"the key {arn} is enabled")


def verify_key(bucket: Bucket) -> Findings:
    """Find whether the key that the file names can be used."""
    if key := read_key(bucket):
        yield Finding(bucket.title, "encryption key", key.usable, key.detail)
