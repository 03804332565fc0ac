"""The policies of the role of AWS Config that the file names: who may assume it, and where it may deliver.

Source: AWS Config Developer Guide, "Permissions for the IAM role".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from ...compare.policy import Document, Statement, document, listed, sid_of, statements
from ...steps.delivery import FULL_CONTROL, OneOrMany, log_path, one_or_list
from .principal import principal

# By the Sid of the statement.
_ACTIONS: Final = {
    "ConfigBucketAcl": ["s3:GetBucketAcl"],
    "ConfigDelivery": ["s3:PutObject", "s3:PutObjectAcl"],
    "ConfigEncrypt": ["kms:Decrypt", "kms:GenerateDataKey"],
    "ConfigPublish": ["sns:Publish"],
}


def config_trust(account_id: str, partition: str = "aws") -> dict[str, Any]:
    """The trust policy of the role: AWS Config may assume it, for this account only."""
    return document(
        [
            {
                "Sid": "AWSConfigAssumeRole",
                "Effect": "Allow",
                "Principal": {"Service": principal(partition)},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
            }
        ]
    )


def config_delivery_role_policy(
    bucket_arn: str,
    prefixes: Sequence[str],
    account_id: str,
    kms_key_arn: str | None = None,
    sns_topic_arns: Sequence[str] = (),
) -> dict[str, Any]:
    """The policy that lets the role deliver to the bucket, encrypt with the key and publish to the topics."""

    def allow(sid: str, resource: OneOrMany, **condition: Any) -> Statement:
        statement = {
            "Sid": sid,
            "Effect": "Allow",
            "Action": one_or_list(_ACTIONS[sid], "action"),
            "Resource": resource,
        }
        return {**statement, "Condition": condition} if condition else statement

    objects = one_or_list([log_path(bucket_arn, each, account_id, "Config/") for each in prefixes], "path")
    made = [
        allow("ConfigBucketAcl", bucket_arn),
        allow("ConfigDelivery", objects, StringLike=dict(FULL_CONTROL)),
    ]
    if kms_key_arn:
        made.append(allow("ConfigEncrypt", kms_key_arn))
    if sns_topic_arns:
        made.append(allow("ConfigPublish", one_or_list(sns_topic_arns, "topic")))
    return document(made)


def with_earlier_destinations(
    have: Document | None, want: Mapping[str, Any], bucket_arns: Collection[str]
) -> dict[str, Any]:
    """The policy *want* of the role, with the destinations that *have* allows it too, if they are named in full.

    A channel that cannot be moved, or whose key the file leaves out, goes on to deliver there. *bucket_arns* are those of
    the file.
    """
    found = {str(each["Sid"]): dict(each) for each in statements(want)}
    for each in statements(have):
        sid = sid_of(each)
        if sid not in _ACTIONS or each.get("Effect") != "Allow":
            continue
        kept = [arn for arn in listed(each.get("Resource")) if _is_destination(sid, arn, bucket_arns)]
        if kept:
            new = {"Sid": sid, "Effect": "Allow", "Action": one_or_list(_ACTIONS[sid], "action")}
            statement = found.setdefault(sid, new)
            statement["Resource"] = one_or_list([*listed(statement.get("Resource")), *kept], "resource")
    return document([found[sid] for sid in _ACTIONS if sid in found])


def _is_destination(sid: str, arn: str, bucket_arns: Collection[str]) -> bool:
    """Whether the ARN names one destination of the kind that the statement has."""
    service, literal = arn.split(":")[2:3], arn.removesuffix("/Config/*")
    if re.search(r"[*?$]", literal) or service != [_ACTIONS[sid][0].partition(":")[0]]:
        return False
    bucket, _, below = literal.partition("/")
    return service != ["s3"] or (bucket in bucket_arns and (sid == "ConfigBucketAcl") == (not below))
