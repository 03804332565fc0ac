"""AWS's models, for moto and for the rules of the sandbox."""

from __future__ import annotations

from typing import Final

from moto.core import utils
from moto.core.loaders import Loader, create_loader

# Moto makes a new one for each model, and each looks through the folders of all services.
LOADER: Final[Loader] = create_loader()
utils.create_loader = lambda: LOADER
