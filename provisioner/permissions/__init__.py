"""The least that those who carry out a file must be allowed: IAM policies. Asks AWS nothing.

What each step calls is declared beside it (`steps/*_permissions.py`). Here is said who takes which step in which account
(`parts`), and the declarations become statements (`statements`).
"""

from .notes import notes, trust_notes
from .parts import of_caller, of_role, role_may_be_in
from .statements import INLINE_POLICIES, MANAGED_POLICY, policy, size
from .trust import PRINCIPAL, trust

__all__ = [
    "INLINE_POLICIES",
    "MANAGED_POLICY",
    "PRINCIPAL",
    "notes",
    "of_caller",
    "of_role",
    "policy",
    "role_may_be_in",
    "size",
    "trust",
    "trust_notes",
]
