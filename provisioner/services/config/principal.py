"""The service principal of AWS Config, as which it assumes roles and writes to buckets."""

from typing import Final

from ...baseline.partitions import dns_suffix

CONFIG: Final = "config.amazonaws.com"
_OWN_DOMAIN: Final = "aws-iso"  # the one partition in which the principal has the partition's own domain


def principal(partition: str) -> str:
    """The service principal in a partition. Source: `region-info` of aws-cdk-lib, `US_ISO_EXCEPTIONS`."""
    return f"config.{dns_suffix(partition)}" if partition == _OWN_DOMAIN else CONFIG
