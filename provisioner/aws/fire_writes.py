"""The writes of `verify --fire`. No imports here: every folder that registers some is imported for `--help` too."""

from typing import Final

# By botocore's name of the service and AWS's of the operation. They set something off once, and set nothing that a baseline has.
FIRE_WRITES: Final[set[tuple[str, str]]] = set()
