"""KMS keys: found by any of their names, guarded by their policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..ask import Ask, backend
from ..policy_eval import Act, decide, many
from ..rule import before
from ..words import Refused


def find_key(name: str, account: str, region: str) -> Any | None:
    """The key that an id, ARN, alias or alias ARN means; None where there is none in that Region."""
    if name.startswith("arn:"):
        _, _, _, where, owner, name = name.split(":", 5)
        if where != region:
            return None
        account = owner
    held = backend("kms", account, region)
    if name.startswith("alias/"):
        target = next(
            (a.target_key_id for k in held.keys.values() for a in k.aliases.values() if a.alias_name == name),
            None,
        )
        return held.keys.get(target)
    return held.keys.get(name.removeprefix("key/"))


def key_refuses(key: Any, principal: str, actions: Iterable[str], context: Mapping[str, str]) -> bool:
    """The key's policy does not let *principal* do all of *actions*."""
    document = json.loads(key.policy)
    return any(decide(document, Act(action, key.arn, principal, context)) != "allow" for action in actions)


@before("kms.key_policies", "CreateKey", "PutKeyPolicy", row="13.6 create_key(Policy='{}'), lockout policy")
def key_policies(ask: Ask) -> None:
    """A key policy that is none, or locks its owner out, is MalformedPolicyDocumentException."""
    text = ask.params.get("Policy")
    if not text:
        return
    code = "MalformedPolicyDocumentException"
    try:
        document = json.loads(text)
    except ValueError:
        raise Refused(code, "The policy is not valid JSON.") from None
    if not isinstance(document, dict) or not many(document.get("Statement")):
        raise Refused(code, "The policy has no statement.")
    owner = f"arn:{ask.partition}:iam::{ask.account}:root"
    if (
        not ask.params.get("BypassPolicyLockoutSafetyCheck")
        and decide(document, Act("kms:PutKeyPolicy", "*", owner)) != "allow"
    ):
        text = "The new key policy will not allow you to update the key policy in the future."
        raise Refused(code, text)


@before("kms.default_policy_name", "GetKeyPolicy", row="13.6 get_key_policy without PolicyName")
def default_policy_name(ask: Ask) -> None:
    """GetKeyPolicy without a name means the policy named default."""
    if not ask.params.get("PolicyName"):
        ask.rewrite(PolicyName="default")
