"""The way to AWS: sessions, clients, credentials, retries, limits and the guard. The one room that imports botocore.

`cloud.Cloud`, which is slow to import, is not part of this face: `validate` and `permissions` do not need it.
"""

from .access import Aws, Identity, Memory, Reader, Reading, SynchronousExecutor, Writer, identify
from .errors import Incomplete, Interrupted, OutcomeUnknown, describe
from .terms import Options, Waiting

__all__ = [
    "Aws",
    "Identity",
    "Incomplete",
    "Interrupted",
    "Memory",
    "Options",
    "OutcomeUnknown",
    "Reader",
    "Reading",
    "SynchronousExecutor",
    "Waiting",
    "Writer",
    "describe",
    "identify",
]
