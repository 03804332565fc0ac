"""Where a bucket is created: the constraints that S3 knows, and `EU`, an old name of eu-west-1."""

from __future__ import annotations

from typing import Any

from moto.core.request import Request as HttpRequest

from ....sandbox.ask import Request
from ....sandbox.buckets import find_bucket
from ....sandbox.model import Refused, Response
from ....sandbox.rule import after, before, instead
from ....sandbox.rules.account import regions

_OLD, _NEW = "EU", "eu-west-1"


def _constraint(request: Request) -> str:
    return str((request.params.get("CreateBucketConfiguration") or {}).get("LocationConstraint") or "")


@before("s3.location_constraints", "CreateBucket", row="2 Create: LocationConstraint; EU is eu-west-1")
def location_constraints(request: Request) -> None:
    """A constraint is a Region of the partition; `EU` is taken for eu-west-1."""
    asked = _constraint(request)
    if asked and asked not in {_OLD, *regions(request.partition)}:
        raise Refused("InvalidLocationConstraint", "The specified location-constraint is not valid")
    if asked == _OLD:
        http = request.http
        body = http.get_data().replace(f">{_OLD}<".encode(), f">{_NEW}<".encode())
        request.http = HttpRequest.from_primitives(http.method, http.raw_url, dict(http.headers), body)


@after("s3.location_constraints", "CreateBucket")
def location_kept(request: Request, _: dict[str, Any]) -> None:
    """Store the constraint as it was given."""
    bucket = find_bucket(request.params["Bucket"])
    if bucket is not None and _constraint(request) == _OLD:
        bucket.strict_location = _OLD


@instead("s3.location_constraints", "GetBucketLocation")
def location_read(request: Request) -> Response | dict[str, Any]:
    """Return `EU` for a bucket that was created with it."""
    bucket = find_bucket(request.params["Bucket"])
    if getattr(bucket, "strict_location", "") != _OLD:
        return request.moto()
    return {"LocationConstraint": _OLD}
