"""Check policy statements from the file for errors that AWS would refuse, without calling AWS.

Sources: "IAM JSON policy elements" in the IAM User Guide; "The meaning of public" and "Policies and permissions in
Amazon S3" in the S3 User Guide; "Key policies in AWS KMS" in the KMS Developer Guide.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from .kms_actions import KEY_ACTIONS
from .policy import (
    BUCKET_POLICY_BYTES,
    Document,
    PolicyError,
    Statement,
    document,
    parse,
    sid_of,
    size,
    statements,
)
from .policy_effects import effects, effects_on_key
from .policy_spelling import ELEMENTS, PAIRS, PRINCIPALS, as_written, to_aws_spelling
from .policy_values import Found, condition_errors, each_value, got, has_values
from .s3_actions import BUCKET_ACTIONS, CONDITION_KEYS, OBJECT_ACTIONS

_ACTION: Final = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_ACCOUNT: Final = r"[0-9]{12}"
# IAM takes an account, a role, a user or a session; a wildcard only alone, for everybody; no groups.
_AWS_PRINCIPAL: Final = re.compile(
    rf"\*|{_ACCOUNT}|A[A-Z0-9]{{15,}}|arn:[a-z-]+:(iam::({_ACCOUNT}:(root|(user|role)/[^*?]+)|cloudfront:user/[^*?]+)"
    rf"|sts::{_ACCOUNT}:(assumed-role/[^*?/]+/[^*?]+|federated-user/[^*?]+))"
)
_OTHER_PRINCIPALS: Final = {
    "Service": (
        re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)"),
        "a service such as `delivery.logs.amazonaws.com`",
    ),
    # The longer one is of a CloudFront origin access identity.
    "CanonicalUser": (
        re.compile(r"[0-9a-f]{64}|[0-9a-f]{96}"),
        "a canonical user id of 64 hexadecimal digits",
    ),
    "Federated": (
        re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+|arn:[a-z-]+:iam::[0-9]{12}:(saml|oidc)-provider/.+"),
        "the ARN of an identity provider, or a name such as `cognito-identity.amazonaws.com`",
    ),
}


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


def problems(
    written: Sequence[Statement],
    *,
    bucket_arn: str | None = None,
    of_key: bool = False,
    account: str = "",
    reserved: str = "",
    most: int = BUCKET_POLICY_BYTES,
) -> Found:
    """The errors of `check`, each with its path in the statements as they are *written*, in either spelling.

    Each statement must have a Sid, too, by which later runs find it. *of_key*: they are for the policy of a KMS key.
    *account* is that of the bucket or key.
    """
    spelled = [to_aws_spelling(each) for each in written]
    try:
        bytes_ = size(document(spelled))
    except TypeError:
        yield (), "want text, numbers, booleans and lists only: put dates in quotes"
        return
    if bytes_ > most:
        yield (), f"want at most {most} bytes, got {bytes_}"
    for index, (raw, each) in enumerate(zip(written, spelled, strict=True)):
        if len(each) < len(raw):
            yield (index,), "one element is there twice, in AWS's spelling and in snake_case: keep one"
        if not sid_of(each):
            yield (index,), "want a `Sid`, by which later runs find the statement"
    for (at, *path), text in _problems(spelled, bucket_arn, reserved, account, of_key=of_key):
        yield (at, *as_written(written[int(at)], tuple(path))), text


def refused_by_s3(statement: Statement, bucket_arn: str) -> Found:
    """The errors in one statement for which S3 refuses a bucket policy, each with its path; resources are not checked."""
    yield from _syntax_errors(statement)
    yield from _action_errors(statement, bucket_arn)
    yield from _condition_key_errors(statement)


def _problems(
    found: Sequence[Statement],
    bucket_arn: str | None,
    reserved: str,
    account: str = "",
    *,
    of_key: bool = False,
) -> Found:
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
            errors += [*_bucket_errors(statement, bucket_arn), *_condition_key_errors(statement)]
            if not errors:  # what a statement does is clear only if it is right
                errors += effects(statement, bucket_arn, account)
        elif of_key:
            errors += _key_errors(statement)
            if not errors:
                errors += effects_on_key(statement, account)
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
        yield ("Effect",), f"want `Effect`, `Allow` or `Deny`, got {got(statement.get('Effect'))}"
    for pair in PAIRS:
        given = [name for name in pair if statement.get(name)]
        if len(given) != 1:
            yield tuple(given[1:]), f"want one of {_one_of(pair)}, got {'both' if given else 'neither'}"
    if statement.get("Effect") == "Allow" and statement.get("NotPrincipal"):
        yield (
            ("NotPrincipal",),
            "AWS takes `NotPrincipal` with `Deny` only: name who is allowed, in `Principal`",
        )
    for path, action in each_value(statement, *PAIRS[1]):
        if not _ACTION.fullmatch(action):
            yield path, f"want actions such as `s3:GetObject`, got `{action}`"
    for name in PAIRS[0]:
        yield from _principal_errors(name, statement.get(name, "*"))
    condition = statement.get("Condition", {})
    operators = condition.values() if isinstance(condition, Mapping) else [condition]
    if not all(isinstance(keys, Mapping) for keys in operators):
        yield (
            ("Condition",),
            "`Condition`: want an object of operators, each with an object of keys and values",
        )
    else:
        yield from condition_errors(condition)


def _principal_errors(name: str, principal: Any) -> Found:
    if isinstance(principal, Mapping):
        yield from (((name, *path), text) for path, text in _unknown(principal, PRINCIPALS))
        for kind in principal:
            if not has_values(principal[kind]):
                yield (name, str(kind)), f"want a name, or a list of several, got {got(principal[kind])}"
        for path, each in each_value(principal, "AWS"):
            if not _AWS_PRINCIPAL.fullmatch(each):
                text = (
                    f"want `*`, an account id of 12 digits, or the ARN of a role, user or session without wildcards, got "
                    f"`{each}`: for several roles, name the account, and the roles in a condition on `aws:PrincipalArn`"
                )
                yield (name, *path), text
        for kind, (pattern, want) in _OTHER_PRINCIPALS.items():
            for path, each in each_value(principal, kind):
                if not pattern.fullmatch(each):
                    yield (name, *path), f"want {want}, got `{each}`"
    elif principal and principal != "*":
        text = f"`{name}`: want `*`, or an object with {_one_of(PRINCIPALS)}, got {got(principal)}"
        yield (name,), text


def _bucket_errors(statement: Statement, bucket_arn: str) -> Found:
    wrong = [each for each in each_value(statement, *PAIRS[2]) if not _is_of(bucket_arn, each[1])]
    for path, resource in wrong:
        text = f"want resources in this bucket, `{bucket_arn}` or `{bucket_arn}/...`, got `{resource}`"
        yield path, text
    # Where a wrong resource is reported, nothing more is.
    yield from _action_errors({**statement, "Resource": None} if wrong else statement, bucket_arn)


def _is_of(bucket_arn: str, resource: str) -> bool:
    return resource == bucket_arn or resource.startswith(f"{bucket_arn}/")


def _action_errors(statement: Statement, bucket_arn: str) -> Found:
    """Actions that S3 does not take in a bucket policy, or not on the statement's resources."""
    on_bucket = on_objects = True
    if statement.get("Resource"):
        resources = [resource for _, resource in each_value(statement, "Resource")]
        on_bucket = any("/" not in each for each in resources)
        on_objects = any(each != bucket_arn for each in resources)
    for path, action in each_value(statement, *PAIRS[1]):
        if action == "*" or not _ACTION.fullmatch(action):
            continue
        bucket, objects = (_match(action, names) for names in (BUCKET_ACTIONS, OBJECT_ACTIONS))
        if not bucket and not objects:
            near = _near(action, [*BUCKET_ACTIONS, *OBJECT_ACTIONS], "s3")
            hint = near or "want one on a bucket or its objects"
            yield path, f"S3 takes no action `{action}` in a bucket policy: {hint}"
        elif path[0] == "Action" and not (bucket and on_bucket) and not (objects and on_objects):
            what, need = ("objects", f"{bucket_arn}/*") if objects else ("the bucket", bucket_arn)
            yield path, f"`{action}` acts on {what}: want `{need}` as a resource"


def _condition_key_errors(statement: Statement) -> Found:
    """Condition keys of S3 that there are not, for which it refuses the policy. Keys have no upper and lower case."""
    known, condition = {each.lower(): each for each in CONDITION_KEYS}, statement.get("Condition")
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        for key in map(str, keys if isinstance(keys, Mapping) else ()):
            service, _, name = key.partition(":")
            if service.lower() == "s3" and name.partition("/")[0].lower() not in known:
                near = difflib.get_close_matches(name.lower(), known, n=1)
                hint = f"did you mean `s3:{known[near[0]]}`" if near else "want one of S3"
                yield ("Condition", str(operator), key), f"S3 has no condition key `{key}`: {hint}"


def _key_errors(statement: Statement) -> Found:
    """What has no meaning in a key policy: it is about its key only, which `*` stands for."""
    for path, resource in each_value(statement, *PAIRS[2]):
        if path[0] == "NotResource" or not re.fullmatch(
            r"\*|arn:[a-z-]+:kms:[^:]*:[0-9]{12}:key/.+", resource
        ):
            yield path, f"want `Resource` `*`, which means this key, got `{resource}`"
    for path, action in each_value(statement, *PAIRS[1]):
        if _ACTION.fullmatch(action) and action != "*" and not _match(action, KEY_ACTIONS, "kms"):
            yield (
                path,
                f"KMS has no action `{action}`: {_near(action, KEY_ACTIONS, 'kms') or 'want one of KMS'}",
            )


def _match(action: str, names: Iterable[str], service: str = "s3") -> bool:
    return any(fnmatchcase(f"{service}:{name}".lower(), action.lower()) for name in names)


def _near(action: str, names: Iterable[str], service: str) -> str:
    near = difflib.get_close_matches(action.removeprefix(f"{service}:"), [*names], n=1, cutoff=0.7)
    return f"did you mean `{service}:{near[0]}`" if near else ""


def _one_of(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:-1]) + f" or `{names[-1]}`"
