"""The trust policy of the role in each account: who may assume it, and with what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..baseline.general import Accounts
from ..baseline.placeholders import redact
from ..compare.policy import arn, document

PRINCIPAL: Final = re.compile(r"\d{12}|arn:[a-z-]+:iam::\d{12}:(root|(role|user)/\S+)", re.ASCII)


def trust(
    accounts: Accounts, caller: str, partition: str, secrets: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """*caller*, the ARN of a role or user or an account's 12 digits, may assume the role as the file says.

    An external id that came from the environment stays its placeholder, which *secrets* has.
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
        # As on AWS's page "Passing session tags": apart, for this alone lets nobody in.
        tag = {"Sid": "ProvisionTags", "Effect": "Allow", "Principal": principal, "Action": "sts:TagSession"}
        statements.append(tag)
    return document(statements)
