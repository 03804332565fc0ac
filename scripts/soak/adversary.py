"""Those who change things by hand: several users, each `@breaks` alone and many at once, and a tool that fights."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from provisioner.sandbox.drift import Administrator, Break, carry_out, every_break
from provisioner.sandbox.world import World

NAMES: Final = ("mallory", "oscar", "trudy")
TOOL: Final = "other-tool"
Name = tuple[str, str, str]  # step, Region and sentence of a break


@dataclass
class Episode:
    """A difference that somebody made. *resource* is empty if more than one resource shows it."""

    step: str
    region: str
    resource: str
    field: str
    sentence: str
    actor: str
    start: float
    services: frozenset[str] = frozenset()  # those that were called for it
    end: float | None = None  # when a run had ended that left nothing of it

    @property
    def place(self) -> tuple[str, str, str]:
        """Step, Region and resource."""
        return self.step, self.region, self.resource

    def shows_as(self, step: str, region: str, resource: str) -> bool:
        """Whether a difference there is one of this."""
        return (self.step, self.region) == (step, region) and self.resource in {"", resource}


@dataclass
class Adversary:
    """Breaks what the file describes, as users of the account.

    *found* are the breaks that were possible at the beginning, and *all* are their names in random order.
    """

    world: World
    regions: Sequence[str]  # the home Region first
    keys: Mapping[str, Mapping[str, str]]
    seed: int
    episodes: list[Episode] = field(default_factory=list)
    done: set[Name] = field(default_factory=set)
    refused: set[Name] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Find all breaks."""
        self.random = random.Random(f"adversary {self.seed}")  # noqa: S311 must be reproducible
        self._admins = {
            name: [
                Administrator.of(self.world.account_id, each, keys, home=each == self.regions[0])
                for each in self.regions
            ]
            for name, keys in self.keys.items()
        }
        self._places: set[tuple[str, str, str]] | None = None
        self.found = {self._name(*each): each[2] for each in self._breaks(NAMES[0])}
        self._places = {(step, region, one.resource) for (step, region, _), one in self.found.items()}
        self.all = sorted(self.found)
        self.random.shuffle(self.all)

    def break_one(self, name: Name, actor: str, now: float) -> Episode | None:
        """Break one thing; None if there is nothing to break now, or AWS refuses."""
        for found in self._breaks(actor, name[0]):
            if self._name(*found) == name:
                return self._carry_out(*found, actor, now)
        return None

    def storm(self, count: int, now: float) -> Iterator[Episode]:
        """Break up to so many things at once, by several actors, each resource once."""
        order = [*self.found]
        self.random.shuffle(order)
        for name in order:
            if not count:
                return
            if not self._is_whole(name):
                continue
            if episode := self.break_one(name, self.random.choice(NAMES), now):
                count -= 1
                yield episode

    def open(self) -> list[Episode]:
        """The differences that are still there."""
        return [each for each in self.episodes if each.end is None]

    def _is_whole(self, name: Name) -> bool:
        """Whether nobody has broken it yet."""
        step, region, resource = *name[:2], self.found[name].resource
        return bool(resource) and not any(each.shows_as(step, region, resource) for each in self.open())

    def _breaks(self, actor: str, step: str = "") -> Iterator[tuple[str, Administrator, Break]]:
        """The breaks of now that `repair` repairs, of what was there at the beginning: some make resources of others."""
        for found in every_break(self._admins[actor], step):
            place = found[0], found[1].region, found[2].resource
            if found[2].repaired and (self._places is None or place in self._places):
                yield found

    def _carry_out(
        self, step: str, admin: Administrator, one: Break, actor: str, now: float
    ) -> Episode | None:
        name = self._name(step, admin, one)
        before = len(self.world.calls)
        if not carry_out(one):
            self.refused.add(name)
            return None
        self.done.add(name)
        services = frozenset(each.service for each in self.world.calls[before:] if each.writes)
        episode = Episode(step, admin.region, one.resource, one.field, one.sentence, actor, now, services)
        self.episodes.append(episode)
        return episode

    def _name(self, step: str, admin: Administrator, one: Break) -> Name:
        return step, admin.region, one.sentence


def make_users(account: str, home: str, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Create users in the sandbox, and return their keys as `boto3.Session` takes them."""
    iam = Administrator(account, home).client("iam")
    keys = {}
    for name in names:
        iam.create_user(UserName=name)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        keys[name] = {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
        }
    return keys
