"""What a part of a run answers: in words, without what the environment says, and below what a state may pass on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..baseline.redact import hidden
from ..model import Outcome, Refused, Result
from ..report import words
from ..report.totals import state

MOST = 240_000  # bytes of an answer; a state may pass on 256 KiB
LINES, LONGEST = 25, 400  # of each kind for one account, and characters of each

Json = dict[str, Any]


def of_organization(answer: Json, outcome: Outcome, secrets: Mapping[str, str]) -> Json:
    """The answer, with the result of what exists once. Raises Refused where the accounts are too many for a state."""
    told = _told(hidden(outcome, secrets))
    return _fitting(lambda lines: {**answer, "result": _result(outcome, told, lines)})


def of_slice(
    before: Sequence[Mapping[str, Any]],
    unfinished: Sequence[Mapping[str, Any]],
    outcomes: Iterable[Outcome],
    secrets: Mapping[str, str],
) -> Json:
    """The results of the accounts after those of *before*, counted, and the items that are left to do."""
    ordered = sorted(outcomes, key=lambda each: each.account.id)
    told = [(each, _told(hidden(each, secrets))) for each in ordered]

    def answer(lines: int) -> Json:
        results = [*before, *(_result(each, kinds, lines) for each, kinds in told)]
        failed = [each["account"] for each in results if not each["ok"]]
        drifted = sum(each["drifted"] for each in results)
        return {
            "results": results,
            "unfinished": list(unfinished),
            "summary": {"accounts": len(results), "drifted": drifted, "failed": failed},
        }

    return _fitting(answer)


def _fitting(answer: Callable[[int], Json]) -> Json:
    """The answer with as many lines for each account as fit."""
    for lines in (LINES, 5, 1, 0):
        made = answer(lines)
        if len(json.dumps(made)) <= MOST:
            return made
    raise Refused(f"the answer has more than {MOST:,} bytes: give the file fewer accounts, or the slices")


def _result(outcome: Outcome, kinds: Mapping[str, Sequence[str]], most: int) -> Json:
    """What became of one account, in at most so many lines of each kind; what was cut off is counted.

    `drifted`: something was to be changed, or does not work. `ok`: all could be read, and what was asked was done.
    """
    cut = sum(max(0, len(lines) - most) for lines in kinds.values())
    return {
        "account": outcome.account.id,
        "ok": state(outcome.results, outcome.unseen) != "failed",
        "drifted": outcome.drifted or bool(kinds["findings"]),
        "seconds": round(outcome.seconds, 1),
        **{kind: [line[:LONGEST] for line in lines[:most]] for kind, lines in kinds.items() if lines[:most]},
        **({"cut_off": cut} if cut else {}),
    }


def _told(outcome: Outcome) -> dict[str, list[str]]:
    """Everything that there is to tell, by kind."""

    def lines(results: Iterable[Result], each: Callable[[Result], Iterable[str]]) -> list[str]:
        return [f"{r.step} {words.place(r)}: {line}" for r in results for line in each(r)]

    results, unseen = outcome.results, outcome.unseen
    return {
        "changes": lines(results, lambda r: map(words.one_line, r.changes)),
        "failures": lines((*results, *unseen), _failure),
        "withheld": lines(results, lambda r: (f"{words.one_line(c)}: needs {c.consent}" for c in r.withheld)),
        "not_seen": lines(unseen, lambda r: (words.clean(c.resource) for c in r.changes)),
        "findings": lines(results, _findings),
        "left_out": [f"{each.region} {each.why}" for each in outcome.skipped],
    }


def _failure(result: Result) -> Iterator[str]:
    if result.failure is not None:
        yield "; ".join(words.failure(result.failure))
    elif result.blocked_by is not None:
        yield f"not run: {result.blocked_by} failed"


def _findings(result: Result) -> Iterator[str]:
    """What does not work."""
    for each in result.findings:
        if each.ok is False:
            yield words.clean(f"{each.resource}: {each.check}: {each.detail}")
