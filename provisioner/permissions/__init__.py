"""The least-privilege IAM policies for running a file. Nothing here calls AWS.

Each service's folder declares with `@permits` what its steps call. `parts` selects the declarations of the steps that run
in an account, and `statements` makes policies of them: one for each section of the file, or one for all.
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
