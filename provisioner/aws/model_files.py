"""The files of AWS's service models that come with botocore: loaded once in a process, without their documentation."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader


class _ModelFiles(JSONFileLoader):
    """Reads the files of models without their documentation, which nothing shows and is half of their memory."""

    def load_file(self, file_path: str) -> Any:
        """Return the content of the file, whose name is given without its extension; None if there is none."""
        for extension, opened in ((".json", open), (".json.gz", gzip.open)):
            with suppress(FileNotFoundError), opened(file_path + extension, "rb") as file:
                return json.loads(file.read(), object_pairs_hook=_without_documentation)
        return None


def _without_documentation(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if isinstance(found.get("documentation"), str):
        found["documentation"] = ""  # botocore wants the key in some places
    return found


@cache
def model_loader(data_path: str | None) -> Loader:
    """Return the loader of models in the folders of *data_path*, which is AWS_DATA_PATH, and in botocore's own."""
    folders = filter(None, (data_path or "").split(os.pathsep))
    paths = [str(Path(os.path.expandvars(each)).expanduser()) for each in folders]
    return Loader(extra_search_paths=paths, file_loader=_ModelFiles())
