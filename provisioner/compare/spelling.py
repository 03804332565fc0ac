"""How AWS writes values, and the names that it reserves. It must not import anything slow."""

from __future__ import annotations

import json
from typing import Any, Final

CONTROL_TOWER: Final = "aws-controltower-"  # prefix of the names of all that AWS Control Tower creates


def to_text(value: Any) -> str:
    """The text to which AWS converts a scalar in a policy: `true` for True, `90` for 90."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
