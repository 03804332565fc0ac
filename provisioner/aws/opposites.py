"""The operation that takes away what another one has made, by AWS's names for both. Calls nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_OPPOSITES: Final = {
    "Create": "Delete",
    "Put": "Delete",
    "Enable": "Disable",
    "Register": "Deregister",
    "Attach": "Detach",
    "Associate": "Disassociate",
}


def deletion(service: str, operation: str, params: Mapping[str, Any], region: str, model: Any) -> str:
    """`iam:DeleteRole with RoleName audit in us-east-1`; empty if the service has no such operation.

    *model* is botocore's of the service. What the request did not name, such as an id that AWS has given, is named without
    a value.
    """
    for verb, opposite in _OPPOSITES.items():
        name = opposite + operation.removeprefix(verb)
        if operation.startswith(verb) and name in model.operation_names:
            shape = model.operation_model(name).input_shape
            given = dict(_parts(params))
            required = [
                f"{each} {given.get(each, '')}".strip() for each in (shape.required_members if shape else ())
            ]
            options = f" with {', '.join(required)}" if required else ""
            return f"{service}:{name}{options} in {region}"
    return ""


def _parts(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a request; the outer ones last, as they count."""
    for each in params.values():
        if isinstance(each, Mapping):
            yield from _parts(each)
    yield from ((key, each) for key, each in params.items() if isinstance(each, str))
