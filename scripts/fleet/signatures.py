"""Whether a request is signed as AWS wants it (Signature Version 4), written from AWS's description of it alone.

IAM User Guide, "Create a signed AWS API request". Asked for with `--signatures`; it costs more than the answer does.
"""

from __future__ import annotations

import hmac
from functools import cache
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, quote

SECRET: Final = "fleetBench"  # noqa: S105 - of the caller, and how those of all roles begin


def secret(account: str) -> str:
    """The secret key of a role in *account*."""
    return f"{SECRET}+{account}/{'k' * 16}"


def signed(head: bytes, body: bytes, account: str | None) -> bool:
    """The request was signed with the secret key of *account*, or the caller's where it is None."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = " ".join(value.split())
    parts = headers.get("authorization", "").removeprefix("AWS4-HMAC-SHA256 ").split(",")
    said = dict(each.strip().partition("=")[::2] for each in parts)
    _, _, scope = said["Credential"].partition("/")
    names = said["SignedHeaders"].split(";")
    if not {"host", *(name for name in headers if name.startswith("x-amz-"))} <= {*names}:
        return False  # AWS wants these among the signed ones
    path, _, query = target.partition("?")
    service = scope.split("/")[2]
    canonical = "\n".join(
        [
            method,
            path if service == "s3" else quote(path, safe="/~"),
            "&".join(sorted(_pair(name, value) for name, value in parse_qsl(query, keep_blank_values=True))),
            *(f"{name}:{headers.get(name, '')}" for name in names),
            "",
            said["SignedHeaders"],
            headers.get("x-amz-content-sha256") or sha256(body).hexdigest(),
        ]
    )
    digest = sha256(canonical.encode("latin-1")).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers.get("x-amz-date", ""), scope, digest])
    key = _key(secret(account) if account else SECRET, scope)
    return hmac.compare_digest(hmac.new(key, text.encode(), sha256).hexdigest(), said["Signature"])


def _pair(name: str, value: str) -> str:
    return f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"


@cache
def _key(secret_key: str, scope: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
