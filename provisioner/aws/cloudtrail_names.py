"""The names under which CloudTrail records the calls that an IAM action allows.

An event has `eventSource`, the signing name of the service with `.amazonaws.com` in every partition, and `eventName`, which
is the name of the operation. Some of S3's differ ("Amazon S3 CloudTrail events" in the S3 user guide): all spellings of
such a name are given, since one that CloudTrail does not use costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache

import botocore.session
from botocore.model import ServiceModel

from .guard import READS
from .iam_actions import NOT_THE_SIGNING_NAME, action_prefix, iam_action

_VERB = re.compile("[A-Z][a-z]+")


def event_source(action: str) -> str:
    """Return the `eventSource` of the calls that an action such as `s3:PutBucketPolicy` allows."""
    prefix = action.partition(":")[0]
    service = next((name for name, known in NOT_THE_SIGNING_NAME.items() if known == prefix), None)
    return f"{_model(service).signing_name if service else prefix}.amazonaws.com"


def event_names(action: str, services: Collection[str]) -> frozenset[str]:
    """Return each `eventName` of a write that the action allows, or that writes the same kind of resource.

    *services* are names of botocore, among them the service of the action. `s3:PutBucketPolicy` gives `PutBucketPolicy` and
    `DeleteBucketPolicy`. An action that allows no operation by itself (`iam:PassRole`) gives none, and so does one on
    objects in a bucket, because those are data events, which EventBridge gets only if a trail records them.
    """
    prefix, _, name = action.partition(":")
    models = [model for model in map(_model, sorted(services)) if action_prefix(model.service_name) == prefix]
    if not models:
        return frozenset() if name.startswith(READS) else frozenset({name})
    return frozenset(each for model in models for each in _names(model, action))


def _names(model: ServiceModel, action: str) -> Iterator[str]:
    """Yield the names in one service."""
    writes = [
        each
        for each in model.operation_names
        if not each.startswith(READS) and not _is_on_object(model, each)
    ]
    allowed = [each for each in writes if iam_action(model.service_name, each) == action]
    resources = {_resource(each) for each in allowed}
    for operation in writes:
        if _resource(operation) in resources:
            yield from _spellings(model, operation)


def _is_on_object(model: ServiceModel, operation: str) -> bool:
    """Whether the operation is a call to an object in a bucket."""
    return "{Key+}" in model.operation_model(operation).http.get("requestUri", "")


def _resource(operation: str) -> str:
    """The kind of resource in the name of an operation: `Trail` of `DeleteTrail`."""
    return _VERB.sub("", operation, count=1)


def _spellings(model: ServiceModel, operation: str) -> Iterator[str]:
    """Yield the name of the operation, and those that CloudTrail may have for it in S3."""
    yield operation
    if model.signing_name == "s3":
        yield operation.removesuffix("Configuration")  # PutBucketLifecycle
        if "Bucket" not in operation:  # PutBucketPublicAccessBlock
            verb = _VERB.match(operation)
            for level in ("Bucket", "Account"):  # of S3 and of S3 Control
                yield f"{verb[0] if verb else ''}{level}{_resource(operation)}"


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)
