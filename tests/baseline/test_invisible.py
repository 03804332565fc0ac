"""Tests of characters that nobody sees in a file, of a byte order mark, and of a lone `---` at its end."""

from __future__ import annotations

import unicodedata

import pytest

from provisioner.baseline import parse

from .sample import HEAD, SECTIONS, Trail, messages, read

NBSP = "\u00a0"
# Unicode's format characters and those of no width; not what ends a line, and not what YAML refuses as a control.
INVISIBLE = [
    chr(code)
    for code in (*range(0x80, 0x11000), *range(0xE0000, 0xE0080))
    if unicodedata.category(chr(code)) == "Cf"
    and chr(code).isprintable() is False
    # Signs of Arabic and Syriac that are drawn around the number after them.
    and not 0x600 <= code <= 0x605
    and code not in {0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
]
SPACES = [chr(code) for code in range(0x80, 0x11000) if unicodedata.category(chr(code)) == "Zs"]
TRAIL = "trail: {name: a, bucket: b}\nbuckets: {b: {name: b}}\n"


@pytest.mark.parametrize(
    "character",
    [*INVISIBLE, "\u034f", "\u115f", "\u2800", "\u3164", "\ufe00", "\ufe0f", "\U000e0100"],
    ids=lambda c: f"U+{ord(c):04X}",
)
def test_invisible_characters_are_named_where_they_are(character: str) -> None:
    code, name = ord(character), unicodedata.name(character, "invisible character").lower()
    escape = f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
    words = f"{name} (U+{code:04X}), which nobody sees: delete it, or write {escape} in double quotes"
    for text, place in (
        (f"trail: {{name: a{character}b, bucket: b}}", "3:16"),
        (f"trail: {{name: 'a{character}', bucket: b}}", "3:17"),
        (f"trail:\n  name: |\n    a\n    {character}b\n  bucket: b", "6:5"),
        (f"trail:\n  na{character}me: a", "4:5"),
        (f"trail:\n{character}  name: a", "4:1"),
        (f"trail:\n  name: 'a'{character}\n", "4:12"),
        (f"{character}trail: {{}}", "3:1"),
        (f"trail{character}: {{}}", "3:6"),
    ):
        assert messages(text) == [f"{place}: {words}"], text
    if character != "\ufeff":
        written = read(TRAIL.replace("name: a", f'name: "{escape}"'))
        assert written[Trail].name == character


@pytest.mark.parametrize("space", SPACES, ids=lambda c: f"U+{ord(c):04X}")
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("trail:\n__name: a", "4:1"),
        ("trail:\n  name: a\n_ bucket: b", "5:1"),
        ("trail:\n  name: a\n  _bucket: b", "5:3"),
        ("trail:\n  name:_a\n", "4:8"),
        ("trail:\n  name: a_\n", "4:10"),
        ("trail:\n  name: a_# why\n", "4:10"),
        ("trail:\n  name_: a\n", "4:7"),
        ("trail: {name: a,_bucket: b}", "3:17"),
        ("regions:\n  -_eu-west-1\n", "4:4"),
        ("regions:\n  - eu-west-1\n_ - eu-west-2\n", "5:1"),
        ("_\ntrail: {}", "3:1"),
    ],
)
def test_other_spaces_where_yaml_wants_one(space: str, text: str, place: str) -> None:
    name = unicodedata.name(space).lower()
    assert messages(text.replace("_", space)) == [
        f"{place}: {name} (U+{ord(space):04X}), which YAML does not take as a space: write a plain space"
    ]


def test_what_is_text_stays() -> None:
    text = TRAIL.replace("name: a", f"name: 'Größe{NBSP}: 5{NBSP}€ ⚠\ufe0f'")
    assert read(f"# a family: 👨\u200d👩\u200d👧, and{NBSP}more\u200b\n{text}")[Trail].name.startswith(
        "Größe\u00a0: 5"
    )


@pytest.mark.parametrize("mark", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_what_turns_a_line_around_is_refused_in_comments_too(mark: str) -> None:
    name = unicodedata.name(mark).lower()
    (found,) = messages(f"# a {mark}b\n{TRAIL}")
    assert found.startswith(f"3:5: {name} (U+{ord(mark):04X}), which nobody sees: delete it")


@pytest.mark.parametrize(
    ("mark", "name"), [("\x85", "next line"), ("\u2028", "line sep"), ("\u2029", "paragraph sep")]
)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("password: {} # why_  require_symbols: false\n", "3:19"),
        ("# a_trail: {}\n", "3:4"),
        ("trail:\n  name: 'a_b'\n", "4:11"),
        ("trail:_  name: a\n", "3:7"),
    ],
)
def test_a_line_break_that_no_editor_shows_is_refused(mark: str, name: str, text: str, place: str) -> None:
    """To YAML 1.1 it ends the line, and so the comment: what nobody reads as a setting would be one."""
    (found,) = messages(text.replace("_", mark, 1))
    assert found.startswith(f"{place}: {name}")
    assert f"(U+{ord(mark):04X}), which ends a line and nobody sees" in found


def test_a_byte_order_mark_at_the_start_is_taken() -> None:
    baseline = parse("\ufeff" + HEAD + TRAIL, "b", SECTIONS, {})
    assert baseline.place(("home_region",)) == "b:2:14"
    assert parse("\ufeff# c\r\n" + HEAD + TRAIL, "b", SECTIONS, {}).sections == ("trail", "buckets")


@pytest.mark.parametrize("end", ["---", "---\n", "--- # end\n", "---\n# end\n---\n", "...\n", "...\n---\n"])
def test_a_lone_document_mark_at_the_end_is_taken(end: str) -> None:
    assert read(TRAIL + end).sections == ("trail", "buckets")


@pytest.mark.parametrize("more", ["a: b", "[]", "''", "&x", "!!str", "~"])
def test_a_second_document_is_refused(more: str) -> None:
    assert messages(f"{TRAIL}---\n{more}\n") == [
        "5:1: a second document starts here; one file holds one baseline"
    ]


@pytest.mark.parametrize("text", ["\u2764\ufe0f", "1\ufe0f\u20e3", "\u845b\U000e0100"])
def test_a_variation_selector_that_is_seen_is_text(text: str) -> None:
    assert not any("nobody sees" in each for each in messages(f"trail: {{name: a{text}, bucket: b}}"))
