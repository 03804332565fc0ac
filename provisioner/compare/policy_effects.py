"""What a valid statement of a bucket or key policy does: whether it is public, locks out everybody, or stops services.

Sources: "The meaning of public" and "Amazon S3 condition keys" in the S3 User Guide; "AWS global condition context
keys" in the IAM User Guide; "Key policies" in the KMS Developer Guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from .policy import Statement, arn, listed
from .policy_eval import Act, applies, conditions_hold
from .policy_strangers import time_context

Condition = tuple[str, str, list[str]]  # operator, key in lower case, values

# Condition keys with which a statement for everybody is not public to S3, if their value is fixed ("The meaning of
# public", S3 user guide).
_NARROWING: Final = frozenset(
    {
        *("aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner"),
        *("aws:sourceaccount", "aws:sourceorgid", "aws:principalorgid", "aws:userid"),
        *("s3:dataaccesspointarn", "s3:dataaccesspointaccount"),
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_POSITIVE: Final = re.compile(
    r"(ForAnyValue:)?(String(Equals|EqualsIgnoreCase|Like)|Arn(Equals|Like)|IpAddress)"
)
# What a request of a user or a log service over TLS has in common with that of others, by condition key.
REQUEST: Final = {
    "aws:securetransport": "true",
    "s3:tlsversion": "1.3",
    "s3:signatureversion": "AWS4-HMAC-SHA256",
    "s3:authtype": "REST-HEADER",
}
_DELIVERY: Final = {
    **REQUEST,
    "aws:principalisawsservice": "true",
    "aws:viaawsservice": "false",
    "s3:x-amz-acl": "bucket-owner-full-control",
}
# What a request of a log service never has, and its address is not one of the user's.
_NOT_IN_DELIVERY: Final = re.compile(
    r"s3:(x-amz-server-side-encryption.*|x-amz-grant-.*|dataaccesspoint.*)"
    r"|aws:(principal(arn|account|org.*|tag/.*)|userid|username|sourcevpce?|sourceip|vpcsourceip|multifactorauth.*"
    r"|sourceidentity|tokenissuetime|federatedprovider)"
)
_ANYBODY: Final = "000000000000"  # no account has this id
# What each request of a user or a role has, besides what those of others have too: a condition that holds for this one,
# and not by a `Not`, holds for every one.
_USER: Final = {
    **REQUEST,
    "aws:principalisawsservice": "false",
    "aws:viaawsservice": "false",
    "aws:principalarn": arn("aws", "iam", "", _ANYBODY, "role/-"),
    "aws:principalaccount": _ANYBODY,
    "aws:principaltype": "-",
    "aws:userid": "-:-",
    "aws:requestedregion": "-",
}
_SERVICE: Final = "delivery.logs.amazonaws.com"  # stands for every log service
_LOG_FILE: Final = "AWSLogs/000000000000/log.json.gz"
# Without these, log services and `provision` itself are locked out of the bucket.
_VITAL: Final = ("s3:GetBucketAcl", "s3:ListBucket", "s3:GetBucketPolicy", "s3:PutBucketPolicy")
# Without these, nobody can manage or use a key. KMS itself refuses a policy without the first one.
_VITAL_FOR_KEYS: Final = (
    *("kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:DescribeKey", "kms:Decrypt", "kms:GenerateDataKey"),
)


def effects(
    statement: Statement, bucket_arn: str, account: str = ""
) -> Iterator[tuple[tuple[str, ...], str]]:
    """What a valid statement does that S3's block of public policies, or the log services, do not bear.

    *account* is the bucket's, if it is known.
    """
    conditions = _conditions(statement)
    everybody = "*" in _principals(statement) or bool(statement.get("NotPrincipal"))
    file = f"{bucket_arn}/{_LOG_FILE}"
    if statement.get("Effect") == "Allow":
        if everybody and not any(_narrows(*one) for one in conditions):
            text = (
                "would be refused by BlockPublicPolicy: want a principal, or a condition with a fixed value of "
                "`aws:PrincipalOrgID`, `aws:SourceAccount` or the like"
            )
            yield ("Principal",), text
    elif text := _locks_out(
        statement, [(each, bucket_arn) for each in _VITAL], [("s3:PutObject", file)], account
    ):
        yield (), text
    elif _denies_delivery(statement, Act("s3:PutObject", file, _SERVICE, _DELIVERY)):
        if any("server-side-encryption" in key for _, key, _ in conditions):
            why, remedy = (
                ", whose writes have no such header",
                "the bucket's default encryption to do this, or ",
            )
        else:
            keys = ", ".join(f"`{key}`" for _, key, _ in conditions)
            why, remedy = f", whose requests meet the condition on {keys}" if keys else "", ""
        text = (
            f"would stop log services{why}: want {remedy}`aws:PrincipalIsAWSService` `false` in the condition"
        )
        yield (), text


def effects_on_key(statement: Statement, account: str = "") -> Iterator[tuple[tuple[str, ...], str]]:
    """What a valid statement of a key policy does that leaves nobody, or no service, who can use the key.

    *account* is the key's, if it is known.
    """
    if statement.get("Effect") != "Deny":
        return
    key = {**statement, "Resource": "*"}  # which means the key itself
    if text := _locks_out(key, [(each, "*") for each in _VITAL_FOR_KEYS], (), account):
        yield (), text
    elif _denies_delivery(key, Act("kms:GenerateDataKey", "*", _SERVICE, _DELIVERY)):
        text = "would keep services from the key: want `aws:PrincipalIsAWSService` `false` in the condition"
        yield (), text


def _locks_out(
    statement: Statement,
    manage: Sequence[tuple[str, str]],
    deliver: Sequence[tuple[str, str]],
    account: str,
) -> str:
    """What the statement denies to everybody, or to all users and roles, without which nothing works; or an empty text.

    That is one of the actions, each with its resource, that *manage* the resource or *deliver* to it. The users and roles
    are those of *account*, or if it is not known, of any.
    """
    caller = account or _ANYBODY
    user = {
        **_USER,
        **time_context(),
        "aws:principalaccount": caller,
        "aws:principalarn": arn("aws", "iam", "", caller, "role/-"),
    }
    everybody = "*" in _principals(statement)
    if everybody and all(key in REQUEST for _, key, _ in _conditions(statement)):
        who, action = "everybody", _first_denied(statement, [*manage, *deliver], REQUEST, caller)
    elif (everybody or _means_all_users(statement, account)) and all(
        _holds_for_all(*each, user) for each in _conditions(statement)
    ):
        who, action = "every user and role", _first_denied(statement, manage, user, caller)
    else:
        return ""
    spared = "log services and provision" if who == "everybody" else "provision"
    spare = "want a `Condition` that spares them, or fewer actions"
    return f"would deny {who} `{action}`, {spared} included: {spare}" if action else ""


def _means_all_users(statement: Statement, account: str) -> bool:
    """Whether the principal of a Deny is the account, which means every user and role in it, or all but some services."""
    spared = statement.get("NotPrincipal")
    if isinstance(spared, Mapping):
        return set(spared) == {"Service"}
    named = [each.split(":")[4] if each.endswith(":root") else each for each in _principals(statement)]
    return bool(account) and account in named


def _first_denied(
    statement: Statement, vital: Sequence[tuple[str, str]], context: Mapping[str, str], caller: str
) -> str:
    acts = (Act(action, resource, caller, context) for action, resource in vital)
    return next((act.action for act in acts if applies(statement, act)), "")


def _holds_for_all(operator: str, key: str, values: list[str], user: Mapping[str, str]) -> bool:
    """Whether the condition holds for the requests of all users and roles, as no one of them is named in it."""
    return key in user and "Not" not in operator and conditions_hold({operator: {key: values}}, user)


def _denies_delivery(statement: Statement, delivery: Act) -> bool:
    """Whether a Deny certainly keeps a log service from what it does for a delivery."""
    keys = {key for _, key, _ in _conditions(statement)}
    if any(key not in _DELIVERY and not _NOT_IN_DELIVERY.fullmatch(key) for key in keys):
        return False
    return applies(statement, delivery)


def _principals(statement: Statement) -> list[str]:
    """The AWS principals of the statement; `*` counts as one."""
    principal = statement.get("Principal")
    return listed(principal.get("AWS") if isinstance(principal, Mapping) else principal)


def _conditions(statement: Statement) -> list[Condition]:
    condition = statement.get("Condition")
    return [
        (operator, str(key).lower(), listed(values))
        for operator, keys in (condition.items() if isinstance(condition, Mapping) else ())
        for key, values in (keys.items() if isinstance(keys, Mapping) else ())
    ]


def _narrows(operator: str, key: str, values: Sequence[str]) -> bool:
    if key == "s3:dataaccesspointarn":  # of the ARN, only the account must be fixed
        values = [(value.split(":")[4:5] or [value])[0] for value in values]
    loose = any(re.search(r"[*?]|\$\{|/0$", value) for value in values)
    return bool(_POSITIVE.fullmatch(operator)) and key in _NARROWING and bool(values) and not loose
