"""Access to AWS: sessions, clients, credentials, retries, rate limits and the guard. No other package imports botocore.

`cloud.Cloud` is not exported here, because it is slow to import and `validate` and `permissions` do not need it.
"""

from .access import Aws, Identity, identify
from .errors import Incomplete, Interrupted, OutcomeUnknown
from .hints import describe
from .options import Options, Waiting
from .reading import ReadCache, Reading, SynchronousExecutor

__all__ = [
    "Aws",
    "Identity",
    "Incomplete",
    "Interrupted",
    "Options",
    "OutcomeUnknown",
    "ReadCache",
    "Reading",
    "SynchronousExecutor",
    "Waiting",
    "describe",
    "identify",
]
