"""Tests of the identifiers of managed rules: each misspelling is seen, and a new rule is taken."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provisioner.services.config import managed_rules
from provisioner.services.config.managed_rules import identifiers, intended, intended_parameter, similar
from provisioner.services.config.organization_section import OrganizationRule
from provisioner.services.config.rule_section import Rule

KNOWN = sorted(identifiers())
WORD = 6  # letters, of a word in which one wrong letter is no other word


def test_the_list_has_the_form_of_identifiers() -> None:
    assert len(KNOWN) > 800
    assert [each for each in KNOWN if not each.replace("_", "").isalnum() or each != each.upper()] == []
    assert {intended(each) for each in KNOWN} == {""}


@given(st.sampled_from(KNOWN), st.data())
def test_a_misspelt_word_is_seen(identifier: str, data: st.DataObject) -> None:
    words = identifier.split("_")
    places = [i for i, word in enumerate(words) if len(word) >= WORD and word.isalpha()]
    assume(places)
    place = data.draw(st.sampled_from(places))
    word = words[place]
    at = data.draw(st.integers(1, len(word) - 2))
    kind = data.draw(st.sampled_from(["dropped", "doubled", "swapped"]))
    wrong = {
        "dropped": word[:at] + word[at + 1 :],
        "doubled": word[: at + 1] + word[at:],
        "swapped": word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    }[kind]
    misspelt = "_".join([*words[:place], wrong, *words[place + 1 :]])
    assume(misspelt not in identifiers())
    assert intended(misspelt) in identifiers()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ENCRYPTED_VOLUME", "ENCRYPTED_VOLUMES"),
        ("encrypted-volumes", "ENCRYPTED_VOLUMES"),
        ("ENCRYPTEDVOLUMES", "ENCRYPTED_VOLUMES"),
        ("CLOUDTRAIL_ENABLED", "CLOUD_TRAIL_ENABLED"),
        ("ENABLED_CLOUD_TRAIL", "CLOUD_TRAIL_ENABLED"),
        ("IAM_PASSWORD_POLICIES", "IAM_PASSWORD_POLICY"),
        ("VPC_FLOW_LOG_ENABLED", "VPC_FLOW_LOGS_ENABLED"),
    ],
)
def test_other_spellings(written: str, meant: str) -> None:
    assert intended(written) == meant


@pytest.mark.parametrize("identifier", [each for each in KNOWN if managed_rules._parameters()[each]])
def test_each_parameter_is_taken_and_seen_when_its_case_or_a_letter_is_wrong(identifier: str) -> None:
    known = managed_rules._parameters()[identifier]
    for name in known:
        assert intended_parameter(identifier, name) == ""
        assert intended_parameter(identifier, name.swapcase()) == name
        if len(name) > WORD:
            assert intended_parameter(identifier, name[:3] + name[4:]) in known
        assert intended_parameter(identifier, "noSuchThing") == ""


@pytest.mark.parametrize("section", [Rule, OrganizationRule])
def test_a_misspelt_parameter_is_an_error_of_the_file(section: type[Rule | OrganizationRule]) -> None:
    rule = {"source_identifier": "ACCESS_KEYS_ROTATED", "input_parameters": {"max_access_key_age": "90"}}
    with pytest.raises(ValueError, match="no parameter 'max_access_key_age': did you mean 'maxAccessKeyAge'"):
        section.model_validate(rule)


def test_a_rule_that_is_new_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule in turn is taken out of the list: fewer than one in a hundred looks like another one, misspelt."""
    refused = []
    for each in KNOWN[::4]:
        rest = identifiers() - {each}
        words = frozenset(word for one in rest for word in one.split("_"))
        with monkeypatch.context() as patch:
            patch.setattr(managed_rules, "identifiers", lambda rest=rest: rest)
            patch.setattr(managed_rules, "_vocabulary", lambda words=words: words)
            if intended(each):
                refused.append(each)
    assert len(refused) * 100 < len(KNOWN[::4]), refused


def test_the_most_similar_one() -> None:
    assert similar("S3_PUBLIC_READ_PROHIBITED") == "S3_BUCKET_PUBLIC_READ_PROHIBITED"
    assert (similar("ZZZ"), similar("ENCRYPTED_VOLUMES")) == ("", "")
