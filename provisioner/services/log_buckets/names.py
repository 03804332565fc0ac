"""Names of buckets that S3 reserves: one table for the file and the sandbox.

Source: "General purpose bucket naming rules" in the S3 User Guide.
"""

from __future__ import annotations

from typing import Final

RESERVED_STARTS: Final = ("xn--", "sthree-", "amzn-s3-demo-")
# `-an` ends the names in the namespace of an account and Region, which CreateBucket makes only with a header of its own.
RESERVED_ENDS: Final = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3", ".mrap", "-an")
