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
    _without_plugins()
    from .cli import run

    code = run(sys.argv[1:])
    gc.freeze()  # nor is it looked for at the end
    sys.exit(code)


def _without_plugins() -> None:
    """No plugin of pydantic's has a say in what a baseline is.

    pydantic would look for them in the metadata of every package, which takes 20 ms. Its own switch ends the search, but
    still loads what it searches with. Should pydantic look elsewhere one day, it finds them again, and nothing breaks.
    """
    from types import ModuleType

    nowhere = ModuleType("pydantic.plugin._loader")
    nowhere.get_plugins = tuple  # type: ignore[attr-defined]
    sys.modules.setdefault(nowhere.__name__, nowhere)


if __name__ == "__main__":
    main()
