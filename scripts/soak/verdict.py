"""What the week came to: figures, and what does not hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from provisioner.repair.records import Drift

from .adversary import Episode
from .clock import DAY, text
from .machine import Run
from .webhook import Told, Webhook

Place = tuple[str, str, str]
Followed = tuple[str, str, str, str]  # run, step, Region and resource
NEVER: Final = "never told"
AGAIN: Final = "told again"


@dataclass
class Group:
    """Episodes of one resource that were there at the same time: one difference for those who are told. Until *next*."""

    place: Place
    episodes: list[Episode]
    beside: list[Episode] = field(
        default_factory=list
    )  # those of several resources, of which this may be one
    next: float = float("inf")

    @property
    def start(self) -> float:
        """When the first of them began."""
        return self.episodes[0].start

    @property
    def actors(self) -> set[str]:
        """Who made them."""
        return {each.actor for each in (*self.episodes, *self.beside)}

    @property
    def end(self) -> float:
        """When the last of them was gone."""
        return max(float("inf") if each.end is None else each.end for each in self.episodes)

    def is_of(self, address: str) -> bool:
        """Whether it is the address, as text, of this."""
        _, region, step, resource = (*address.split("/", 3), "", "", "")[:4]
        return self.episodes[0].shows_as(step, region, resource)

    def shows_as(self, address: str, time: float) -> bool:
        """Whether a difference at that address and time is one of this."""
        return self.is_of(address) and self.start < time <= self.next

    def follows_in(self, runs: Collection[Followed]) -> set[str]:
        """The runs in which it was only changed because of something else."""
        return {run for run, *place in runs if self.episodes[0].shows_as(*place)}


@dataclass
class Verdict:
    """How often what was noticed and attributed. *problems* name each that is not as it must be."""

    notices: Counter[str] = field(default_factory=Counter)
    who: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def groups(episodes: Sequence[Episode]) -> list[Group]:
    """The episodes of each resource, those that overlap together."""
    found: dict[Place, list[Group]] = defaultdict(list)
    for each in sorted(episodes, key=lambda one: one.start):
        kept = found[each.step, each.region, each.resource]
        if kept and any(x.end is None or x.end >= each.start for x in kept[-1].episodes):
            kept[-1].episodes.append(each)
            continue
        if kept:
            kept[-1].next = each.start
        kept.append(Group((each.step, each.region, each.resource), [each]))
    return [group for several in found.values() for group in several]


def judge(
    episodes: Sequence[Episode],
    hook: Webhook,
    drifts: Sequence[tuple[Drift, float]],
    excepted: Place,
    runs: Sequence[Run],
    followed: Collection[Followed],
) -> Verdict:
    """Compare what was broken with what was told and written down. *followed*: what runs changed because of other breaks."""
    verdict = Verdict()
    ended = {each.id: each.ended for each in runs}
    killed, unwritten = [each for each in runs if each.killed], {each.id for each in runs if each.disk_full}
    several = [each for each in episodes if not each.resource]
    verdict.notices["of several resources"] = len(several)
    for group in groups(episodes):
        if not group.place[2] or group.place == excepted:
            continue
        group.beside = [
            x for x in several if x.shows_as(*group.place) and group.start <= x.start < group.next
        ]
        name = f"{text(group.start)} {' '.join(group.place)}: {group.episodes[0].sentence}"
        side = group.follows_in(followed)
        heard = [
            (each, run)
            for each in hook.told
            for run in each.runs
            if each.phase == "new" and group.shows_as(each.about, ended[run]) and run not in side
        ]
        found = [each for each, time in drifts if group.shows_as(str(each.address), time)]
        in_two = any(each.state == "held" for each in found)  # one part in the pause, the other after it
        kind = _told(heard, len(group.episodes) + len(group.beside) + in_two)
        if kind == NEVER:
            before = [each for each in hook.told if group.start - DAY < each.time < group.next]
            before += [each for each, _ in heard]
            if any(each.trigger == "contested" and group.is_of(each.about) for each in before):
                kind = "contested, told once a day"
            elif not found and side:
                kind = "made again with what contains it"
            elif not found and any(group.start <= each.started <= group.end for each in killed):
                kind = "lost with a run killed before its line in the journal"
        if kind == AGAIN and any(each.run in unwritten for each, _ in heard):
            kind = "told again, as a full disk kept a run from writing down that it had told it"
        verdict.notices[kind] += 1
        if kind in {NEVER, AGAIN}:
            times = ", ".join(f"{each.trigger} {text(each.time)} {each.run} of {run}" for each, run in heard)
            fields = "; ".join(f"{each.run} {each.state}: {', '.join(each.fields)}" for each in found)
            verdict.problems.append(f"{kind}: {name}: {times}; found: {fields}")
        own = [each for each, time in drifts if each in found and time <= group.end and each.run not in side]
        _judge_who(verdict, group, own, name)
    return verdict


def _told(heard: Sequence[tuple[Told, str]], most_often: int) -> str:
    """How a difference was told, by notices, each with a run of which it tells. It may be both `drifted` and `repaired`."""
    by = Counter(each.trigger for each in {each for each, _ in heard})
    # Each repair is told once: two runs may each have repaired a part, the first of which was killed.
    twice = len({(each.trigger, run) for each, run in heard}) < len(heard)
    known = by["repaired"] + by["drifted"] + by["danger"]
    return AGAIN if twice or max(by["drifted"], by["danger"]) > most_often else "once" if known else NEVER


def judge_notices(hook: Webhook, contested: Place, drifts: Sequence[Drift]) -> list[str]:
    """What was told as there and never as gone, and a contest that was written down and not told."""
    last: dict[tuple[str, str], str] = {}
    for each in hook.told:
        if each.trigger in {"drifted", "check_failed", "danger", "paused"}:
            last[each.about, each.trigger] = each.phase
    open_ = [
        f"told, and never as resolved: {about}: {trigger}"
        for (about, trigger), phase in last.items()
        if phase != "resolved"
    ]
    place = Group(contested, [Episode(*contested, "", "", "", 0.0)])
    told = any(each.trigger == "contested" and place.is_of(each.about) for each in hook.told)
    found = any(each.contested and place.is_of(str(each.address)) for each in drifts)
    return open_ if told or not found else [*open_, f"contested, and never told: {contested}"]


def _judge_who(verdict: Verdict, group: Group, found: Sequence[Drift], name: str) -> None:
    services = frozenset[str]().union(*(each.services for each in group.episodes))
    if services and all(each.call and each.call.service not in services for each in found):
        verdict.who["not looked for, as another service was called"] += 1
        return
    known = [each.who for each in found if each.who is not None]
    wrong = [each for each in known if each.name.rpartition("/")[2] not in group.actors]
    if wrong and all(each.others for each in wrong):  # several wrote the document, one what differs
        verdict.who["one of several"] += 1
    elif wrong:
        verdict.who["wrong"] += 1
        who = f"{wrong[-1].name} with {wrong[-1].event} at {wrong[-1].time}"
        verdict.problems.append(f"wrong actor: {name}: {who}, not {', '.join(group.actors)}")
    elif known:
        verdict.who["right"] += 1
    elif any(each.who_pending for each in found):
        verdict.who["pending"] += 1
    else:
        verdict.who["not known" if found else "not in the journal"] += 1
