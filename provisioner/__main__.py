"""`python -m provisioner`, and the command `provision`."""

from __future__ import annotations

import gc
import sys

from . import __version__


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] == [
        "--version"
    ]:  # in the words of the command line, which takes longer to load than to say them
        sys.stdout.write(f"provision {__version__}\n")
        return
    # Modules stay until the end: to look for garbage among them is a tenth of what a short command costs.
    gc.set_threshold(50_000, 20, 20)
    from .cli import run

    code = run(sys.argv[1:])
    gc.freeze()  # nor is it looked for at the end
    sys.exit(code)


if __name__ == "__main__":
    main()
