"""`python -m provisioner`, and the command `provision`."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from contextlib import suppress

from . import __version__

_INTERRUPTED = 130


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:  # without the command line, which takes long to import
        with suppress(OSError):
            os.write(1, f"provision {__version__}\n".encode())
        return
    # Modules stay until the end: collecting garbage among them is a tenth of the time of a short command.
    gc.set_threshold(50_000, 20, 20)
    code = _INTERRUPTED
    try:
        for each in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(each) == signal.SIG_DFL:  # `nohup` ignores SIGHUP
                signal.signal(each, signal.default_int_handler)
        sys.unraisablehook = _interrupt_again
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        from .cli import run
        from .cli.streams import PATIENCE, finish, protect

        protect()
        code = run(sys.argv[1:])
        finish(PATIENCE if code == _INTERRUPTED else None)
    except KeyboardInterrupt:  # of a run, or of one that is over and waits for who reads its output
        os._exit(code)
    if threading.active_count() > 1:  # threads that wait for answers of AWS that nobody needs any more
        os._exit(code)
    gc.freeze()  # no collection at the end either
    sys.exit(code)


def _interrupt_again(lost: sys.UnraisableHookArgs) -> None:
    """Bring back an interrupt that came in code that cannot raise it, as in a module that is no Python: else it is lost."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, 0.01)
    else:
        sys.__unraisablehook__(lost)


if __name__ == "__main__":
    main()
