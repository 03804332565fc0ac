"""Tests of assumed credentials: renewed while other threads sign, and not assumed for reads of a visit that has ended."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioner.aws import Incomplete, Interrupted
from provisioner.aws.keyring import Keyring, Role

ACCOUNT, CALLER = "111122223333", "123456789012"


class Sts:
    """Answers AssumeRole with new credentials each time."""

    def __init__(self) -> None:
        self.calls = 0
        self.lock = threading.Lock()

    def __call__(self, params: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.calls += 1
            number = self.calls
        return {
            "Credentials": {
                "AccessKeyId": f"AKIA{number}",
                "SecretAccessKey": "s",
                "SessionToken": "t",
                "Expiration": datetime.now(UTC) + timedelta(hours=1),
            },
            "AssumedRoleUser": {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/provision"},
        }


@pytest.fixture
def keyring() -> Keyring:
    made = Keyring(lambda: None)
    made.role = Role(CALLER, "aws", "us-east-1", "r")
    return made


def test_credentials_expire_while_other_threads_are_about_to_sign(keyring: Keyring) -> None:
    sts, rounds, threads = Sts(), 200, 16
    wrong: list[object] = []
    start = threading.Barrier(threads)

    def sign() -> None:
        start.wait(20)
        try:
            for _ in range(rounds):
                credentials = keyring.ensure(ACCOUNT, sts)
                with keyring.signing(credentials):
                    if credentials is None or keyring.current() is not credentials:
                        wrong.append(credentials)
                if credentials is not None:
                    keyring.expire(ACCOUNT, credentials)  # as each thread does that AWS answers ExpiredToken
        except (RuntimeError, KeyError) as error:
            wrong.append(error)

    running = [threading.Thread(target=sign) for _ in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    assert wrong == []
    assert sts.calls <= rounds * threads


def test_credentials_that_many_threads_find_expired_are_renewed_once(keyring: Keyring) -> None:
    sts = Sts()
    used = [keyring.ensure(ACCOUNT, sts) for _ in range(8)]
    for each in used:
        assert each is not None
        keyring.expire(ACCOUNT, each)
        keyring.ensure(ACCOUNT, sts)
    assert sts.calls == 2


def test_a_read_of_a_visit_that_has_ended_does_not_assume_the_role_again(keyring: Keyring) -> None:
    sts = Sts()
    visit = keyring.visit(ACCOUNT)
    keyring.ensure(ACCOUNT, sts, visit)
    keyring.leave(ACCOUNT)
    with pytest.raises(Interrupted):
        keyring.ensure(ACCOUNT, sts, visit)
    assert sts.calls == 1
    keyring.ensure(ACCOUNT, sts, keyring.visit(ACCOUNT))
    assert sts.calls == 2


@pytest.mark.parametrize(
    "answer",
    [{}, {"Credentials": {}}, {"Credentials": None}, {**Sts()({}), "AssumedRoleUser": {"Arn": "garbage"}}],
)
def test_half_an_answer_is_incomplete(keyring: Keyring, answer: dict[str, Any]) -> None:
    with pytest.raises(Incomplete):
        keyring.ensure(ACCOUNT, lambda params: answer)
