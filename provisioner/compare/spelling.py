"""How AWS writes values and names, and the names that it reserves. It must not import anything slow."""

from __future__ import annotations

import json
import re
from typing import Any, Final

CONTROL_TOWER: Final = "aws-controltower-"  # prefix of the names of all that AWS Control Tower creates


def to_text(value: Any) -> str:
    """The text to which AWS converts a scalar in a policy: `true` for True, `90` for 90."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def snake_case(word: str) -> str:
    """Convert a word of AWS's to that of the file: `NotPrincipal` to `not_principal`, `AWS` to `aws`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()
