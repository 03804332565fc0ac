"""The step `kms_keys`: make each key of the file with its alias, and bring its settings and policy to the baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...compare import policy
from ...model import (
    PENDING,
    Call,
    Change,
    Changes,
    Difference,
    Exists,
    Kind,
    Note,
    Part,
    Refused,
    Scope,
    Wait,
    create,
    update,
)
from ...steps.principals import look_at_principals, tell_missing
from ...steps.registry import consents, hints, step
from ...steps.settings import Strictness, settings
from ...steps.statements import new_principals
from ...steps.tags import tags, to_pairs
from .policy import Uses, find_uses, key_policy, new_principal
from .section import MARK, Key, KmsKeys
from .state import Finder, Found, Metadata, look_for_key

_ENABLED = Wait("DisabledException", "KMS to enable the key", seconds=60)
_SEEN = Wait("NotFoundException", "KMS to show the new key everywhere", seconds=60)

consents("move-alias", "remove-foreign-grant")
hints(
    "kms",
    {
        "AlreadyExistsException": "the alias names another key by now: run again",
        "KMSInvalidStateException": "the key is to be deleted, or has no key material: `aws kms describe-key` tells",
        "LimitExceededException": "the account has as many keys, aliases or grants as AWS lets it have: ask for more",
        "MalformedPolicyDocumentException": "KMS takes no policy that names a role or user that does not exist, or after which"
        " the caller could not change it: does the caller have `kms:PutKeyPolicy`",
        "UnsupportedOperationException": "KMS does not rotate keys with imported material, or of a key store of your own:"
        " leave `rotation_period_in_days` out",
    },
)


class _KeyState(NamedTuple):
    """One key of the file, by its ARN in AWS, with the reads of what it has."""

    aws: Aws
    want: Key
    arn: str
    reads: dict[str, Reading]

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def title(self) -> str:
        return self.want.title


def alias_arn(aws: Aws, want: Key) -> str:
    """The ARN of the key's alias, by which it is looked for."""
    return policy.arn(aws.partition, "kms", aws.region, aws.account, want.alias)


@step("kms_keys", KmsKeys, Scope.ONCE, archive=True, clients=("kms",))
def ensure_kms_keys(aws: Aws, baseline: Baseline) -> Changes:
    """Make each key that is missing, with its alias, and bring the settings of all to the baseline."""
    keys = baseline[KmsKeys].root
    finders = {name: look_for_key(aws, alias_arn(aws, want), aws.region) for name, want in keys.items()}
    principals = {name: look_at_principals(aws, want.statements) for name, want in keys.items()}
    for name, want in keys.items():
        uses = partial(find_uses, aws, baseline, name, want, principals[name])
        yield Part(want.title, _ensure_key(aws, want, finders[name], uses))


def _ensure_key(aws: Aws, want: Key, find: Finder, find_uses: Callable[[], Uses]) -> Changes:
    found, uses = find(), find_uses()
    yield from tell_missing(want.title, uses.missing)
    if found.key is None:
        made = yield _create(aws, want, uses)
        key = _KeyState(aws, want, made["KeyMetadata"]["Arn"], {})
        yield from _alias(key, made["KeyMetadata"]["KeyId"], found)
        yield from _rotation(key, made["KeyMetadata"]["KeyId"])
        return
    require_usable(want, found.key)
    key = _KeyState(aws, want, found.key["Arn"], start_reads(aws, want, found.key["KeyId"]))
    yield Exists(want.title)
    if found.key["KeyState"] == "Disabled":
        call = aws.write("kms").enable_key(KeyId=key.id)
        enabled = update(want.title, (Difference("KeyState", "Disabled", "Enabled"),), call)
        yield replace(enabled, enables=True)
    yield from _alias(key, key.id, found)
    yield from key_policy(aws, want, key.arn, uses, key.reads["policy"])
    yield from _rotation(key, key.id)
    yield from _description(key, found.key)
    yield from _tags(key, found)
    yield Part(f"grants of {want.title}", _grants(key))


def require_usable(want: Key, key: Metadata) -> None:
    """Raise Refused for a key that is to be deleted, or that log services cannot use."""
    state, name = key["KeyState"], f"the key `{key['KeyId']}` of `{want.alias}`"
    if state == "PendingDeletion":
        on = f" on {key['DeletionDate']:%Y-%m-%d}" if "DeletionDate" in key else ""
        raise Refused(
            f"{name} is to be deleted{on}, and what it has encrypted is lost then: cancel that"
            f" (CancelKeyDeletion, `aws kms cancel-key-deletion --key-id {key['KeyId']}`) and run again, which enables it"
        )
    if state not in {"Enabled", "Disabled"}:
        raise Refused(f"{name} is {state}: wait, or choose another `alias`")
    if key.get("KeyManager") == "AWS" or key.get("KeySpec") != "SYMMETRIC_DEFAULT":
        raise Refused(
            f"{name} is no symmetric key of your own, which log services need: choose another `alias`"
        )


def start_reads(aws: Aws, want: Key, key_id: str) -> dict[str, Reading]:
    """Start the reads of what an existing key has, at the same time; a rotation that the file leaves out is not read."""
    read = aws.read("kms")
    reads = {
        "policy": read.get_key_policy(KeyId=key_id, PolicyName="default"),
        "grants": read.list_grants(KeyId=key_id),
    }
    if want.rotation_period_in_days is not None:
        reads["rotation"] = read.get_key_rotation_status(KeyId=key_id)
    return reads


def _create(aws: Aws, want: Key, uses: Uses) -> Change:
    """Make the key with its policy, and with the tag by which it is found until it has its alias."""
    document = policy.document(uses.statements)
    every = {**want.tags, MARK: want.alias}
    params: dict[str, Any] = {"Policy": policy.compact(document), "Tags": _pairs(every)}
    shown = {f"policy statement {each['Sid']}": dict(each) for each in uses.statements}
    if want.description is not None:
        params["Description"] = want.description
        shown["Description"] = want.description  # type: ignore[assignment] # not a statement
    shown |= {f"tag {key}": value for key, value in every.items()}  # type: ignore[misc]
    call = aws.write("kms").create_key(**params)
    if new_principals(policy.document(uses.statements[:1]), document):
        call = call.waiting(new_principal())
    return create(want.title, shown, call)


def _alias(key: _KeyState, key_id: str, found: Found) -> Changes:
    """Give the key its alias. Where that names another key, moving it needs consent."""
    write, alias = key.aws.write("kms"), key.want.alias
    if not found.named:
        call = write.create_alias(AliasName=alias, TargetKeyId=key_id).waiting(_SEEN)
        named = update(
            key.title, (Difference("AliasName", None, alias),), call.or_done("AlreadyExistsException")
        )
        yield replace(named, completes=True)
    elif found.named != key_id:
        moved = (Difference("TargetKeyId", found.named, key_id),)
        call = write.update_alias(AliasName=alias, TargetKeyId=key_id)
        loses = f"the alias's `TargetKeyId` is no longer {found.named}, to which others moved it"
        yield Change(key.title, moved, call, consent="move-alias", loses=loses)
    if key.arn != PENDING:
        key.aws.made[alias_arn(key.aws, key.want)] = key.arn


def _rotation(key: _KeyState, key_id: str) -> Changes:
    want = key.want.rotation_period_in_days
    if want is None:
        return
    reading = key.reads.get("rotation")
    have = None
    if reading and reading.get("KeyRotationEnabled"):
        have = reading.get("RotationPeriodInDays")

    def put(changed: dict[str, Any]) -> Call:
        call = key.aws.write("kms").enable_key_rotation(KeyId=key_id, **changed)
        return call.waiting(_ENABLED, _SEEN).based_on(reading)

    field, strictness = "RotationPeriodInDays", Strictness.of(Key, exact=key.want.exact)
    yield from settings(key.title, {field: have}, {field: want}, put, strictness)


def _description(key: _KeyState, found: Metadata) -> Changes:
    if key.want.description is None:
        return
    put = partial(key.aws.write("kms").update_key_description, KeyId=key.id)
    have, want = {"Description": found.get("Description") or ""}, {"Description": key.want.description}
    strictness = Strictness.of(Key, exact=key.want.exact)
    yield from settings(key.title, have, want, lambda changed: put(**changed), strictness)


def _tags(key: _KeyState, found: Found) -> Changes:
    def put(missing: dict[str, str]) -> Call:
        return key.aws.write("kms").tag_resource(KeyId=key.id, Tags=_pairs(missing))

    yield from tags(key.title, found.tags, {**key.want.tags, MARK: key.want.alias}, put)


def _pairs(every: dict[str, str]) -> list[dict[str, str]]:
    return to_pairs(every, "TagKey", "TagValue")


def _grants(key: _KeyState) -> Changes:
    """Tell the grants of the key, which let others use it beside its policy; a warning for other accounts.

    Offer to revoke one with which another account lets in whom it likes, as a policy could not keep it from that.
    """
    for each in key.reads["grants"].get("Grants"):
        who = str(each.get("GranteeServicePrincipal") or each.get("GranteePrincipal"))
        text = f"the grant {each['GrantId']} of others lets {who} {', '.join(each['Operations'])}"
        account = who.split(":")[4] if who.startswith("arn:") else ""
        if account in {"", key.aws.account, key.aws.central, key.aws.archive}:
            yield Note(Kind.FOREIGN, key.title, f"{text}; kept")
        elif "CreateGrant" in each["Operations"]:
            call = key.aws.write("kms").revoke_grant(KeyId=key.id, GrantId=each["GrantId"])
            removed = (Difference(f"grant {each['GrantId']}", {"GranteePrincipal": who}, None),)
            yield Change(key.title, removed, call, consent="remove-foreign-grant", loses=text)
        else:
            remedy = f"`aws kms revoke-grant --key-id {key.id} --grant-id {each['GrantId']}` ends it"
            yield Note(Kind.WARNING, key.title, f"{text}, in another account: {remedy}")
