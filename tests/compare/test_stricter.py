"""Tests of what is stricter: no entry of a list that others made stricter is lost, whatever the baseline asks for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provisioner.compare.stricter import Stricter, fewer, higher, lower, more, ranked, split

LISTS = st.lists(st.sampled_from("abcd"), unique=True).map(sorted)


def repaired(have: object, want: object, rule: Stricter) -> object:
    """What AWS has after the repairs. What is left then is stricter, and is told."""
    found = split({"x": have}, {"x": want}, {"x": rule})
    now = found.repairs[0].want if found.repairs else have
    again = split({"x": now}, {"x": want}, {"x": rule})
    assert again.repairs == ()
    assert again.stricter == found.stricter
    assert bool(found.stricter) is (now != want)
    return now


@given(have=LISTS, want=LISTS)
def test_a_list_of_what_is_covered_loses_nothing(have: list[str], want: list[str]) -> None:
    assert repaired(have, want, more) == sorted({*have, *want})


@given(have=LISTS, want=LISTS)
def test_a_list_of_exceptions_gets_no_other_one(have: list[str], want: list[str]) -> None:
    assert repaired(have, want, fewer) == sorted({*have} & {*want})


@given(have=st.none() | st.integers(0, 5), want=st.integers(0, 5))
def test_a_number_is_never_weakened(have: int | None, want: int) -> None:
    assert repaired(have, want, higher) == max(have or 0, want)
    assert repaired(have, want, lower) == (want if have is None else min(have, want))


WORDS = ("NONE", "NEW", "ALL")


@given(have=st.none() | st.sampled_from([*WORDS, "WHAT_AWS_ADDS"]), want=st.sampled_from(WORDS))
def test_a_word_is_never_weakened(have: str | None, want: str) -> None:
    known = [each for each in WORDS if each in {have, want}]
    assert repaired(have, want, ranked(*WORDS)) == known[-1]
