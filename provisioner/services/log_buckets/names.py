"""Names that S3 reserves for buckets, and its name as a writer of logs: one table for the file and the sandbox.

Source: "General purpose bucket naming rules" in the S3 User Guide.
"""

from __future__ import annotations

import re
from typing import Final

RESERVED_STARTS: Final = ("xn--", "sthree-", "amzn-s3-demo-")
# `-an` ends the names in the namespace of an account and Region, which CreateBucket makes only with a header of its own.
RESERVED_ENDS: Final = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3", ".mrap", "-an")

LOG_DELIVERY: Final = "logging.s3.amazonaws.com"  # writes access logs where a policy lets it, without an ACL
# Between dots, each part begins and ends with a letter or digit: CloudTrail takes no other name ("Amazon S3 bucket naming
# requirements" in its guide).
NAME_PATTERN: Final = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
BUCKET_NAME: Final = re.compile(rf"(?=.{{3,63}}$){NAME_PATTERN}")
