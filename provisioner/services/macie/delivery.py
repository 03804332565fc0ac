"""The bucket policy statements that Macie needs, and the key that the file names for what it stores.

Source: Amazon Macie User Guide, "Storing and retaining sensitive data discovery results".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from ...aws import Aws
from ...baseline import Baseline
from ...compare.policy import Statement, arn
from ...steps import existing
from ...steps.delivery import Delivery, OneOrMany, allow_service, delivers, one_or_list, sources
from ...steps.existing import Existing, Look, is_foreign
from .section import ClassificationExport, Macie
from .state import PRINCIPAL


@delivers
def macie_deliveries(aws: Aws, baseline: Baseline) -> Iterator[Delivery]:
    """Macie stores the results of this account, or of every account of the file."""
    if Macie not in baseline or not (export := baseline[Macie].classification_export):
        return
    found = sources(aws, baseline)
    statements = partial(macie_delivery, account_ids=found.accounts, organization_id=found.organization_id)
    headers = {
        "s3:x-amz-server-side-encryption": "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": export.kms_key_arn,
    }
    yield Delivery("macie", export.bucket_name, statements, headers)


def macie_delivery(
    bucket_arn: str, account_ids: Sequence[str], organization_id: str | None = None
) -> list[Statement]:
    """The statements that let Macie store the results of these accounts, or of a whole organization, and nothing else.

    They hold below every prefix: Macie must be able to write below the earlier one until it has been given another.
    """
    partition = bucket_arn.split(":")[1]
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

    def allow(sid: str, action: str, resource: str) -> dict[str, Any]:
        made = allow_service(sid, PRINCIPAL, action, resource, equals)
        return {**made, "Condition": {**made["Condition"], "ArnLike": {"aws:SourceArn": of_macie}}}

    return [
        allow("MacieGetBucketLocation", "s3:GetBucketLocation", bucket_arn),
        allow("MaciePutObject", "s3:PutObject", f"{bucket_arn}/*"),
    ]


def look_at_key(aws: Aws, export: ClassificationExport) -> Look:
    """Start to look at the key. Its owner alone may."""
    key = export.kms_key_arn
    if is_foreign(aws, key):
        return lambda: Existing("key", key, None, "is in another account and cannot be looked at")
    return existing.key(aws, key, key.split(":")[3])
