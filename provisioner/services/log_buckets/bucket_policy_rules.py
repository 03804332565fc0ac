"""What S3 refuses in a bucket policy, and what each request to a bucket has: one table for the file and the sandbox."""

from __future__ import annotations

from ...compare.policy import Statement
from ...compare.policy_check import refused_by_s3
from ...compare.policy_effects import REQUEST
from ...compare.policy_strangers import time_context


def wrong_element(statement: Statement, bucket_arn: str) -> str | None:
    """The first element of a statement for which S3 refuses the policy; empty for the whole, None if there is none."""
    found = next(refused_by_s3(statement, bucket_arn), None)
    return None if found is None else str(next(iter(found[0]), "")).removeprefix("Not")


def request_context() -> dict[str, str]:
    """The condition keys that each request over TLS has, whoever makes it."""
    return {**REQUEST, **time_context()}
