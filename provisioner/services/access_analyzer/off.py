"""Access Analyzer switched off: the account's analyzers of the types in the file are deleted."""

from __future__ import annotations

from typing import Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Change, Changes, Difference, Exists
from ...steps.registry import consents, disables
from .steps import analyzer_title, read_analyzer, want_analyzers

_CONSENT: Final = "delete-analyzers"

consents(_CONSENT)


@disables("access_analyzer")
def delete_analyzers(aws: Aws, baseline: Baseline) -> Changes:
    """Delete each of the account's analyzers that the rest of the section is about. An organization's stay."""
    for each in want_analyzers(baseline, organization=False, home=aws.target.home):
        have = read_analyzer(aws, each)
        if have is None:
            continue
        title = analyzer_title(each, have)
        yield Exists(title)
        call = aws.write("accessanalyzer").delete_analyzer(analyzerName=have["name"])
        loses = "its findings, and the rules by which they were archived"
        change = (Difference("type", have["type"], None),)
        yield Change(title, change, call, "delete", consent=_CONSENT, loses=loses)
