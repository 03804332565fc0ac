"""Policy documents: build, validate and normalize them as S3 does, and find public ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from ..compare.policy_eval import as_list, to_text
from .model import Refused

# An Allow for everybody is not public if it has a fixed value for one of these keys (S3 guide, "The meaning of public").
_NARROWING = {
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "aws:sourceip",
}
_MAXIMUM_BYTES = 20 * 1024
CLOUDFRONT_USER = "CloudFront Origin Access Identity "  # the start of the user name in its ARN
# The canonical user id of an account, or the longer one of a CloudFront origin access identity.
_CANONICAL_ID = re.compile(r"[0-9a-f]{64}|[0-9a-f]{96}")


def to_policy(*statements: Mapping[str, Any]) -> str:
    """The JSON text of a policy with these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def trust_policy(service: str) -> str:
    """The JSON text of a trust policy that lets a service principal assume a role."""
    return to_policy({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def malformed(text: str) -> Refused:
    """S3's error for a policy that it rejects."""
    return Refused("MalformedPolicy", text)


def read_policy(text: str) -> dict[str, Any]:
    """Parse a policy. Raises `Refused` if it is no JSON object with a statement, or too long."""
    if len(text.encode()) > _MAXIMUM_BYTES:
        raise malformed("Policy exceeds the maximum allowed document size.")
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise malformed("Policies must be valid JSON and the first byte must be '{'")
    if document.get("Version", "2008-10-17") not in ("2008-10-17", "2012-10-17"):
        raise malformed("The policy must contain a valid version string")
    if not as_list(document.get("Statement")):
        raise malformed("Missing required field Statement")
    return document


def check_bucket_policy(document: Mapping[str, Any], arn: str, exists: Callable[[str], bool]) -> None:
    """Raise `Refused` if S3 would reject the document for the bucket *arn*; *exists* tells whether a principal does."""
    for statement in as_list(document["Statement"]):
        if not isinstance(statement, dict):
            raise malformed("Could not parse the policy")
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise malformed(f"Invalid effect : {statement.get('Effect')}")
        if fault := field_fault(statement):
            raise malformed(fault)
        _check_principal(statement.get("Principal", statement.get("NotPrincipal")), exists)
        _check_resources(statement, arn)


def field_fault(statement: Mapping[str, Any]) -> str:
    """What is wrong with the fields of a resource policy's statement; an empty text if nothing is.

    Each of Principal, Action and Resource must be given, or its Not form, and NotPrincipal in a Deny only (IAM User Guide,
    "Grammar of the IAM JSON policy language" and "NotPrincipal").
    """
    for field in ("Principal", "Action", "Resource"):
        given = [name for name in (field, f"Not{field}") if name in statement]
        if not given:
            return f"Missing required field {field}"
        if len(given) > 1:
            return f"Policy statement must not contain both {field} and Not{field}"
    if "NotPrincipal" in statement and statement.get("Effect") != "Deny":
        return "Allow with NotPrincipal is not allowed."
    return ""


def _check_resources(statement: Mapping[str, Any], arn: str) -> None:
    resources = [str(r) for r in as_list(statement.get("Resource", statement.get("NotResource")))]
    for resource in resources:
        if resource != arn and not resource.startswith((f"{arn}/", f"{arn}*")):
            raise malformed("Policy has invalid resource")


def _check_principal(principal: Any, exists: Callable[[str], bool]) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise malformed("Invalid policy syntax.")
    if not any(map(as_list, principal.values())):
        raise malformed("Invalid policy syntax.")
    for kind, names in principal.items():
        if kind not in ("AWS", "Service", "CanonicalUser", "Federated"):
            raise malformed(f"Invalid principal type : {kind}")
        for name in map(str, as_list(names)):
            if kind == "AWS" and name != "*" and not exists(name):
                raise malformed("Invalid principal in policy")
            if kind == "CanonicalUser" and not _CANONICAL_ID.fullmatch(name):
                raise malformed("Invalid principal in policy")
            if kind == "Service" and not name.endswith(
                (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")
            ):
                raise malformed("Invalid principal in policy")


def normalised(document: Mapping[str, Any], partition: str) -> dict[str, Any]:
    """The document as S3 returns it: the same meaning in another form (aws.md 1.7)."""
    return {
        "Version": document.get("Version", "2008-10-17"),
        **{k: v for k, v in document.items() if k not in ("Version", "Statement")},
        "Statement": [_statement(s, partition) for s in as_list(document.get("Statement"))],
    }


def _statement(statement: Mapping[str, Any], partition: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in statement.items():
        if key in ("Principal", "NotPrincipal") and isinstance(value, Mapping):
            named: dict[str, list[Any]] = {}
            for kind, names in value.items():
                for name in as_list(names):
                    shown_kind, shown = _name(str(name), kind, partition)
                    named.setdefault(shown_kind, []).append(shown)
            made[key] = {kind: _short(names) for kind, names in named.items()}
        elif key == "Condition":
            made[key] = {
                op: {k: _short([to_text(v) for v in as_list(vs)]) for k, vs in keys.items()}
                for op, keys in value.items()
            }
        else:
            made[key] = _short(value) if isinstance(value, list) else value
    return made


def _short(values: list[Any]) -> Any:
    # AWS keeps no order; this one, unlike what people write, exposes a comparison that relies on order.
    return values[0] if len(values) == 1 else sorted(dict.fromkeys(values), reverse=True)


def _name(name: str, kind: str, partition: str) -> tuple[str, str]:
    """The kind and name of a principal, as S3 returns them: of a CloudFront identity, always its ARN."""
    if kind == "AWS" and re.fullmatch(r"\d{12}", name):
        return kind, f"arn:{partition}:iam::{name}:root"
    if kind == "CanonicalUser" and len(name) > 64:
        number = sha256(name.encode()).hexdigest()[:13].upper()
        return "AWS", f"arn:{partition}:iam::cloudfront:user/{CLOUDFRONT_USER}E{number}"
    return kind, name


def is_public(document: Mapping[str, Any] | None) -> bool:
    """Whether S3 considers the policy public: an Allow for everybody that no fixed value narrows."""
    return any(_public(statement) for statement in as_list((document or {}).get("Statement")))


def _public(statement: Mapping[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    everybody = principal == "*" or (isinstance(principal, Mapping) and "*" in as_list(principal.get("AWS")))
    if not everybody and "NotPrincipal" not in statement:
        return False
    for operator, keys in (statement.get("Condition") or {}).items():
        if "Not" in operator or operator.endswith("IfExists"):
            continue
        for key, values in keys.items():
            if key.lower() in _NARROWING and all(_fixed(key, str(v)) for v in as_list(values)):
                return False
    return True


def _fixed(key: str, value: str) -> bool:
    if key.lower() == "aws:sourceip":
        return not value.endswith("/0")
    return ("*" not in value and "?" not in value) or (
        value.startswith("arn:") and bool(re.search(r":\d{12}:", value))
    )
