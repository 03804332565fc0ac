"""The parameters of Systems Manager, which take moto a second to load."""

from __future__ import annotations

from typing import Any

from ..ask import Request
from ..model import Refused
from ..rule import instead

_MOST = 4096  # characters of a standard parameter


def _parameters(request: Request) -> dict[str, Any]:
    kept: dict[str, Any] = request.saved("parameters").setdefault((request.account, request.region), {})
    return kept


@instead("ssm.parameters", "PutParameter", row="botocore's model of SSM")
def put(request: Request) -> dict[str, Any]:
    """A parameter that exists is written over only with `Overwrite`, and a value has 4,096 characters at most."""
    kept, params = _parameters(request), request.params
    before = kept.get(params["Name"])
    if before is not None and not params.get("Overwrite"):
        raise Refused("ParameterAlreadyExists", "The parameter already exists.")
    if len(params["Value"]) > _MOST:
        raise Refused("ValidationException", "Standard tier parameters support a maximum of 4096 characters.")
    version = (before["Version"] if before else 0) + 1
    kept[params["Name"]] = {
        "Name": params["Name"],
        "Type": params.get("Type") or "String",
        "Value": params["Value"],
        "Version": version,
        "LastModifiedDate": request.world.now(),
        "ARN": f"arn:{request.partition}:ssm:{request.region}:{request.account}:parameter{params['Name']}",
        "DataType": "text",
    }
    return {"Version": version, "Tier": "Standard"}


@instead("ssm.parameters", "GetParameter")
def get(request: Request) -> dict[str, Any]:
    """The parameter of that name."""
    found = _parameters(request).get(request.params["Name"])
    if found is None:
        raise Refused("ParameterNotFound", "")
    return {"Parameter": found}


@instead("ssm.parameters", "DeleteParameter")
def delete(request: Request) -> dict[str, Any]:
    """Delete the parameter of that name."""
    if _parameters(request).pop(request.params["Name"], None) is None:
        raise Refused("ParameterNotFound", "")
    return {}
