"""A simulated week of unattended repair: `PYTHONPATH=scripts python -m soak --seed 1`. Exit code 1 if something does not hold.

Real: the program's own code from the options to the notices, over HTTP to the sandbox, and the journal on disk. Simulated: the
time (`time_machine`; nothing waits), AWS (the sandbox, with the event history some minutes late), EventBridge (the
function's own choice of steps from the events of the sandbox; no event arrives while no trail logs), a killed process (a
signal raises what nothing catches, and threads get no answer any more), a full disk (RLIMIT_FSIZE).
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine

from provisioner.baseline import parse
from provisioner.cli.options import CommandOptions
from provisioner.repair.actors import with_actors
from provisioner.repair.journal import read_all
from provisioner.repair.records import Drift
from provisioner.sandbox import open_sandbox
from provisioner.sandbox.serve import serving
from provisioner.steps.registry import all_sections

from .account import Account, Off
from .adversary import NAMES, TOOL, Adversary, Name, make_users
from .clock import DAY, EVERY, MIDDLE, MINUTE, SPLAY, SoakClock, text
from .ledger import Ledger
from .machine import Machine
from .verdict import Verdict, judge, judge_notices
from .webhook import webhook
from .week import Week

PROFILES = Path(__file__).resolve().parent.parent.parent / "provisioner" / "profiles"
LOOKER = "auditor"
LONGEST_OFF = EVERY + SPLAY + 3 * MINUTE  # the run itself takes a little


def main() -> None:
    """Live through the week, and print the table."""
    given = _arguments()
    began = time.perf_counter()
    gc.set_threshold(50_000, 20, 20)
    with ExitStack() as stack:
        folder = Path(given.keep or stack.enter_context(tempfile.TemporaryDirectory()))
        week, diff, verdict = _live(given, folder, stack)
    problems = [*week.ledger.problems, *verdict.problems, *diff]
    for name, value in _table(week, verdict).items():
        _print(f"{name:<34} {value}")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _print(f"{'wall, CPU':<34} {time.perf_counter() - began:.0f} s, {usage.ru_utime + usage.ru_stime:.0f} s")
    for each in problems[: given.problems]:
        _print(f"DOES NOT HOLD: {each}")
    _print(f"{len(problems)} things do not hold" if problems else "everything holds")
    sys.exit(bool(problems))


def _live(given: argparse.Namespace, folder: Path, stack: ExitStack) -> tuple[Week, list[str], Verdict]:
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    random.seed(given.seed)
    start = MIDDLE - timedelta(days=given.days / 2)
    moved = stack.enter_context(time_machine.travel(start, tick=False))
    clock = SoakClock(moved, start)
    world = stack.enter_context(open_sandbox(None))
    url = stack.enter_context(serving(world)).url
    hook = stack.enter_context(webhook(clock.now))
    world.set(event_delay=given.event_delay)
    profile = (PROFILES / f"{given.profile}.yaml").read_text()
    notices = f"\nnotices:\n  phone: {{ webhook: {{ url: {hook.url} }} }}\n"
    file = folder / "baseline.yaml"
    file.write_text(profile + notices)
    baseline = parse(file.read_text(), str(file), all_sections(), {})
    regions = list(dict.fromkeys([baseline.general.home_region, *baseline.general.regions]))
    keys = make_users(world.account_id, regions[0], [*NAMES, TOOL, LOOKER])
    caller = f"arn:aws:iam::{world.account_id}:user/sandbox"
    machine = Machine(world, clock, file, url, caller, given.seed, given.faults)
    _must(machine, CommandOptions("apply", str(file), yes=True, endpoint_url=url))
    adversary = Adversary(world, regions, keys, given.seed)
    contested, excepted = _choose(adversary)
    places = {name: _place(adversary, name) for name in (contested, excepted)}
    file.write_text(profile + notices + _exception(adversary, excepted, f"{MIDDLE:%Y-%m-%d}"))
    account = Account(world, baseline, regions, keys[LOOKER], caller)
    account.settle_in()
    ledger = Ledger(adversary)
    ledger.excepted = (*places[excepted], given.days / 2 * DAY)
    week = Week(clock, given.days, machine, adversary, account, hook, ledger, contested, excepted)
    week.live()
    found = machine.command(CommandOptions("diff", str(file), endpoint_url=url))
    diff = [] if found.endswith("exit 0") else [f"at the end: {found}"]
    diff += [f"lost: {each}" for each in account.lost()]
    diff += [f"still open: {each.step} {each.region} {each.resource}" for each in adversary.open()]
    diff += [f"{week.loops} runs would have been started by our own writes"] if week.loops else []
    diff += [
        f"{name} was off for {text(each.longest)} from {text(each.longest_since)}, and a run comes every 15 minutes"
        for name, each in (("trail logging", account.logging), ("the recorder", account.recording))
        if each.longest > LONGEST_OFF + EVERY * _killed(machine, each) + _excepted(ledger, adversary, each)
    ]
    drifts = [
        (each, clock.of(each.time))
        for each in with_actors(read_all(machine.journal))
        if isinstance(each, Drift)
    ]
    verdict = judge(adversary.episodes, hook, drifts, places[excepted][:3], machine.runs, ledger.followed)
    verdict.problems += judge_notices(hook, places[contested][:3], [each for each, _ in drifts])
    return week, diff, verdict


def _killed(machine: Machine, off: Off) -> int:
    """How many runs were killed in the longest time: each leaves it to the next one, if it had not come to that."""
    end = off.longest_since + off.longest
    return sum(each.killed and off.longest_since <= each.started <= end for each in machine.runs)


def _excepted(ledger: Ledger, adversary: Adversary, off: Off) -> float:
    """The seconds of the longest time in which an exception of the file held what had switched it off."""
    *place, field, end = ledger.excepted
    since = off.longest_since
    begun = any(
        (*each.place, each.field) == (*place, field) and 0 <= since - each.start < MINUTE
        for each in adversary.episodes
    )
    return max(end - since, 0.0) if begun else 0.0


def _must(machine: Machine, options: CommandOptions) -> None:
    printed = machine.command(options)
    if not printed.endswith("exit 0"):
        raise RuntimeError(printed)


def _choose(adversary: Adversary) -> tuple[Name, Name]:
    """The setting for which a second tool fights, and the one that is accepted for a time: of different steps."""
    named = [each for each in adversary.all if _place(adversary, each)[3]]
    contested = adversary.random.choice(named)
    return contested, adversary.random.choice([each for each in named if each[0] != contested[0]])


def _place(adversary: Adversary, name: Name) -> tuple[str, str, str, str]:
    """Step, Region, resource and field of a break."""
    one = adversary.found[name]
    return name[0], name[1], one.resource, one.field


def _exception(adversary: Adversary, name: Name, expires: str) -> str:
    step, _, resource, field = _place(adversary, name)
    what = f"address: '{step}/{resource}', field: '{field}*', expires: {expires}"
    return f"exceptions:\n  - {{ {what}, reason: a migration, owner: the soak }}\n"


def _table(week: Week, verdict: Verdict) -> Mapping[str, Any]:
    machine, account, ledger, counts = week.machine, week.account, week.ledger, week.ledger.counts
    off = {"trail logging": account.logging, "recorder": account.recording}
    adversary = week.adversary
    never = [each for each in adversary.all if each not in adversary.done]
    return {
        "simulated": text(week.ended),
        "breaks": f"{counts['breaks']}; {len(adversary.done)} of {len(adversary.all)} kinds, {len(never)} not",
        "runs": f"{len(machine.runs)}, {week.events} from events; {_several(counts, 'exit', 'killed')}",
        "kills, torn lines, full disk": _several(machine.given),
        "faults": f"{sum(machine.faults.values())}: {_several(machine.faults)}",
        "writes on the wire": f"{counts['writes']} for {counts['changes']} changes; {counts['writes repeated or cut off']} repeated or cut off",
        "pause": _several(counts, "held", "made", "runs that"),
        "side effects of others' breaks": sum(ledger.side.values()),
        "notices": f"{len(week.hook.told)}; {len(week.hook.refused)} refused; {_several(Counter(f'{x.trigger} {x.phase}' for x in week.hook.told))}",
        "differences": _several(verdict.notices),
        "who": _several(verdict.who),
        **{
            f"{name} off": f"{each.times} times, longest {text(each.longest)} from {text(each.longest_since)}, in all {text(each.total)}"
            for name, each in off.items()
        },
    }


def _several(counts: Counter[str], *starts: str) -> str:
    found = ((name, n) for name, n in sorted(counts.items()) if not starts or name.startswith(starts))
    return ", ".join(f"{name} {number}" for name, number in found) or "none"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--seed", type=int, default=1)
    add("--days", type=float, default=7)
    add(
        "--faults",
        type=float,
        default=0.15,
        help="share of our calls that are throttled, refused, reset or lose their answer",
    )
    add("--profile", default="full", choices=["simple", "full"])
    add("--event-delay", type=float, default=300.0, help="seconds until LookupEvents shows an event")
    add("--problems", type=int, default=40, help="how many of what does not hold are printed")
    add("--keep", help="a folder for the file and the journal, which stay")
    return parser.parse_args()


if __name__ == "__main__":
    main()
