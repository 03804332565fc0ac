"""IAM: the account's password policy. One per account, for every IAM user in it (CIS 1.7, 1.8 in version 5.0)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...aws import Aws
from ...baseline import Baseline
from ...model import Call, Changes, Difference, Exists, Finding, Findings, Kind, Note, Scope
from ...steps.registry import step, verify
from ...steps.settings import Strictness, settings, to_api
from .section import PasswordPolicy

_RESOURCE: Final = "password policy"
# What AWS takes for a field that a request leaves out: UpdateAccountPasswordPolicy knows no partial update.
_UNSET: Final[dict[str, Any]] = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
    "MaxPasswordAge": None,
    "PasswordReusePrevention": None,
    "HardExpiry": False,
}
# What holds in an account that has no policy, of what a policy can say.
_IN_FORCE: Final[dict[str, Any]] = {"MinimumPasswordLength": 8}


def read_password_policy(aws: Aws) -> dict[str, Any] | None:
    """The policy with every field in it, or None where the account has none."""
    have = aws.read("iam").get_account_password_policy().value("PasswordPolicy", "NoSuchEntity")
    if have is None:
        return None
    # moto says 0 where AWS leaves a number out; neither is a limit.
    return {name: have.get(name) or unset for name, unset in _UNSET.items()}


@step("password_policy", PasswordPolicy, Scope.ACCOUNT, clients=("iam",))
def ensure_password_policy(aws: Aws, baseline: Baseline) -> Changes:
    """Hold the account's password policy at the baseline, all fields in one request."""
    section = baseline[PasswordPolicy]
    want, have = to_api(section), read_password_policy(aws)
    if have is not None:
        yield Exists(_RESOURCE)

    def put(full: dict[str, Any]) -> Call:
        """A limit that is None is off by being left out."""
        known = {name: value for name, value in full.items() if value is not None}
        return aws.write("iam").update_account_password_policy(**known)

    yield from settings(
        _RESOURCE,
        _IN_FORCE if have is None else have,
        want,
        put,
        Strictness.of(PasswordPolicy, exact=section.exact),
        whole=True,
        action="create" if have is None else "update",
        warn=lambda repairs: _warnings(have, want, repairs),
    )


def _warnings(
    have: Mapping[str, Any] | None, want: Mapping[str, Any], repairs: Mapping[str, Difference]
) -> Iterator[Note]:
    """What the repair does besides: it may expire passwords, and a first policy replaces IAM's default."""
    if have is None:
        words = {None: "none", False: "off"}
        defaults = {name: value for name, value in {**_UNSET, **_IN_FORCE}.items() if name not in want}
        if taken := [f"{name} {words.get(value, value)}" for name, value in defaults.items()]:
            text = f"the account has no policy, so what the file leaves out gets AWS's defaults: {', '.join(taken)}"
            asks = "; without a policy IAM asks for three of the four kinds of characters"
            yield Note(Kind.WARNING, _RESOURCE, text + asks)
    elif "MaxPasswordAge" in repairs and not have["MaxPasswordAge"]:
        yield Note(Kind.WARNING, _RESOURCE, "MaxPasswordAge expires every older password at once")


@verify("password_policy")
def verify_password_policy(aws: Aws, baseline: Baseline) -> Findings:
    """A password policy is in force."""
    have = read_password_policy(aws)
    text = (
        "none; IAM's default of 8 characters holds"
        if have is None
        else f"{have['MinimumPasswordLength']} characters or more"
    )
    yield Finding(_RESOURCE, "in force", have is not None, text)
