"""AWS's way with names and values: how it spells them, and which it keeps for itself. Loads nothing that costs time."""

from __future__ import annotations

import json
from typing import Any, Final

CONTROL_TOWER: Final = "aws-controltower-"  # begins the names of all that AWS Control Tower makes


def spelled(value: Any) -> str:
    """The text that AWS makes of a scalar in a policy: `true` for True, `90` for 90."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
