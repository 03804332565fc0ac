"""Make the zip file of the Lambda function. The same files give the same bytes, at any time and on every machine."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 250 * 1024 * 1024  # of all files, a quota of Lambda
LEFT_OUT = {"__pycache__", "bin"}


def pack(code: Path, baseline: Path, target: Path) -> None:
    """Write the files in the folder *code*, and the file *baseline* as `baseline.yaml`, into the zip file *target*."""
    files = {**dict(_files(code)), "baseline.yaml": baseline}
    if (size := sum(each.stat().st_size for each in files.values())) > MAX_BYTES:
        sys.exit(f"pack: the files have {size:,} bytes, and Lambda takes {MAX_BYTES:,}")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name)  # of 1980, so that the time of the build is not in it
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            made.writestr(entry, path.read_bytes())


def _files(code: Path) -> Iterator[tuple[str, Path]]:
    for path in code.rglob("*"):
        parts = path.relative_to(code).parts
        if path.is_file() and not LEFT_OUT.intersection(parts):
            yield "/".join(parts), path


if __name__ == "__main__":
    pack(*map(Path, sys.argv[1:4]))
