"""Check policy statements from the file for errors that AWS would refuse, without calling AWS.

Sources: "IAM JSON policy elements" in the IAM User Guide; "The meaning of public" and "Policies and permissions in
Amazon S3" in the S3 User Guide.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import Any, Final

from .policy import (
    BUCKET_POLICY_BYTES,
    Document,
    PolicyError,
    Statement,
    document,
    listed,
    parse,
    sid_of,
    size,
    statements,
)
from .policy_effects import effects
from .policy_spelling import ELEMENTS, OPERATORS, PAIRS, PRINCIPALS, as_written, to_aws_spelling
from .s3_actions import BUCKET_ACTIONS, OBJECT_ACTIONS

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str]]  # errors: the path in the statement, in AWS's spelling, and the message

_ACCOUNT: Final = r"[0-9]{12}"
# IAM takes an account, a role, a user or a session; a wildcard only alone, for everybody; no groups.
_AWS_PRINCIPAL: Final = re.compile(
    rf"\*|{_ACCOUNT}|A[A-Z0-9]{{15,}}|arn:[a-z-]+:(iam::({_ACCOUNT}:(root|(user|role)/[^*?]+)|cloudfront:user/[^*?]+)"
    rf"|sts::{_ACCOUNT}:(assumed-role/[^*?/]+/[^*?]+|federated-user/[^*?]+))"
)
_SERVICE: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)")


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
    errors = [f"policy: {text}" for _, text in _unknown(parsed, ("Version", "Id", "Statement"))]
    if bucket_arn and bytes_ > BUCKET_POLICY_BYTES:
        errors.append(f"policy: want at most {BUCKET_POLICY_BYTES} bytes, got {bytes_}")
    for (index, *_), text in _problems(found, bucket_arn, reserved):
        sid = sid_of(found[int(index)])
        errors.append(f"statement {f'`{sid}`' if sid else int(index) + 1}: {text}")
    return errors


def problems(written: Sequence[Statement], *, bucket_arn: str, reserved: str = "") -> Found:
    """The errors of `check`, each with its path in the statements as they are *written*, in either spelling.

    Each statement must have a Sid, too, by which later runs find it.
    """
    spelled = [to_aws_spelling(each) for each in written]
    try:
        bytes_ = size(document(spelled))
    except TypeError:
        yield (), "want text, numbers, booleans and lists only: put dates in quotes"
        return
    if bytes_ > BUCKET_POLICY_BYTES:
        yield (), f"want at most {BUCKET_POLICY_BYTES} bytes, got {bytes_}"
    for index, (raw, each) in enumerate(zip(written, spelled, strict=True)):
        if len(each) < len(raw):
            yield (index,), "one element is there twice, in AWS's spelling and in snake_case: keep one"
        if not sid_of(each):
            yield (index,), "want a `Sid`, by which later runs find the statement"
    for (at, *path), text in _problems(spelled, bucket_arn, reserved):
        yield (at, *as_written(written[int(at)], tuple(path))), text


def _problems(found: Sequence[Statement], bucket_arn: str | None, reserved: str) -> Found:
    sids = [sid_of(statement) for statement in found]
    for index, (sid, statement) in enumerate(zip(sids, found, strict=True)):
        if sid and sid in sids[:index]:
            yield (index, "Sid"), f"want another `Sid`, an earlier statement has `{sid}`"
        if sid and reserved and sid.endswith(reserved):
            text = (
                f"want another `Sid`, those that end in `{reserved}` are for statements that provision writes"
            )
            yield (index, "Sid"), text
        errors = [*_syntax_errors(statement)]
        if bucket_arn:
            errors += _bucket_errors(statement, bucket_arn)
            if not errors:  # what a statement does is clear only if it is right
                errors += effects(statement, bucket_arn)
        yield from (((index, *path), text) for path, text in errors)


def _unknown(have: Mapping[str, Any], names: Sequence[str]) -> Found:
    for key in have:
        if key not in names:
            same = [name for name in names if name.lower() == str(key).lower()]
            near = same or difflib.get_close_matches(str(key), names, n=1)
            hint = f"did you mean `{near[0]}`" if near else f"want {_one_of(names)}"
            yield (str(key),), f"unknown element `{key}`: {hint}"


def _syntax_errors(statement: Statement) -> Found:
    yield from _unknown(statement, ELEMENTS)
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield ("Effect",), f"want `Effect`, `Allow` or `Deny`, got {_got(statement.get('Effect'))}"
    for pair in PAIRS:
        given = [name for name in pair if statement.get(name)]
        if len(given) != 1:
            yield tuple(given[1:]), f"want one of {_one_of(pair)}, got {'both' if given else 'neither'}"
    for path, action in _each(statement, *PAIRS[1]):
        if not re.fullmatch(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
            yield path, f"want actions such as `s3:GetObject`, got `{action}`"
    for name in PAIRS[0]:
        yield from _principal_errors(name, statement.get(name, "*"))
    condition = statement.get("Condition") or {}
    operators = condition.values() if isinstance(condition, Mapping) else [condition]
    if not all(isinstance(keys, Mapping) for keys in operators):
        yield (
            ("Condition",),
            "`Condition`: want an object of operators, each with an object of keys and values",
        )
    else:
        yield from _condition_errors(condition)


def _principal_errors(name: str, principal: Any) -> Found:
    if isinstance(principal, Mapping):
        yield from (((name, *path), text) for path, text in _unknown(principal, PRINCIPALS))
        for path, each in _each(principal, "AWS"):
            if not _AWS_PRINCIPAL.fullmatch(each):
                text = (
                    f"want `*`, an account id of 12 digits, or the ARN of a role, user or session without wildcards, got "
                    f"`{each}`: for several roles, name the account, and the roles in a condition on `aws:PrincipalArn`"
                )
                yield (name, *path), text
        for path, each in _each(principal, "Service"):
            if not _SERVICE.fullmatch(each):
                yield (name, *path), f"want a service such as `delivery.logs.amazonaws.com`, got `{each}`"
    elif principal and principal != "*":
        text = f"`{name}`: want `*`, or an object with {_one_of(PRINCIPALS)}, got {_got(principal)}"
        yield (name,), text


def _condition_errors(condition: Mapping[str, Any]) -> Found:
    for operator, keys in condition.items():
        if operator not in OPERATORS:
            same = [name for name in OPERATORS if name.lower() == str(operator).lower()]
            near = same or difflib.get_close_matches(str(operator), OPERATORS, n=1)
            hint = (
                f"did you mean `{near[0]}`"
                if near
                else "want one such as `StringEquals`, `ArnLike` or `Bool`"
            )
            yield ("Condition", str(operator)), f"unknown condition operator `{operator}`: {hint}"
            continue
        want, is_valid = _value_kind(operator)
        for key in keys:
            if not re.fullmatch(r"[A-Za-z0-9-]+:.+", str(key)):
                text = f"want a condition key such as `aws:PrincipalOrgID`, got `{key}`"
                yield ("Condition", operator, str(key)), text
            for path, value in _each(keys, key):
                if "${" not in value and not is_valid(value):
                    yield ("Condition", operator, *path), f"`{operator}`: want {want}, got `{value}`"


def _value_kind(operator: str) -> tuple[str, Callable[[str], bool]]:
    """What values a condition operator takes: in words, and as a test."""
    plain = operator.rpartition(":")[2].removesuffix("IfExists")
    if plain in {"Bool", "Null"}:
        return "`true` or `false`", lambda value: value.lower() in {"true", "false"}
    if plain.endswith("IpAddress"):
        return "an address range such as `203.0.113.0/24`", _parses(
            lambda value: ip_network(value, strict=False)
        )
    if plain.startswith("Numeric"):
        return "a number", _parses(float)
    if plain.startswith("Date"):
        return "a date such as `2030-12-31T00:00:00Z`", lambda value: value.isdigit() or _is_date(value)
    return "text", lambda value: True


def _parses(parse_value: Callable[[str], object]) -> Callable[[str], bool]:
    def is_valid(value: str) -> bool:
        with suppress(ValueError):
            return bool(parse_value(value)) or True
        return False

    return is_valid


_is_date = _parses(datetime.fromisoformat)


def _bucket_errors(statement: Statement, bucket_arn: str) -> Found:
    on_bucket = on_objects = True  # where a wrong resource is reported, nothing more is
    resources = [*_each(statement, *PAIRS[2])]
    for path, resource in resources:
        if resource != bucket_arn and not resource.startswith(f"{bucket_arn}/"):
            text = f"want resources in this bucket, `{bucket_arn}` or `{bucket_arn}/...`, got `{resource}`"
            yield path, text
            resources = []
    if resources and statement.get("Resource"):
        on_bucket = any(resource == bucket_arn for _, resource in resources)
        on_objects = any(resource != bucket_arn for _, resource in resources)
    for path, action in _each(statement, *PAIRS[1]):
        if action == "*" or not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
            continue
        bucket, objects = (_match(action, names) for names in (BUCKET_ACTIONS, OBJECT_ACTIONS))
        if not bucket and not objects:
            near = difflib.get_close_matches(
                action.removeprefix("s3:"), [*BUCKET_ACTIONS, *OBJECT_ACTIONS], n=1, cutoff=0.7
            )
            hint = f"did you mean `s3:{near[0]}`" if near else "want one on a bucket or its objects"
            yield path, f"S3 takes no action `{action}` in a bucket policy: {hint}"
        elif path[0] == "Action" and not (bucket and on_bucket) and not (objects and on_objects):
            what, need = ("objects", f"{bucket_arn}/*") if objects else ("the bucket", bucket_arn)
            yield path, f"`{action}` acts on {what}: want `{need}` as a resource"


def _match(action: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(f"s3:{name}".lower(), action.lower()) for name in names)


def _each(have: Mapping[str, Any], *names: str) -> Iterator[tuple[Path, str]]:
    """Each value of these keys, as text, with its path."""
    for name in names:
        value = have.get(name)
        several = isinstance(value, list | tuple)
        for index, text in enumerate(listed(value)):
            yield (name, index) if several else (name,), text


def _one_of(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:-1]) + f" or `{names[-1]}`"


def _got(value: Any) -> str:
    return "none" if value is None else f"`{value}`"
