"""Replace `${organization_name}`, `${account_id}`, `${region}`, `${partition}` and `${env:NAME}` in values.

Placeholders are replaced after the file is parsed, so that a value cannot add YAML. `$$` is a dollar sign. IAM's policy
variables are kept: `${aws:username}`, `${s3:prefix}` (all with a colon except `env:`), `${*}`, `${?}` and `${$}`.

A value that is one `${env:NAME}` and nothing else becomes a number or boolean if the field requires one, quoted or
not. The field's type decides, so that a bucket may be named `12345`.

Whoever may change the file must not read credentials with it, by sending them to where they are shown, such as a tag. So
AWS's own variables cannot be named at all, and a variable whose name says that it is a secret only in a field that is
one (`SECRET` in `section.py`). `Environment` has these rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .problem import Path, did_you_mean, listed, quoted
from .yaml_tree import Node, Source, resolve

NAMES: Final = ("organization_name", "account_id", "region", "partition")

_PLACEHOLDER = re.compile(r"\$\$|\$\{([^{}]*)(\}?)")
_ENV = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_ONE_ENV = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}")
_SPECIAL = {"*", "?", "$"}
_OF_AWS = "AWS_"  # AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN, ...
# AUTHOR is none, nor is the working directory.
_SECRET_WORD = re.compile(
    r"TOKEN|SECRET|PASS|CRED|KEY|COOKIE|JWT|BEARER|AUTH(?!ORS?(?:_|$))|(?<!^)(?<!^OLD)PWD"
)

Reason = tuple[str, str]  # why a variable cannot be read, and a hint


@dataclass(frozen=True)
class Environment(Mapping[str, str]):
    """The environment variables that a file may name: not AWS's own and, if *only* is given, only those.

    *only_in* says where these are listed, for messages.
    """

    variables: Mapping[str, str]
    only: Collection[str] | None = None
    only_in: str = ""

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Environment:
        """These variables; an `Environment` is returned as it is."""
        return variables if isinstance(variables, Environment) else cls(variables)

    def __getitem__(self, name: str) -> str:
        if self.why_not(name) is not None:
            raise KeyError(name)
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.variables if self.why_not(name) is None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def why_not(self, name: str) -> Reason | None:
        """Why no file may name the variable; None if one may."""
        if name.upper().startswith(_OF_AWS):
            message = f"environment variable {quoted(name)} is one of AWS's own, which no file may read"
            return message, "write the value here, or give it in a variable with another name"
        if self.only is not None and name not in self.only:
            message = f"environment variable {quoted(name)} is not among those that {self.only_in} lists"
            return message, did_you_mean(name, self.only) or "add it there, or write the value here"
        return None


def _names_a_secret(name: str) -> str:
    """The word in the name of a variable that says that its value is a secret, or an empty text."""
    found = _SECRET_WORD.search(name.upper())
    return found[0] if found else ""


@dataclass(eq=False, repr=False)
class Filler:
    """Replaces placeholders by values of *names* and *env*; adds a problem to *source* for each that it cannot replace.

    *allowed* are the names that may be used; one of them without a value has been reported at its definition. It
    collects *used*, the names that were replaced, and *secrets*, the placeholder of each value from the environment.
    *is_secret* tells of a path whether the field there is a secret.
    """

    source: Source
    names: Mapping[str, str]
    env: Environment
    is_secret: Callable[[Path], bool]
    allowed: tuple[str, ...] = NAMES
    used: set[str] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=dict)

    def fill(self, node: Node, path: Path = ()) -> Any:
        """The node as plain data with all placeholders replaced."""
        if isinstance(node.value, dict):
            return {key: self.fill(entry.node, (*path, key)) for key, entry in node.value.items()}
        if isinstance(node.value, list):
            return [self.fill(each, (*path, index)) for index, each in enumerate(node.value)]
        if not isinstance(node.value, str) or "$" not in node.value or self.source.full:
            return node.value
        return _PLACEHOLDER.sub(lambda found: self._value(found, node, path), node.value)

    def _value(self, found: re.Match[str], node: Node, path: Path) -> str:
        whole, name = found[0], found[1]
        if whole == "$$":
            return "$"
        if not found[2]:
            return self._report(path, node, whole, "'${' without '}'", "write '$${' for the two characters")
        if name in self.names:
            self.used.add(name)
            return self.names[name]
        prefix, colon, _ = name.partition(":")
        if prefix.strip().lower() == "env":
            return self._from_env(found, node, path)
        if colon or name in _SPECIAL:
            return whole
        if name in self.allowed:  # its own value is invalid and has been reported
            node.invalid = True
            return whole
        known = [f"${{{each}}}" for each in (*self.allowed, "env:NAME")]
        only = f"known {'are' if self.allowed else 'is'} {listed(map(quoted, known), 'and')}"
        hint = did_you_mean(whole, known) or only
        return self._report(path, node, whole, f"nothing is called {quoted(whole)}", hint)

    def _from_env(self, found: re.Match[str], node: Node, path: Path) -> str:
        whole = found[0]
        match = _ENV.fullmatch(found[1])
        if match is None:
            message = f"want '${{env:NAME}}', a name of letters, digits and '_', got {quoted(whole)}"
            return self._report(path, node, whole, message)
        name = match[1]
        if why_not := self.env.why_not(name) or self._why_not_here(name, path):
            return self._report(path, node, whole, *why_not)
        value = self.env.get(name)
        if value is None:
            hint = did_you_mean(name, self.env) or "export it, or write the value here"
            return self._report(path, node, whole, f"environment variable {quoted(name)} is not set", hint)
        try:
            value.encode()
        except UnicodeEncodeError:
            message = f"environment variable {quoted(name)} is not UTF-8"
            return self._report(path, node, whole, message)
        self.secrets[value] = whole
        return value

    def _why_not_here(self, name: str, path: Path) -> Reason | None:
        """Why the variable, which is a secret by its name, cannot be in the field at *path*."""
        word = _names_a_secret(name)
        if not word or self.is_secret(path):
            return None
        return (
            f"environment variable {quoted(name)} is a secret, as {quoted(word)} in its name says, and this value is none",
            "only a field such as `accounts.external_id` takes it; if it is no secret, rename the variable",
        )

    def _report(self, path: Path, node: Node, whole: str, message: str, hint: str = "") -> str:
        """Add a problem at the placeholder, or at the start of a value that has it in a later line."""
        column = self.source.lines[node.line].find(whole, node.column)
        at = column if column >= 0 else node.column
        self.source.problems.append(self.source.problem(node.line, at, path, message, hint))
        node.invalid = True
        return whole


def fill_for_display(text: str, names: Mapping[str, str]) -> str:
    """Replace the placeholders in *names* only, so that values from the environment stay `${env:NAME}`."""

    def one(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else names.get(found[1], found[0]) if found[2] else found[0]

    return _PLACEHOLDER.sub(one, text)


def number_or_boolean(node: Node, env: Mapping[str, str]) -> Any:
    """The number or boolean that a value of one `${env:NAME}` and nothing else stands for; else None."""
    if node.invalid or not isinstance(node.value, str) or not _ONE_ENV.fullmatch(node.value):
        return None
    value = resolve(env.get(node.value[6:-1], ""))
    return None if isinstance(value, str) else value
