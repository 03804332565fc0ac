"""IAM: the password policy of the account, which holds for all its IAM users (CIS 5.0: 1.7 and 1.8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...aws import Aws, Reading
from ...baseline import Baseline
from ...model import Call, Changes, Difference, Exists, Finding, Findings, Kind, Note, Scope
from ...steps.registry import harmful_actions, step, verify
from ...steps.settings import Strictness, settings, to_api
from .section import PasswordPolicy

harmful_actions(PasswordPolicy, "iam:DeleteAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy")

_RESOURCE: Final = "password policy"
# AWS's value for a field that a request leaves out: UpdateAccountPasswordPolicy replaces the whole policy.
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
# What holds in an account without a policy.
_NO_POLICY: Final[dict[str, Any]] = {"MinimumPasswordLength": 8}


def read_password_policy(reading: Reading) -> dict[str, Any] | None:
    """The policy with all its fields, or None if the account has none. *reading* is GetAccountPasswordPolicy."""
    have = reading.value("PasswordPolicy", "NoSuchEntity")
    if have is None:
        return None
    # No limit is a missing number in AWS, and 0 in moto.
    return {name: have.get(name) or unset for name, unset in _UNSET.items()}


@step("password_policy", PasswordPolicy, Scope.ACCOUNT, clients=("iam",))
def ensure_password_policy(aws: Aws, baseline: Baseline) -> Changes:
    """Create or repair the password policy, all its fields in one request."""
    section = baseline[PasswordPolicy]
    reading = aws.read("iam").get_account_password_policy()
    want, have = to_api(section), read_password_policy(reading)
    if have is not None:
        yield Exists(_RESOURCE)

    def put(full: dict[str, Any]) -> Call:
        # A limit is turned off by leaving it out.
        stated = {name: value for name, value in full.items() if value is not None}
        call = aws.write("iam").update_account_password_policy(**stated)
        return call.based_on(reading)

    yield from settings(
        _RESOURCE,
        _NO_POLICY if have is None else have,
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
    """Warn if the repair expires passwords, or if a first policy replaces the rules that hold without one."""
    if have is None:
        words = {None: "none", False: "off"}
        defaults = {name: value for name, value in {**_UNSET, **_NO_POLICY}.items() if name not in want}
        if shown := ", ".join(f"{name} {words.get(value, value)}" for name, value in defaults.items()):
            text = f"the account has no policy, so what the file leaves out gets AWS's defaults: {shown}"
            without = "; without a policy IAM asks for three of the four kinds of characters"
            yield Note(Kind.WARNING, _RESOURCE, text + without)
    elif "MaxPasswordAge" in repairs and not have["MaxPasswordAge"]:
        yield Note(Kind.WARNING, _RESOURCE, "MaxPasswordAge expires every older password at once")


@verify("password_policy")
def verify_password_policy(aws: Aws, baseline: Baseline) -> Findings:
    """A password policy is in force."""
    have = read_password_policy(aws.read("iam").get_account_password_policy())
    if have is None:
        yield Finding(_RESOURCE, "in force", False, "none; IAM's default of 8 characters holds")
    else:
        yield Finding(_RESOURCE, "in force", True, f"{have['MinimumPasswordLength']} characters or more")
