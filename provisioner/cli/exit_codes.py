"""Exit codes: Terraform's, not `diff(1)`'s."""

from typing import Final

OK: Final = 0  # in sync, or done
ERROR: Final = 1  # includes a wrong command line or file
CHANGES: Final = 2  # `diff`: there are changes; `verify`: something does not work
SOME_FAILED: Final = 3  # some steps or accounts failed, others did not
INTERRUPTED: Final = 130
