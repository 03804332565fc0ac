"""The profiles that `init` can write: the files in `provisioner/profiles/`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent.parent.parent / "profiles"


def profile_names() -> list[str]:
    """The names of the profiles, sorted."""
    return sorted(each.stem for each in _FOLDER.glob("*.yaml"))


def profile_text(name: str) -> str:
    """The text of a profile."""
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
