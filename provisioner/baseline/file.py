"""Read a baseline file or text: `load` and `parse`. All errors are reported at once, each with file:line:column.

Reading checks the file with sample values for account and Region; `Baseline.at` fills in the real ones. Nothing here
reads the environment except through *env*.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from os import PathLike

from .baseline import Baseline
from .baseline_file import BaselineFile
from .problem import BaselineError, Problem
from .section import Section
from .wording import hint_for
from .yaml_source import MAX_BYTES, TOO_LARGE, read


def load(
    path: str | PathLike[str],
    sections: Mapping[str, type[Section]],
    env: Mapping[str, str],
    default_region: Callable[[], str | None] = lambda: None,
) -> Baseline:
    """Read the baseline from a file, or from stdin for `-`.

    Raises BaselineError with all errors in the file, or with the reason why it cannot be read.
    """
    name = str(path)
    try:
        if name == "-":
            name = "<stdin>"
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:  # noqa: PTH123 - importing pathlib takes time
                data = file.read(MAX_BYTES + 1)
        if len(data) <= MAX_BYTES:
            return parse(_decoded(data, name), name, sections, env, default_region)
        message = TOO_LARGE
    except FileNotFoundError:
        message = "no such file; name one, or write one with `provision init`"
    except IsADirectoryError:
        message = "a directory; name a file in it"
    except (OSError, ValueError) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    raise BaselineError([Problem(name, 0, 0, "", message)]) from None


def parse(
    text: str,
    name: str,
    sections: Mapping[str, type[Section]],
    env: Mapping[str, str],
    default_region: Callable[[], str | None] = lambda: None,
) -> Baseline:
    """Read the baseline from text. *name* is the file's name for messages. Raises BaselineError with all errors in it.

    *default_region* is called if the text has no `home_region`.
    """
    source = read(text, name)
    root = source.root
    if root is None or root.value is None:
        empty = Problem(name, 0, 0, "", "the file is empty; start it with 'organization_name: acme'")
        raise BaselineError(source.problems or [empty])
    if not isinstance(root.value, dict):
        message = "want keys and values at the top of the file, such as 'organization_name: acme'"
        hint = hint_for([{"type": "object"}], root.value, root.text)
        source.problems.append(source.problem(root.line, root.column, (), message, hint))
        raise BaselineError(source.problems)
    return BaselineFile(source, sections, env, default_region).first()


def _decoded(data: bytes, name: str) -> str:
    """Decode UTF-8; raises BaselineError with the position of an invalid byte."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        index = error.start
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise BaselineError([Problem(name, 0, 0, "", "UTF-16; save it as UTF-8")])
    line = data.count(b"\n", 0, index) + 1
    column = len(data[data.rfind(b"\n", 0, index) + 1 : index].decode()) + 1
    message = f"byte 0x{data[index]:02x} is not UTF-8; save the file as UTF-8"
    raise BaselineError([Problem(name, line, column, "", message)])
