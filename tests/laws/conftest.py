"""The laws make many runs on one AWS; but for the first, each finds the clients made."""

from __future__ import annotations

import pytest

from ..conftest import Bench


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.one_process = True
    return bench
