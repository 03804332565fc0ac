"""Ensure automated discovery: whether it is on, for which members, and the buckets that it leaves out."""

from __future__ import annotations

from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import PENDING, Call, Changes, Difference, Kind, Note, update
from ...steps.references import keys, resolve
from ...steps.settings import Strictness, settings, to_api
from .section import AutomatedDiscovery, Macie
from .state import ENABLED, SERVICE, TITLE, administrator, read_discovery

# The session has a `status` too.
_PREFIX: Final = "automatedDiscovery."
_FIELDS: Final = ("status", "autoEnableOrganizationMembers")
_EXCLUDED: Final = "excludes.bucketNames"


def ensure_discovery(aws: Aws, section: Macie) -> Changes:
    """Bring automated discovery to the baseline, unless another account administers Macie here: it sets it."""
    want = to_api(section.automated_discovery)
    if aws.account != section.administrator:
        want.pop("autoEnableOrganizationMembers", None)
    if not want:
        return
    found = read_discovery(aws)
    if found.owner:
        text = f"automated discovery cannot be looked at in this account: {found.owner} sets it"
        yield Note(Kind.OWNED, TITLE, text)
        return
    # AWS's default, where Macie is not enabled yet.
    have = {"status": "DISABLED", **{name: found.have[name] for name in _FIELDS if name in found.have}}
    reading = aws.read(SERVICE).get_automated_discovery_configuration()

    def put(full: dict[str, Any]) -> Call:
        given = {name.removeprefix(_PREFIX): each for name, each in full.items() if each is not None}
        call = aws.write(SERVICE).update_automated_discovery_configuration(**given)
        compared = reading.at(lambda answer: {name: answer.get(name) for name in _FIELDS})
        return call.waiting(ENABLED).based_on(compared)

    strictness = Strictness.of(AutomatedDiscovery, exact=section.exact)
    guarded = {f"{_PREFIX}{name}": each for name, each in strictness.guarded.items()}
    yield from settings(
        TITLE,
        {f"{_PREFIX}{name}": each for name, each in have.items()},
        {f"{_PREFIX}{name}": each for name, each in want.items()},
        put,
        Strictness(guarded, section.exact),
        whole=True,
        owner=administrator(aws),
    )


def ensure_exclusions(aws: Aws, baseline: Baseline) -> Changes:
    """Exclude the log buckets, where they are or where the administrator searches them; what others excluded stays.

    The request adds to the list, so it needs no earlier reading.
    """
    section = baseline[Macie]
    discovery = section.automated_discovery
    here = aws.target.home and aws.account in {aws.archive, section.administrator}
    if not (discovery and discovery.exclude_log_buckets and here):
        return
    if owner := administrator(aws)():
        yield Note(Kind.OWNED, TITLE, f"{owner} sets which buckets automated discovery leaves out")
        return
    scope = read_discovery(aws).have.get("classificationScopeId")
    if scope is None and discovery.status != "ENABLED":
        return  # nothing is searched
    have: list[str] = []
    if scope:  # which Macie has just made, and does not find everywhere yet, if it was enabled in this run
        answer = aws.read(SERVICE).get_classification_scope(id=scope).value("s3", "ResourceNotFoundException")
        have = answer["excludes"]["bucketNames"] if answer else []
    want = [resolve(aws, baseline, "bucket", key).name for key in keys(baseline, "bucket")]
    if foreign := [name for name in have if name not in want]:
        text = f"buckets of others are left out of automated discovery: {', '.join(sorted(foreign))}"
        yield Note(Kind.FOREIGN, TITLE, text)
    missing = [name for name in want if name not in have]
    if not missing:
        return
    difference = Difference(_EXCLUDED, have, [*have, *missing])
    excludes = {"bucketNames": missing, "operation": "ADD"}
    call = aws.write(SERVICE).update_classification_scope(id=scope or PENDING, s3={"excludes": excludes})
    yield update(TITLE, (difference,), call.waiting(ENABLED))
