"""Bring AWS accounts to one described security baseline, and keep them there."""

__version__ = "0.1.0"


def install_command(extra: str) -> str:
    """Return the command that installs what an extra needs, from where this program runs.

    It names the packages themselves: wherever this program came from, they come from the package index.
    """
    import re
    import shlex
    import sys
    from importlib import metadata, util

    try:
        requirements = metadata.requires("provision-baseline") or []
    except metadata.PackageNotFoundError:  # a checkout that is not installed
        return "./scripts/provision"
    of_extra = re.compile(rf"""extra\s*==\s*['"]{extra}['"]""")
    packages = [each.partition(";")[0].strip() for each in requirements if of_extra.search(each)]
    pip = [sys.executable, "-m", "pip", "install"]
    with_uv = ["uv", "pip", "install", "--python", sys.executable]
    return shlex.join([*(pip if util.find_spec("pip") else with_uv), *packages])
