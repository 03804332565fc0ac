"""Check signatures (Signature Version 4). `--signatures` turns it on; it costs more time than the answer does.

Source: IAM User Guide, "Create a signed AWS API request"; nothing of botocore, so that its mistakes are noticed.
"""

from __future__ import annotations

import hmac
from functools import cache
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, quote

SECRET: Final = "fleetBench"  # noqa: S105 - of the caller; those of roles begin with it


def secret(account: str) -> str:
    """The secret key of a role in *account*."""
    return f"{SECRET}+{account}/{'k' * 16}"


def signed(head: bytes, body: bytes, account: str | None) -> bool:
    """Whether the request was signed with the secret key of a role in *account*, or of the caller if that is None."""
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
        return False  # AWS requires that these are signed
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
