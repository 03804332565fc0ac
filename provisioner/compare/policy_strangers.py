"""Who a statement of a policy may let in that belongs neither to this account nor to its organization.

Source of the condition keys: IAM User Guide, "AWS global condition context keys". What a caller can choose, such as its
address, a header or a tag of its own, keeps no stranger out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from .policy import Statement
from .policy import arn as make_arn
from .policy_eval import Act, Context, as_list

STRANGER: Final = "000000000000"  # no account has this id
STRANGE_ORGANIZATION: Final = "o-stranger00"
# What a caller cannot choose: who it is, what the resource is, and the time.
_FIXED: Final = (
    r"aws:(principal(arn|account|orgid|orgpaths|isawsservice|servicename|servicenameslist)|userid|resource.*"
    r"|source(arn|account|orgid|orgpaths|owner)|currenttime|epochtime)|s3:(dataaccesspoint.*|resourceaccount)|kms:calleraccount"
)
WHO: Final = re.compile(_FIXED)
# Its place in a network too: S3 calls no bucket public that can be read from some addresses only.
WHO_AND_WHERE: Final = re.compile(rf"{_FIXED}|aws:(sourceip|vpcsourceip|sourcevpc|sourcevpce|sourcevpcarn)")
_ORGANIZATION: Final = {"aws:principalorgid", "aws:principalorgpaths"}
_PRINCIPAL: Final = {"aws:principalaccount", "aws:principalarn"}
_UNIQUE_ID: Final = re.compile(r"A[A-Z0-9]{15,}")  # AWS's answer for a user or role that is deleted


def conditions(statement: Statement) -> Iterator[tuple[str, str]]:
    """Each condition key of the statement, in lower case, with each of its values."""
    for keys in (statement.get("Condition") or {}).values():
        for key, values in keys.items():
            yield from ((str(key).lower(), str(value)) for value in as_list(values))


def asks_for_organization(statement: Statement) -> bool:
    """Whether what the statement does depends on the caller's organization, or that of the request's source."""
    return any(":" in key and "org" in key.partition(":")[2] for key, _ in conditions(statement))


def only_conditions(statement: Statement, keys: re.Pattern[str]) -> dict[str, Any]:
    """The statement without its conditions on other keys."""
    kept = {
        operator: {key: value for key, value in each.items() if keys.fullmatch(str(key).lower())}
        for operator, each in (statement.get("Condition") or {}).items()
    }
    return {**statement, "Condition": kept}


def time_context() -> dict[str, str]:
    """What the keys of the time are now."""
    now = datetime.now(UTC)
    return {"aws:currenttime": now.isoformat(), "aws:epochtime": str(int(now.timestamp()))}


def strangers(
    statement: Statement, known: Collection[str], organization: str | None, partition: str
) -> Iterator[tuple[str, Act]]:
    """Everybody, and each account or organization that the statement names and that is not *known*, as callers.

    *organization* is the id of this account's own; without one it is empty, and None if that is not known.
    """
    anybody = make_arn(partition, "iam", "", STRANGER, "role/provision")
    yield "everybody", _caller(STRANGER, anybody)
    principal = statement.get("Principal")
    named: Mapping[str, Any] = principal if isinstance(principal, Mapping) else {}
    for name in [str(name) for kind in ("AWS", "CanonicalUser") for name in as_list(named.get(kind))]:
        if name != "*" and _account(name) not in known and not _UNIQUE_ID.fullmatch(name):
            arn = make_arn(partition, "iam", "", name, "root") if name.isdigit() else name
            yield _words(name), _caller(_account(name), arn)
    for key, value in conditions(statement):
        if key in _PRINCIPAL and (account := _account(value)) not in known:
            loose = re.search(r"[*?]", account) is not None
            owner, who = (STRANGER, "everybody") if loose else (account, _words(value))
            yield (
                who,
                _caller(owner, value.replace(f":{account}:", f":{owner}:") if ":" in value else anybody),
            )
        elif key in _ORGANIZATION and organization is not None:
            owner = value.partition("/")[0]
            if owner != organization and not re.search(r"[*?]", owner):
                yield f"the organization {owner}", _caller(STRANGER, anybody, owner, value)


def _caller(account: str, arn: str, organization: str = STRANGE_ORGANIZATION, path: str = "") -> Act:
    """A caller of that account, with its ARN, which may be a pattern."""
    sample = re.sub(r"[*?]", "provision", arn)
    context: Context = {
        "aws:principalaccount": account,
        "kms:calleraccount": account,
        "aws:principalarn": re.sub(":root$", ":role/provision", sample),
        "aws:principalisawsservice": "false",
        "aws:principalorgid": organization,
        "aws:principalorgpaths": (re.sub(r"[*?]", "provision", path) or f"{organization}/r-0000/ou-0000/",),
        "aws:userid": "AROA0000000000000000:provision",
        "aws:sourceip": "192.0.2.1",
        **time_context(),
    }
    return Act("", "", account, context, frozenset({sample}))


def _account(name: str) -> str:
    """The account of an ARN; of anything else, itself."""
    return name.split(":")[4] if name.count(":") > 4 else name


def _words(name: str) -> str:
    account = _account(name)
    return f"account {account}" if re.fullmatch(r"[0-9]{12}", account) else f"`{name}`"
