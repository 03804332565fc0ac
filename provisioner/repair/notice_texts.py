"""The words of a notice, for a person on call: what, since when, what was done, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from ..baseline.notices import Trigger
from ..model import Difference
from ..report import words
from ..report.json_objects import FailureJson
from .records import Actor, Drift

_LONGEST: Final = 300  # characters of one part of a text

TO_DO: Final[Mapping[Trigger, str]] = {
    "drifted": "look at it with `provision diff`, and repair it with `provision apply`",
    "repaired": "ask who changed it whether that was meant: if it was, change the file; if not, look for what else they did",
    "contested": "stop what changes it back, or change the file; `when_contested: stop` for it in the file ends the repairs",
    "danger": "find out who added it and why; the name that takes it away is shown by `provision diff`",
    "check_failed": "`provision verify` shows what AWS answers",
    "run_failed": "`provision diff` shows it again, with all details",
    "paused": "`provision resume` ends the pause",
    "expiring": "ask its owner: renew it in `exceptions`, or let it end",
    "expired": "ask its owner: renew it in `exceptions`, or remove it",
}
RESOLVED: Final[Mapping[Trigger, str]] = {
    "drifted": "a difference from the file",
    "repaired": "a difference that was repaired",
    "contested": "a resource that is changed back again and again",
    "danger": "something that defeats the baseline",
    "check_failed": "a check of `verify`",
    "run_failed": "something that could not be read or changed",
    "paused": "the pause of repairs",
    "expiring": "an exception that ends soon",
    "expired": "an exception that has expired",
}


WHILE_PAUSED: Final = "differences are told, and not repaired; what AWS needs to record is repaired all the same, unless the pause names its steps"


def short(text: str, most: int = _LONGEST) -> str:
    """The text on one line, cut after *most* characters."""
    text = words.clean(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def what(action: str, resource: str, differences: Iterable[Difference], *, past: bool = False) -> str:
    """The resource, and how it differs from the file; *past*: how it did."""
    if action == "create":
        return short(f"{resource}: {'did' if past else 'does'} not exist")
    return short(f"{resource}: {'; '.join(_difference(each, past=past) for each in differences)}")


def _difference(each: Difference, *, past: bool) -> str:
    be = "was" if past else "is"
    if each.want is None:
        have = "there" if words.is_document(each) else words.value(each.have)
        return f"{each.field} {be} {have}, and not in the file"
    if each.have is None:
        want = "" if words.is_document(each) else f"; the file asks for {words.value(each.want)}"
        return f"{each.field} {be} missing{want}"
    if words.is_document(each):
        return f"{each.field} {be} other than in the file"
    return f"{each.field} {be} {words.value(each.have)}; the file asks for {words.value(each.want)}"


def moment(time: str) -> str:
    """`2026-11-30 04:00 UTC`."""
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        return short(time)
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if found.tzinfo else short(time)


def done(drift: Drift) -> str:
    """What the run did about a difference."""
    why = f": {short(drift.why)}" if drift.why else ""
    texts: dict[str, str] = {
        "drifted": "nothing was tried" + why,
        "repaired": "repaired, and read back"
        + (f"; {drift.repairs} times in 24 hours" if drift.repairs > 1 else ""),
        "not_seen": "changed, and AWS does not show it yet: the next run looks again",
        "failed": "AWS refused the change" + why,
        "withheld": f"left as it is: it needs `--allow {short(drift.why)}`",
        "held": "left as it is" + why,
    }
    return texts.get(drift.state, short(drift.state))  # of a journal that a later version has written


def to_do(drift: Drift, trigger: Trigger) -> str:
    """What the reader is to do about a difference."""
    if trigger == "danger" and drift.why:
        return f"find out who added it and why; `provision apply --allow {short(drift.why)}` takes it away"
    if trigger == "drifted" and drift.state == "withheld":
        return f"decide: `provision apply --allow {short(drift.why)}` changes it, and says what is lost"
    if trigger == "drifted" and drift.state == "held":
        return "no `repair` changes it until what keeps it is gone: end the pause, or change the file"
    if trigger == "drifted" and drift.state == "not_seen":
        return "nothing, unless it is told again tomorrow"
    return TO_DO[trigger]


def joined(parts: Iterable[str]) -> str:
    """The parts of a text, each once."""
    return "; ".join(dict.fromkeys(filter(None, parts)))


def changed(resource: str, differences: Iterable[Difference], fields: Iterable[str]) -> str:
    """The resource, how it differed, and the *fields* of which that is all that is known."""
    return short(f"{resource}: {joined([*(_difference(each, past=True) for each in differences), *fields])}")


def late(text: str, time: str) -> str:
    """What was done, in a notice that could not be sent at first."""
    return joined([text, f"this was to be told at {moment(time)}, and could not be sent then"])


def earlier(times: Sequence[str]) -> str:
    """That repairs before the one of the notice were not told, at these *times*."""
    if len(times) == 1:
        return f"one repair of it before this one was not told: at {moment(times[0])}"
    first, last = moment(times[0]), moment(times[-1])
    return (
        f"{len(times)} repairs of it before this one were not told: the first at {first}, the last at {last}"
    )


def cut_off(run: str, time: str) -> str:
    """What a run did that was cut short after the change."""
    return f"changed at {moment(time)} by the run {short(run)}, which was cut short then; this run finds it as in the file"


def perhaps_changed(run: str, time: str, operation: str) -> str:
    """What a run was about to do when it was cut short, and what is no difference any more."""
    return (
        f"the run {short(run)} was about to call {operation} at {moment(time)}, and was cut short: it may have changed this;"
        " this run finds it as in the file"
    )


def resolved(trigger: Trigger, *, repaired: bool) -> str:
    """How something ended."""
    if trigger == "contested":
        return "nobody has changed it for 24 hours"
    if trigger == "paused":
        return "it has ended: repairs go on"
    if trigger == "expired":
        return "it was renewed, or is not in the file any more"
    if trigger in {"check_failed", "run_failed"}:
        return "this run has passed it"
    return (
        "repaired, and read back" if repaired else "it is as the file says, or the file no longer asks for it"
    )


def paused(why: str) -> str:
    """That repairs are paused: *why* says until when, by whom and for what."""
    return short(why)


def failure(each: FailureJson) -> tuple[str, str]:
    """What failed, and what to do. Without the request id, so that equal failures of many accounts are equal texts."""
    message = each.message.replace(each.request_id, "…") if each.request_id else each.message
    parts = (each.doing, each.call or "", each.code or "", message)
    text = ": ".join(filter(None, parts))
    return short(text), short(each.hint or TO_DO["run_failed"])


def actor(who: Actor) -> str:
    """Who made a difference: name, event, time, address and program."""
    parts = [who.name, f"{who.event} at {moment(who.time)}"]
    parts += [f"from {who.source_address}"] if who.source_address else []
    parts += [f"with {short(who.user_agent, 80)}"] if who.user_agent else []
    parts += [f"event {who.event_id}"] if who.event_id else []
    return short(", ".join(parts), 400)
