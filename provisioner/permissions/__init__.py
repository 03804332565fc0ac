"""The least that those who carry out a file must be allowed: IAM policies. Asks AWS nothing.

What each step calls is declared in its service's folder with `@permits`. Here is said who takes which step in which
account (`parts`), and the declarations become policies (`statements`): one for each section of the file, or one for all.
"""

from .notes import notes, trust_notes
from .parts import Part, of_caller, of_role, role_may_be_in
from .statements import MANAGED_POLICY, Policy, by_section, policy, size
from .trust import PRINCIPAL, trust

__all__ = [
    "MANAGED_POLICY",
    "PRINCIPAL",
    "Part",
    "Policy",
    "by_section",
    "notes",
    "of_caller",
    "of_role",
    "policy",
    "role_may_be_in",
    "size",
    "trust",
    "trust_notes",
]
