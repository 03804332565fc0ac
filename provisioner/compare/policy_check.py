"""Check policy statements from the file for errors that AWS would refuse, without calling AWS."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from .policy import (
    BUCKET_POLICY_BYTES,
    Document,
    PolicyError,
    Statement,
    listed,
    parse,
    sid_of,
    size,
    statements,
)

_PRINCIPALS: Final = ("AWS", "Service", "Federated", "CanonicalUser")
_PAIRS: Final = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
_ELEMENTS: Final = ("Sid", "Effect", *(name for pair in _PAIRS for name in pair), "Condition")

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


def check(document: Document, *, bucket_arn: str | None = None, reserved: str = "") -> list[str]:
    """The errors in statements that a user adds to a policy, as messages that say what to do.

    *bucket_arn* is given for the policy of a log bucket, which is then also checked for what S3 and log services need.
    Sids that end in *reserved* are not allowed. AWS may refuse a policy without errors: only AWS knows its principals.
    """
    try:
        parsed, found = parse(document), statements(document)
        bytes_ = size(parsed)
    except PolicyError as error:
        return [str(error)]
    except TypeError:
        return ["policy: want text, numbers, booleans and lists only: put dates in quotes"]
    errors = [f"policy: {text}" for text in _unknown(parsed, ("Version", "Id", "Statement"))]
    if bucket_arn and bytes_ > BUCKET_POLICY_BYTES:
        errors.append(f"policy: want at most {BUCKET_POLICY_BYTES} bytes, got {bytes_}")
    sids = [sid_of(statement) for statement in found]
    for index, (sid, statement) in enumerate(zip(sids, found, strict=True)):
        texts = [*_syntax_errors(statement)]
        if sid and sid in sids[:index]:
            texts.append(f"want another `Sid`, an earlier statement has `{sid}`")
        if sid and reserved and sid.endswith(reserved):
            texts.append(
                f"want another `Sid`, those that end in `{reserved}` are for statements that provision writes"
            )
        if bucket_arn:
            texts += _bucket_errors(statement, bucket_arn)
        errors += [f"statement {f'`{sid}`' if sid else index + 1}: {text}" for text in texts]
    return errors


def _unknown(have: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    for key in have:
        if key not in names:
            same = [name for name in names if name.lower() == str(key).lower()]
            near = same or difflib.get_close_matches(str(key), names, n=1)
            hint = f"did you mean `{near[0]}`" if near else f"want {_one_of(names)}"
            yield f"unknown element `{key}`: {hint}"


def _syntax_errors(statement: Statement) -> Iterator[str]:
    yield from _unknown(statement, _ELEMENTS)
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"want `Effect`, `Allow` or `Deny`, got {_got(statement.get('Effect'))}"
    for pair in _PAIRS:
        if (given := sum(1 for name in pair if statement.get(name))) != 1:
            yield f"want one of {_one_of(pair)}, got {'both' if given else 'neither'}"
    for action in listed(statement.get("Action")) + listed(statement.get("NotAction")):
        if not re.fullmatch(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
            yield f"want actions such as `s3:GetObject`, got `{action}`"
    for name in _PAIRS[0]:
        principal = statement.get(name, "*")
        if isinstance(principal, Mapping):
            yield from _unknown(principal, _PRINCIPALS)
        elif principal and principal != "*":
            yield f"`{name}`: want `*`, or an object with {_one_of(_PRINCIPALS)}, got {_got(principal)}"
    condition = statement.get("Condition") or {}
    operators = condition.values() if isinstance(condition, Mapping) else [condition]
    if not all(isinstance(keys, Mapping) for keys in operators):
        yield "`Condition`: want an object of operators, each with an object of keys and values"


def _bucket_errors(statement: Statement, bucket_arn: str) -> Iterator[str]:
    for resource in listed(statement.get("Resource")) + listed(statement.get("NotResource")):
        if resource != bucket_arn and not resource.startswith(f"{bucket_arn}/"):
            yield f"want resources in this bucket, `{bucket_arn}` or `{bucket_arn}/...`, got `{resource}`"
    effect, conditions = statement.get("Effect"), _conditions(statement)
    everybody = "*" in _principals(statement, "AWS") or bool(statement.get("NotPrincipal"))
    if effect == "Allow" and everybody and not any(_narrows(*one) for one in conditions):
        yield (
            "would be refused by BlockPublicPolicy: want a principal, or a condition with a fixed value of "
            "`aws:PrincipalOrgID`, `aws:SourceAccount` or the like"
        )
    services = everybody or bool(_principals(statement, "Service"))
    if effect == "Deny" and services and _denies_delivery(statement, conditions):
        yield (
            "would stop log services, whose writes have no such header: want the bucket's default encryption to do "
            "this, or `aws:PrincipalIsAWSService` `false` in the condition"
        )


def _principals(statement: Statement, kind: str) -> list[str]:
    principal = statement.get("Principal")
    return listed(principal.get(kind) if isinstance(principal, Mapping) else principal)


def _conditions(statement: Statement) -> list[tuple[str, str, list[str]]]:
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


def _denies_delivery(statement: Statement, conditions: Sequence[tuple[str, str, list[str]]]) -> bool:
    """True if the statement denies an AWS service a PutObject without encryption headers."""
    header = [(operator, values) for operator, key, values in conditions if "server-side-encryption" in key]
    service = any(key == "aws:principalisawsservice" and values == ["false"] for _, key, values in conditions)
    negated = "NotAction" in statement
    actions = listed(statement.get("NotAction" if negated else "Action"))
    puts = negated != any(fnmatchcase("s3:putobject", action.lower()) for action in actions)
    return bool(header) and puts and not service and all(_holds_without(*one) for one in header)


def _holds_without(operator: str, values: Sequence[str]) -> bool:
    """True if a request without the key meets the condition."""
    if operator.startswith("ForAnyValue:"):
        return False
    if operator == "Null":
        return "true" in values
    return operator.startswith("ForAllValues:") or operator.endswith("IfExists") or "Not" in operator


def _one_of(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:-1]) + f" or `{names[-1]}`"


def _got(value: Any) -> str:
    return "none" if value is None else f"`{value}`"
