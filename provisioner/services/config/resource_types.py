"""The resource types that AWS Config records, to find a misspelt one. Pure: makes no request.

AWS adds types every month, so that only a type that is one letter from one of botocore's list, or differs from it in case,
is certainly a misspelling. AWS refuses any that it does not know: API ConfigurationRecorder, "RecordingGroup".
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ...baseline import InvalidValue


def known_types() -> tuple[str, ...]:
    """The types of botocore's list."""
    from ...aws.service_models import enum  # loads a model, which few files need

    return enum("config", "ResourceType")


def intended(kind: str) -> str:
    """The known type of which this one is a misspelling, or an empty text."""
    known = known_types()
    if kind in known:
        return ""
    return next((each for each in known if _is_one_slip(kind.lower(), each.lower())), "")


def _is_one_slip(written: str, meant: str) -> bool:
    """Whether the texts differ in one letter, one too many, one too few, or two neighbours swapped; or not at all."""
    if written == meant:
        return True
    at = next((i for i, (a, b) in enumerate(zip(written, meant, strict=False)) if a != b), None)
    if at is None:  # one begins with the other
        return abs(len(written) - len(meant)) == 1
    a, b = written[at:], meant[at:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _check(kind: str) -> str:
    if meant := intended(kind):
        raise InvalidValue((), f"AWS Config has no resource type '{kind}'; did you mean '{meant}'?")
    return kind


KnownType = AfterValidator(_check)
ResourceType = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9]+::[A-Za-z0-9]+::[A-Za-z0-9]+$",
        json_schema_extra={"want": "a resource type such as 'AWS::S3::Bucket'"},
    ),
    KnownType,
]
"""A type in the recording group."""
