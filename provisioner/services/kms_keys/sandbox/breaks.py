"""Ways to break a KMS key by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ....sandbox.drift import Administrator, Break, breaks, breaks_of
from ..section import MARK

_PASSING = {"LogGroups": "*.uses", "AlarmsToEncryptedTopic": "*.uses"}  # by Sid, what asks for a statement
_OURS = "Provision"


@breaks("kms_keys")
def key_breaks(admin: Administrator) -> Iterator[Break]:
    """Break each key that `provision` knows: its state, alias, rotation, description, tags and policy."""
    kms = admin.client("kms")
    for key_id in (each["KeyId"] for each in kms.list_keys()["Keys"]):
        tags = {each["TagKey"]: each["TagValue"] for each in kms.list_resource_tags(KeyId=key_id)["Tags"]}
        if MARK in tags:
            key = _Key(kms, tags.pop(MARK), key_id, tags)
            yield from key.state()
            yield from key.rotation()
            yield from key.texts()
            yield from key.policy()
            yield from key.foreign()


class _Key:
    def __init__(self, kms: Any, alias: str, key_id: str, tags: dict[str, str]):
        self.kms, self.alias, self.what, self.tags = kms, alias, f"key {alias}", tags
        self.key = {"KeyId": key_id}
        self.broken = breaks_of(self.what)

    def state(self) -> Iterator[Break]:
        yield self.broken("KeyState", f"disabled {self.what}", self.kms.disable_key, **self.key)
        text = f"deleted the alias of {self.what}"
        yield self.broken("AliasName", text, self.kms.delete_alias, AliasName=self.alias)
        text = f"moved the alias of {self.what} to another key"
        yield self.broken("TargetKeyId", text, self._move_alias, consent="move-alias")

        text = f"let another account let others use {self.what}"
        grant = {"GranteePrincipal": "arn:aws:iam::999999999999:root", "Operations": ["CreateGrant"]}
        yield self.broken(
            "grant", text, self.kms.create_grant, consent="remove-foreign-grant", **self.key, **grant
        )

    def _move_alias(self) -> None:
        other = self.kms.create_key()["KeyMetadata"]["KeyId"]
        self.kms.update_alias(AliasName=self.alias, TargetKeyId=other)

    def rotation(self) -> Iterator[Break]:
        status = self.kms.get_key_rotation_status(**self.key)
        if not status["KeyRotationEnabled"]:
            return
        field, asked, put = (
            "RotationPeriodInDays",
            "*.rotation_period_in_days",
            self.kms.enable_key_rotation,
        )
        text = f"turned off the rotation of {self.what}"
        yield self.broken(field, text, self.kms.disable_key_rotation, asked, **self.key)
        for days, stricter in ((2560, False), (90, True)):
            text, given = f"made {self.what} rotate every {days} days", {field: days}
            yield self.broken(field, text, put, asked, stricter=stricter, **self.key, **given)

    def texts(self) -> Iterator[Break]:
        kms = self.kms
        if kms.describe_key(**self.key)["KeyMetadata"].get("Description"):
            text, asked = f"described {self.what} otherwise", "*.description"
            other = {**self.key, "Description": "unused"}
            yield self.broken("Description", text, kms.update_key_description, asked, **other)
        for name in self.tags:  # not MARK: without that and the alias nobody can tell which key it was
            text, tag = f"removed the tag {name} of {self.what}", {**self.key, "TagKeys": [name]}
            yield self.broken(f"tag {name}", text, kms.untag_resource, f"*.tags.{name}", **tag)

    def policy(self) -> Iterator[Break]:
        document = self._document()
        for at, each in enumerate(document["Statement"]):
            sid = each.get("Sid", "")
            if each["Action"] == "kms:*":  # AWS takes no policy that locks the owner out
                broken = {**each, "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:Put*"]}
                text = f"narrowed {sid} of {self.what}"
            else:
                broken, text = None, f"removed {sid} of {self.what}"
            asked = _PASSING.get(sid.removesuffix(_OURS), "" if _OURS in sid else "*.policy_statements")
            left = [
                *document["Statement"][:at],
                *([broken] if broken else []),
                *document["Statement"][at + 1 :],
            ]
            yield self._put(f"policy statement {sid}", text, left, asked)

    def foreign(self) -> Iterator[Break]:
        statements = self._document()["Statement"]
        services = [each for each in statements if "Service" in each["Principal"]]
        stranger = {"AWS": "arn:aws:iam::999999999999:root"}
        grant = {"Effect": "Allow", "Principal": stranger, "Action": "kms:CreateGrant", "Resource": "*"}
        found = [(f"let a stranger make grants of {self.what}", grant)]
        if services:
            principal = services[0]["Principal"]
            deny = {"Effect": "Deny", "Principal": principal, "Action": "kms:*", "Resource": "*"}
            found.append((f"denied {principal['Service']} the use of {self.what}", deny))
        for text, each in found:
            left = [*statements, {"Sid": "Foreign", **each}]
            yield self._put("policy statement Foreign", text, left, "", "remove-foreign-statement")

    def _document(self) -> dict[str, Any]:
        policy = self.kms.get_key_policy(**self.key, PolicyName="default")["Policy"]
        found: dict[str, Any] = json.loads(policy)
        return found

    def _put(
        self, field: str, text: str, statements: list[dict[str, Any]], asked: str, consent: str = ""
    ) -> Break:
        policy = json.dumps({**self._document(), "Statement": statements})
        put = {**self.key, "PolicyName": "default", "Policy": policy}
        return self.broken(field, text, self.kms.put_key_policy, asked, consent=consent, **put)
