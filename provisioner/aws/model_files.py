"""The files of AWS's service models that come with botocore: loaded once in a process, without their documentation."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache, cached_property
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


class _Loader(Loader):
    """Looks once through the folders of all services, which botocore does for each type of model: 5,000 files."""

    def list_available_services(self, type_name: str) -> list[str]:
        """Return the services that have a model of that type, such as `service-2`."""
        return sorted(service for service, types in self._types.items() if type_name in types)

    @cached_property
    def _types(self) -> dict[str, set[str]]:
        """The types of models that each service has, in any version of its API."""
        found: dict[str, set[str]] = {}
        for path in filter(os.path.isdir, self.search_paths):
            for service in filter(os.DirEntry.is_dir, os.scandir(path)):
                for version in filter(os.DirEntry.is_dir, os.scandir(service)):
                    names = (each.name.partition(".json")[0] for each in os.scandir(version))
                    found.setdefault(service.name, set()).update(names)
        return found


@cache
def model_loader(data_path: str | None) -> Loader:
    """Return the loader of models in the folders of *data_path*, which is AWS_DATA_PATH, and in botocore's own."""
    folders = filter(None, (data_path or "").split(os.pathsep))
    paths = [str(Path(os.path.expandvars(each)).expanduser()) for each in folders]
    return _Loader(extra_search_paths=paths, file_loader=_ModelFiles())
