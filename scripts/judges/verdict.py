"""The verdict on one check, and the table of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HOLDS, NO_FINDING, FAILS = "holds", "no finding", "FAILS"
_HEADINGS = ("judge", "profile", "control", "check", "verdict", "findings")


@dataclass(frozen=True)
class Verdict:
    """What a judge says of one thing after `apply` of a profile. *findings* counts, or says why there is none."""

    judge: str
    profile: str
    control: str
    check: str
    verdict: str
    findings: str

    @property
    def row(self) -> tuple[str, ...]:
        """The columns of the table."""
        return (self.judge, self.profile, self.control, self.check, self.verdict, self.findings)


def judged(statuses: Sequence[str], accepted: str | None, reason: str) -> tuple[str, str]:
    """The verdict on a check by the statuses of its findings, and what there is to say of it.

    It needs a PASS, and no FAIL. Without either it fails for *reason*, unless that is *accepted*, for the reason given.
    """
    counts = ", ".join(f"{statuses.count(each)} {each}" for each in sorted({*statuses}))
    if "FAIL" in statuses:
        return FAILS, counts
    if "PASS" in statuses:
        return HOLDS, counts
    if accepted:
        return NO_FINDING, accepted
    return FAILS, f"no finding: {counts or reason}"


def table(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as lines of text, with headings."""
    rows = [_HEADINGS, *(each.row for each in verdicts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def summary(verdicts: Sequence[Verdict]) -> Mapping[str, str]:
    """How many verdicts of each kind each judge has, by judge and profile."""
    totals: dict[str, list[str]] = {}
    for each in verdicts:
        totals.setdefault(f"{each.judge} on {each.profile}", []).append(each.verdict)
    return {
        key: ", ".join(f"{found.count(kind)} {kind}" for kind in (HOLDS, NO_FINDING, FAILS))
        for key, found in totals.items()
    }
