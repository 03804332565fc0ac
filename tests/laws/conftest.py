"""The bench of the laws, whose many runs share their clients."""

from __future__ import annotations

import pytest

from ..conftest import Bench
from .full import FirstApply, first_apply


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.one_process = True
    return bench


@pytest.fixture(scope="session")
def first() -> FirstApply:
    """The states before and after a first `apply`; of session scope, so that it is made before a test's sandbox opens."""
    return first_apply()
