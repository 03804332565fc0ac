"""Law 15: where AWS is stricter, the note says truly whether `exact: true` in the file would undo it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from provisioner.baseline import BaselineError
from provisioner.engine.plan import Plan
from provisioner.model import Kind
from provisioner.sandbox.drift import carry_out

from ..conftest import Bench, one_in
from .full import FULL, applied, find_break, named_breaks

SHARDS = 2


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from mappings(each)


@cache
def exact_file() -> str:
    """The full file, with `exact: true` wherever it can be said."""
    data = copy.deepcopy(yaml.safe_load(FULL))
    for each in mappings(data):
        each["exact"] = True
        try:
            Bench.baseline(Bench, yaml.safe_dump(data))  # type: ignore[arg-type]
        except BaselineError:
            del each["exact"]
    return yaml.safe_dump(data, sort_keys=False)


def stricter(plan: Plan) -> set[tuple[str, str, str, bool]]:
    found = plan.notes(Kind.STRICTER)
    return {(r.target.region, note.resource, note.text, note.permanent) for r, note in found}


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_note_is_gone_with_exact_unless_it_says_that_it_stays(
    shard: int, request: pytest.FixtureRequest
) -> None:
    state, breaks = applied(), named_breaks(stricter=True)
    bench: Bench = request.getfixturevalue("bench")
    bench.one_process = True
    wrong, tried = [], 0
    for named in [each for each in breaks if each.region == breaks[0].region][shard :: SHARDS * one_in(2)]:
        bench.at(state)
        if not carry_out(find_break(bench, named)[2]):
            continue
        only = named.related
        notes, left = (stricter(bench.diff(text, only=only)) for text in (FULL, exact_file()))
        tried += bool(notes)
        if left != {note for note in notes if note[-1]}:
            wrong.append(f"{named.sentence}: {left}")
    assert tried
    assert wrong == []
