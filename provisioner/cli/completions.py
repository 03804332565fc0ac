"""The values that a shell completes on the command line. None of them is asked of AWS."""

from __future__ import annotations

from ..baseline.partitions import all_regions
from ..steps.registry import all_consents, all_sections, all_steps
from .init.profiles import profile_names


def steps() -> list[str]:
    """The steps, in the order in which they run."""
    return [*all_steps()]


def sections() -> list[str]:
    """The sections of the file that have permissions of their own."""
    return [*all_sections(), "accounts"]


def consents() -> list[str]:
    """The names for `--allow`."""
    return all_consents()


def regions() -> list[str]:
    """The Regions that botocore knows."""
    return sorted(all_regions())


def partitions() -> list[str]:
    """The partitions that botocore knows."""
    return sorted({*all_regions().values()})


def baseline_profiles() -> list[str]:
    """The profiles that `provision init` writes."""
    return profile_names()


def profiles() -> list[str]:
    """The profiles of the AWS configuration; none if it cannot be read."""
    from ..aws import clients
    from ..aws.errors import BotoCoreError

    try:
        return clients.profiles()
    except BotoCoreError:
        return []
