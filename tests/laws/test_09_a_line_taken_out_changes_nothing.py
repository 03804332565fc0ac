"""Law 9, for each line of the full file and each entry of its lists: taken out after `apply`, nothing that AWS has is changed.

What is then made anew is not looked at, as a name or a Region may be left out: see `test_09_what_is_left_out_stays.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any
from zlib import crc32

import pytest
import yaml

from provisioner.baseline import BaselineError
from provisioner.model import Change

from ..conftest import Bench, one_in
from .full import FULL, applied, steps_of

DATA = yaml.safe_load(FULL)
SHARDS = 4
GENERAL = ("organization_name", "home_region", "regions")
# The descriptions of these fields say what it means to leave them, or an entry of them, out.
MEANS_SOMETHING = (
    # One value, in which each entry counts: without it, it is another value.
    *("*.input_parameters.*", "*.parameters.*", "*.scope.*", "*.excluded_accounts.*", "*.field_selectors.*"),
    *("*.image_criteria.*", "*.transitions.*", "*.noncurrent_version_transitions.*"),
    # Logs are kept for ever then.
    *("*.lifecycle_rules.*.expiration", "*.lifecycle_rules.*.noncurrent_version_expiration"),
    "*.except_home_region",  # the control is off there, too
    # Another log group, by its default name.
    *("alarms.log_group", "alarms.log_group.name"),
    # What another line refers to is looked for by its name in AWS then.
    "log_buckets.access",
)
Path = tuple[str | int, ...]


def lines(value: Any, above: Path = ()) -> Iterator[Path]:
    """The path of each key and each entry of a list."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    )
    for key, each in entries:
        yield (*above, key)
        yield from lines(each, (*above, key))


def without(path: Path) -> str:
    """The full file without that line."""
    data = deepcopy(DATA)
    *above, last = path
    around = data
    for each in above:
        around = around[each]
    del around[last]
    return str(yaml.safe_dump(data))


def overwrites(change: Change) -> bool:
    """Whether the change takes something away or puts something else in its place, with nobody's consent."""
    return change.consent is None and any(each.have is not None for each in change.differences)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_line_taken_out_changes_nothing(shard: int, request: pytest.FixtureRequest) -> None:
    state, wrong = applied(), []
    bench: Bench = request.getfixturevalue("bench")
    bench.one_process = True
    bench.at(state)
    paths = [path for path in lines(DATA) if path[0] not in GENERAL and len(path) > 1]
    for path in paths[shard::SHARDS]:
        name = ".".join(map(str, path))
        if crc32(name.encode()) % one_in(3) or any(fnmatchcase(name, each) for each in MEANS_SOMETHING):
            continue
        try:
            bench.baseline(text := without(path))
        except BaselineError:
            continue  # a field that is required
        plan = bench.diff(text, only=steps_of(str(path[0])))
        wrong += [f"{name}: {change.resource}" for _, change in plan.changes if overwrites(change)]
    assert wrong == []
