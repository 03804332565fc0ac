"""Rules of others that keep findings from being seen: a danger, which is told, and ended with consent only.

Whoever hides findings has left everything that the file asks for as it was. A rule that is wanted belongs in `exceptions`,
with its reason and owner.
"""

from __future__ import annotations

from typing import Final

from ..model import Call, Change, Difference
from .registry import consents

CONSENT: Final = "remove-foreign-suppression"
consents(CONSENT)


def suppression(resource: str, kind: str, name: str, effect: str, end: Call) -> Change:
    """The change that ends a rule of others, by its *kind* and *name*. *effect* says what it hides."""
    removed = (Difference(f"{kind} {name}", effect, None),)
    return Change(resource, removed, end, consent=CONSENT, loses=f"the {kind} `{name}` of others {effect}")
