"""AWS's own models of its services, as botocore brings them: read once, and found without opening them all."""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import botocore.loaders


class _Files(botocore.loaders.JSONFileLoader):
    """Reads a model into plain dicts, which keep their order. botocore still takes OrderedDict, for half as much again."""

    def load_file(self, file_path: str) -> Any:
        """What the file says whose name this is, but for its ending; None where there is none."""
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            if Path(file_path + ending).is_file():
                with opened(file_path + ending, "rb") as file:
                    return json.loads(file.read())
        return None


class _Loader(botocore.loaders.Loader):
    """botocore's loader, that lists the services by the names of their folders.

    The stock one opens each of 400 folders to see which kind of model is in it, for 50 ms, only to say in an error
    message which services there are.
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - the stock signature
        """The names of the folders that hold models."""
        found: set[str] = set()
        for path in self.search_paths:
            if Path(path).is_dir():
                found.update(each.name for each in os.scandir(path) if each.is_dir())
        return sorted(found)


@cache
def models(path: str | None) -> _Loader:
    """AWS's service models, read from disk once in a process: they are most of what a first client costs."""
    extra = [
        str(Path(os.path.expandvars(each)).expanduser()) for each in (path or "").split(os.pathsep) if each
    ]
    return _Loader(extra_search_paths=extra, file_loader=_Files())
