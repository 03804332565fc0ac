"""The states of keys, their rotation, and the aliases that AWS reserves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ....sandbox.ask import Request
from ....sandbox.model import Refused
from ....sandbox.rule import after, before
from ....sandbox.rules.kms import find_key

_DAYS = range(90, 2561)
_DEFAULT_DAYS = 365


@before("kms.reserved_aliases", "CreateAlias", "UpdateAlias", "DeleteAlias", row="16.F alias/aws/x")
def reserved_aliases(request: Request) -> None:
    """An alias that begins with alias/aws/ is NotAuthorizedException."""
    if str(request.params["AliasName"]).startswith("alias/aws/"):
        raise Refused("NotAuthorizedException", "The alias name is reserved.")


@before(
    "kms.pending_deletion",
    *("CreateAlias", "UpdateAlias", "DisableKey", "EnableKey", "EnableKeyRotation", "DisableKeyRotation"),
    *("PutKeyPolicy", "ScheduleKeyDeletion", "TagResource", "UntagResource", "UpdateKeyDescription"),
    row="16.F PutKeyPolicy/EnableKeyRotation on a pending key",
)
def pending_deletion(request: Request) -> None:
    """A key that is to be deleted takes no change: KMSInvalidStateException."""
    key = _requested(request)
    if key is not None and key.key_state == "PendingDeletion":
        raise Refused("KMSInvalidStateException", f"{key.arn} is pending deletion.")


@before("kms.cancel_deletion", "CancelKeyDeletion", row="16.F CancelKeyDeletion")
def cancel_deletion(request: Request) -> None:
    """Only the deletion of a key that is to be deleted can be cancelled."""
    key = _requested(request)
    if key is not None and key.key_state != "PendingDeletion":
        raise Refused("KMSInvalidStateException", f"{key.arn} is not pending deletion.")


@before("kms.disabled", "EnableKeyRotation", "DisableKeyRotation", row="16.F KMS; API EnableKeyRotation")
def disabled(request: Request) -> None:
    """The rotation of a disabled key cannot be changed: DisabledException."""
    key = _requested(request)
    if key is not None and key.key_state == "Disabled":
        raise Refused("DisabledException", f"{key.arn} is disabled.")


@before("kms.rotation_period", "EnableKeyRotation", row="16.F RotationPeriodInDays 90-2560")
def set_rotation_period(request: Request) -> None:
    """A key is rotated every 90 to 2560 days, which GetKeyRotationStatus shows; without a number it keeps what it has."""
    key, days = _requested(request), request.params.get("RotationPeriodInDays")
    if days is not None and days not in _DAYS:
        raise Refused("ValidationException", f"RotationPeriodInDays {days} is not between 90 and 2560.")
    if key is not None:
        periods = request.saved("kms_rotation")
        periods[key.arn] = days or periods.get(key.arn, _DEFAULT_DAYS)


@after("kms.rotation_period", "GetKeyRotationStatus")
def show_rotation_period(request: Request, answer: dict[str, Any]) -> None:
    """The period and the day of the next rotation are shown while rotation is on."""
    key = _requested(request)
    if answer.get("KeyRotationEnabled") and key is not None:
        days = request.saved("kms_rotation").get(key.arn, _DEFAULT_DAYS)
        created = datetime.fromtimestamp(float(key.creation_date), UTC)
        answer |= {"KeyId": key.arn, "RotationPeriodInDays": days}
        answer["NextRotationDate"] = (created + timedelta(days=days)).timestamp()


def _requested(request: Request) -> Any | None:
    """The key in the request's parameters; None if there is none."""
    name = request.params.get("KeyId") or request.params.get("TargetKeyId") or ""
    return find_key(str(name), request.account, request.region)
