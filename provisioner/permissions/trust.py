"""The trust policy of the role in each account, which lets the caller assume it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..baseline.accounts import Accounts
from ..baseline.redact import redact
from ..compare.policy import arn, document

PRINCIPAL: Final = re.compile(r"\d{12}|arn:[a-z-]+:iam::\d{12}:(root|(role|user)/\S+)", re.ASCII)


def trust(
    accounts: Accounts, caller: str, partition: str, secrets: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the trust policy for *caller*, the ARN of a role or user or an account's 12 digits.

    An external id from the environment is shown as its placeholder; *secrets* has these.
    """
    principal = {"AWS": caller if caller.startswith("arn:") else arn(partition, "iam", "", caller, "root")}
    enter: dict[str, Any] = {
        "Sid": "ProvisionEnters",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "sts:AssumeRole",
    }
    if accounts.external_id is not None:
        given = redact(accounts.external_id, secrets or {})
        enter["Condition"] = {"StringEquals": {"sts:ExternalId": given}}
    statements = [enter]
    if accounts.session_tags:
        # Without the external id, as TagSession alone lets nobody in (AWS's page "Passing session tags").
        tag = {"Sid": "ProvisionTags", "Effect": "Allow", "Principal": principal, "Action": "sts:TagSession"}
        statements.append(tag)
    return document(statements)
