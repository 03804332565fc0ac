"""What AWS has of the organization's rules or packs, which it makes in all accounts in the background."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from ...aws import Aws, Reading
from ...model import Call, Kind, Note, Wait
from .state import JsonObject

DENIED: Final = "OrganizationAccessDeniedException"
STATUS: Final = "Status"
_SECONDS: Final = 300.0  # that AWS may take in all accounts; Terraform waits as long


@dataclass(frozen=True)
class ResourceKind:
    """The organization's rules, or its packs: the names that AWS gives them in requests and answers."""

    what: str  # as in `organization rule NAME`
    operation: str  # what the operations and fields are named after: `OrganizationConfigRule`
    reads: tuple[str, str, str]  # boto3's methods: the list, the states, the states in the accounts of one
    status: str  # the field of a state
    details_key: str
    account_status: str

    def title(self, name: str) -> str:
        """The name of one in plans."""
        return f"organization {self.what} {name}"

    @property
    def missing(self) -> str:
        """The error code of a name that AWS does not have."""
        return f"NoSuch{self.operation}Exception"

    def listed(self, aws: Aws) -> Reading:
        """All that this account has made, as AWS takes no name that is missing."""
        reading: Reading = getattr(aws.read("config"), self.reads[0])()
        return reading

    def statuses(self, aws: Aws) -> Reading:
        """The state of each."""
        reading: Reading = getattr(aws.read("config"), self.reads[1])()
        return reading

    def details(self, aws: Aws, name: str) -> Reading:
        """The state of one in each account."""
        reading: Reading = getattr(aws.read("config"), self.reads[2])(**{f"{self.operation}Name": name})
        return reading


@dataclass(frozen=True)
class Deployed:
    """The rules or packs that this account has made for the organization, and their states.

    Without trusted access AWS may refuse these reads: then there are none.
    """

    kind: ResourceKind
    listed: Reading
    statuses: Reading
    trusted: bool

    def _all(self, reading: Reading, key: str) -> list[JsonObject]:
        codes = () if self.trusted else (DENIED,)
        found: list[JsonObject] = reading.value(key, *codes) or []
        return found

    def state(self, name: str) -> JsonObject:
        """The state of one, empty if there is none."""
        key = f"{self.kind.operation}Name"
        states = self._all(self.statuses, f"{self.kind.operation}Statuses")
        return next((each for each in states if each[key] == name), {})

    def of(self, name: str) -> JsonObject | None:
        """The one of this name, with its state; None if there is none, or AWS is deleting it."""
        key, state = f"{self.kind.operation}Name", self.state(name)
        found = next(
            (each for each in self._all(self.listed, f"{self.kind.operation}s") if each[key] == name), None
        )
        status = str(state.get(self.kind.status, ""))
        return None if found is None or status.startswith("DELETE_") else {**found, STATUS: status}

    def basis(self, name: str) -> Reading:
        """The one of this name, as the basis of a request that replaces it. AWS changes its time by itself."""
        key, only = f"{self.kind.operation}Name", f"{self.kind.operation}s"

        def settings(answer: JsonObject) -> list[JsonObject]:
            found = (each for each in answer[only] if each[key] == name)
            return [{**each, "LastUpdateTime": None} for each in found]

        return self.listed.at(settings)

    def want_status(self, have: JsonObject) -> dict[str, str]:
        """The state that it is to have: the present one, if AWS is done. A failed one is put again."""
        verb = str(have[STATUS]).partition("_")[0] or "CREATE"
        return {STATUS: f"{verb}_SUCCESSFUL"}

    def notes(self, name: str) -> Iterator[Note]:
        """Tell why AWS could not make it in all accounts, if it says so."""
        state = self.state(name)
        if str(state.get(self.kind.status)).endswith("_FAILED"):
            reason = ": ".join(state[key] for key in ("ErrorCode", "ErrorMessage") if state.get(key))
            text = (
                f"{state[self.kind.status]}: {reason or 'AWS does not say why'}; `verify` names the accounts"
            )
            yield Note(Kind.WARNING, self.kind.title(name), text)


def sending(call: Call, kind: ResourceKind, name: str) -> Call:
    """The call that puts a rule or pack, which waits for trusted access and for what AWS is doing with it."""
    call = call.waiting(
        Wait("ResourceInUseException", f"AWS Config to finish with {kind.title(name)}", seconds=_SECONDS),
        Wait(DENIED, "AWS Config to see its trusted access", seconds=60),
    )
    return replace(call, settles=_SECONDS)


def sorted_accounts(have: JsonObject) -> list[Any]:
    """The accounts in which it is not made."""
    return sorted(have.get("ExcludedAccounts") or ())
