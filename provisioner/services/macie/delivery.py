"""The statements of bucket and key policies that Macie needs, and the key that the file names for what it stores.

Source: Amazon Macie User Guide, "Storing and retaining sensitive data discovery results".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from ...aws import Aws
from ...baseline import Baseline
from ...compare.policy import Statement, arn
from ...steps.delivery import Delivery, OneOrMany, allow_service, delivers, one_or_list, sources
from ...steps.key_use import KeyUse, uses_key
from .section import Macie
from .state import PRINCIPAL


@delivers
def macie_deliveries(aws: Aws, baseline: Baseline) -> Iterator[Delivery]:
    """Macie stores the results of this account, or of every account of the file."""
    if Macie not in baseline or not (export := baseline[Macie].classification_export):
        return
    found = sources(aws, baseline)
    statements = partial(macie_delivery, account_ids=found.accounts, organization_id=found.organization_id)
    headers = {"s3:x-amz-server-side-encryption": "aws:kms"}
    if export.kms_key_arn.startswith("arn:"):
        headers["s3:x-amz-server-side-encryption-aws-kms-key-id"] = export.kms_key_arn
    yield Delivery("macie", export.bucket_name, statements, headers)


@uses_key
def macie_key(aws: Aws, baseline: Baseline) -> Iterator[KeyUse]:
    """The key with which Macie encrypts the results."""
    export = baseline[Macie].classification_export if Macie in baseline else None
    if export:
        found = sources(aws, baseline)
        condition = _condition(aws.partition, found.accounts, found.organization_id)
        made = allow_service("MacieExport", PRINCIPAL, ["kms:GenerateDataKey", "kms:Encrypt"], "*", {})
        yield KeyUse(export.kms_key_arn, [{**made, "Condition": condition}])


def macie_delivery(
    bucket_arn: str, account_ids: Sequence[str], organization_id: str | None = None
) -> list[Statement]:
    """The statements that let Macie store the results of these accounts, or of a whole organization, and nothing else.

    They hold below every prefix: Macie must be able to write below the earlier one until it has been given another.
    """
    condition = _condition(bucket_arn.split(":")[1], account_ids, organization_id)

    def allow(sid: str, action: str, resource: str) -> dict[str, Any]:
        return {**allow_service(sid, PRINCIPAL, action, resource, {}), "Condition": condition}

    return [
        allow("MacieGetBucketLocation", "s3:GetBucketLocation", bucket_arn),
        allow("MaciePutObject", "s3:PutObject", f"{bucket_arn}/*"),
    ]


def _condition(
    partition: str, account_ids: Sequence[str], organization_id: str | None
) -> dict[str, dict[str, OneOrMany]]:
    """The condition against a confused deputy: Macie of these accounts, or of the organization, that stores results."""
    only = account_ids[0] if len(account_ids) == 1 and not organization_id else "*"
    of_macie = [
        arn(partition, "macie2", "*", only, each)
        for each in ("export-configuration:*", "classification-job/*")
    ]
    equals: dict[str, OneOrMany] = (
        {"aws:SourceOrgID": organization_id}
        if organization_id
        else {"aws:SourceAccount": one_or_list(account_ids, "account")}
    )
    return {"StringEquals": equals, "ArnLike": {"aws:SourceArn": of_macie}}
