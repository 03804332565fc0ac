"""Files with `macie`, and what they need of others: a KMS key that Macie may use."""

from __future__ import annotations

import json
from typing import Any

from provisioner.services.macie.state import PRINCIPAL

from ...conftest import Bench

HEAD = "regions: [us-east-1, eu-west-1]\n"
PLAIN = f"{HEAD}macie: {{}}\n"
BUCKETS = "log_buckets:\n  macie: {name: 'acme-macie-results'}\n  config: {name: 'acme-config-logs'}\n"
ADMINISTRATOR = "111122223333"


def make_key(bench: Bench, *, allow: bool = True, region: str = "us-east-1") -> str:
    """A key of the sandbox's management account; *allow*: Macie may use it."""
    root = "arn:aws:iam::123456789012:root"
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    ]
    if allow:
        statements.append(
            {
                "Effect": "Allow",
                "Principal": {"Service": PRINCIPAL},
                "Action": ["kms:GenerateDataKey", "kms:Encrypt"],
                "Resource": "*",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": "123456789012"},
                    "ArnLike": {"aws:SourceArn": ["arn:aws:macie2:*:123456789012:export-configuration:*"]},
                },
            }
        )
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    arn: str = bench.client("kms", region).create_key(Policy=policy)["KeyMetadata"]["Arn"]
    return arn


def export_file(key: str, more: str = "", prefix: str = ", key_prefix: macie") -> str:
    """A file that stores results in the bucket `macie`."""
    export = f"  classification_export: {{bucket_name: macie, kms_key_arn: '{key}'{prefix}}}\n"
    return f"{HEAD}{BUCKETS}macie:\n{export}{more}"


def discovery_file(more: str = "", buckets: str = BUCKETS) -> str:
    """A file that searches all buckets but the log buckets."""
    asked = "  automated_discovery: {status: ENABLED, exclude_log_buckets: true}\n"
    return f"{HEAD}{buckets}macie:\n{asked}{more}"
