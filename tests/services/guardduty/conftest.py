"""A key for the export of findings, which lets AWS services in, in every sandbox of these tests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.compare.policy import document

from ...conftest import Bench
from ...sandbox.cases import ACCOUNT

KEY_ID = "1a2b3c4d-1111-4222-8333-123456789012"


def add_key(account: str = ACCOUNT, region: str = "us-east-1") -> None:
    from moto.backends import get_backend

    use = ["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"]
    service = {"Bool": {"aws:PrincipalIsAWSService": "true"}}
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": "*", "Action": use, "Resource": "*", "Condition": service},
    ]
    held: Any = get_backend("kms")[account][region]
    made = held.create_key(json.dumps(document(statements)), "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [])
    del held.keys[made.id]
    made.id, made.arn = KEY_ID, f"arn:aws:kms:{region}:{account}:key/{KEY_ID}"
    held.keys[KEY_ID] = made


@pytest.fixture
def bench(bench: Bench) -> Bench:
    add_key()
    return bench
