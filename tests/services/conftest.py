"""The bench of the services, whose runs share their clients."""

from __future__ import annotations

import pytest

from ..conftest import Bench


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.one_process = True
    return bench
