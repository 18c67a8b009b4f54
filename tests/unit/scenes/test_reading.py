"""A text becomes a project, or a list of what is wrong with it; nothing else ever."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderkiln.pipelines.scenes.document.mistakes import MOST, WrongProject
from renderkiln.pipelines.scenes.document.parsing import MAX_BYTES, MAX_VALUES
from renderkiln.pipelines.scenes.document.project import Project
from renderkiln.pipelines.scenes.document.reading import project_of, read_project
from renderkiln.pipelines.scenes.document.schema import project_schema
from renderkiln.pipelines.scenes.document.units import COLOR

FULL: dict[str, Any] = {
    "$schema": "project.schema.json",
    "version": 1,
    "title": "Spring",
    "resolution": "720p",
    "brand": {
        "fonts": {"Brand": "fonts/brand.ttf"},
        "colors": {"accent": "#f40", "deep": "accent"},
        "styles": {"loud": {"size": 120, "color": "deep", "font": "Brand"}},
        "logo": {"file": "logo.png"},
    },
    "music": "music.mp3",
    "transition": {"type": "dip", "color": "accent", "duration": 0.25},
    "scenes": [
        {
            "id": "intro",
            "duration": 4,
            "background": {"type": "gradient", "colors": ["accent", {"color": "#000", "at": 1}]},
            "layers": [
                {"type": "text", "text": "Hello", "style": "loud", "enter": "typewriter", "x": "10%"},
                {"type": "shape", "width": 10, "height": "5%", "shadow": {}, "exit": {"type": "fade"}},
                {"type": "progress"},
            ],
            "transition": "wipe",
        },
        {
            "background": {"type": "image", "file": "a.jpg", "ken_burns": "in"},
            "voice": "Good morning.",
            "layers": [{"type": "captions"}, {"type": "waveform", "of": "voice"}],
        },
        {"background": {"type": "video", "file": "a.mp4"}},
    ],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
JARGON = ("Input should", "valid", "pydantic", "http", "Tuple", "String", "Value error", "discriminator")


def lines(text: str | bytes) -> list[str]:
    with pytest.raises(WrongProject) as caught:
        read_project(text, "film.json")
    return caught.value.lines


def test_a_full_document_is_read_and_survives_json() -> None:
    project = read_project(json.dumps(FULL), "film.json")
    assert project.ids == ("intro", "scene-2", "scene-3")
    assert Project.model_validate(project.model_dump(mode="json")) == project
    assert project_of(project.model_dump(mode="json", exclude_unset=True), "film.json") == project


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_bytes_may_begin_with_a_mark(mark: bytes) -> None:
    assert read_project(mark + b'{"scenes": [{"duration": 1}]}', "film.json").scenes[0].duration == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "is empty"),
        (" \n ", "is empty"),
        (b"\xff\xfe{\x00}\x00", "is no text in UTF-8: byte 0 is 0xff"),
        ("[]", "must be an object in braces, not a list"),
        ("null", "must be an object in braces, not null"),
        ('{"scenes": [}', "line 1, column 13: a value is missing or misspelt; texts stand in double quotes"),
        (
            '{"scenes": [{"duration": 1,}]}',
            "line 1, column 28: a field in double quotes is missing, or a comma is too many before this",
        ),
        ('{\n  "title": "a"\n  "fps": 30}', "line 3, column 3: a comma is missing before this"),
        ('{"title" "a"}', "line 1, column 10: a colon is missing before this"),
        ('{"title": "a}', "line 1, column 11: this text has no closing quote"),
        (
            '{"title": "a\nb"}',
            "line 1, column 13: a text goes on in the next line or has a tab; write \\n or \\t",
        ),
        (
            '{"scenes": [{"duration": 1},]}',
            "line 1, column 29: a value is missing, or a comma is too many before this",
        ),
        ("{} {}", "line 1, column 4: the document has ended before this"),
        ('{"fps": ' + "9" * 5000 + "}", "a number has too many digits"),
        ('{"a": ' * 100_000, "objects and lists lie more than 32 deep in each other"),
        ('{"a":' * 40 + "1" + "}" * 40, "a.a.a.a: objects and lists lie more than 32 deep in each other"),
        (
            '{"scenes": [{"id": "x", "duration": 1, "duration": 2}]}',
            "scenes[0] (x).duration: is there twice: which one is meant?",
        ),
        (
            '{"title": "\\ud800"}',
            "title: has half of a surrogate pair (\\ud800 … \\udfff), which is no character",
        ),
        ('{"version": 2, "secnes": []}', "version: version 2 is not known: this Renderkiln reads version 1"),
        ('{"scenes": [{"duration": NaN}]}', "scenes[0].duration: must be a finite number, not NaN"),
        ('{"scenes": [{"duration": 1e999}]}', "scenes[0].duration: must be a finite number, not Infinity"),
        (b" " * (MAX_BYTES + 1), "is too long: a project has at most 10 MB"),
        (
            "[" + "1," * MAX_VALUES + "1]",
            "must be an object in braces, not a list",
        ),
        (
            '{"a": [' + "1," * MAX_VALUES + "1]}",
            "has more than 250,000 values: make several projects of it",
        ),
    ],
    ids=lambda each: str(each)[:30],
)
def test_what_is_no_document_is_named(text: str | bytes, says: str) -> None:
    assert lines(text) == [f"film.json: {says}"]


def test_a_field_that_is_there_twice_is_found_where_others_are_gone() -> None:
    # The objects of the first "a" are freed: a later one may have their address.
    text = '{"a": {"x": 1, "x": 2}, "a": {"x": 3}, "b": [{"y": 1}, {"y": 1}]}'
    assert lines(text) == ["film.json: a: is there twice: which one is meant?"]


def test_twenty_mistakes_are_told_and_the_others_counted() -> None:
    told = lines(json.dumps({"scenes": [{"duration": 1}], **{f"x{n}": 1 for n in range(1200)}}))
    assert len(told) == MOST + 1
    assert told[-1] == "film.json: and 1,180 more"


@given(JSON)
@settings(deadline=None)
def test_any_json_is_a_project_or_wrong(value: Any) -> None:
    for text in (json.dumps(value), json.dumps({"scenes": value}), json.dumps({"scenes": [value]})):
        check(text)


@given(st.data(), JSON)
@settings(deadline=None, max_examples=120)
def test_anything_anywhere_in_a_good_document_is_good_or_wrong(data: st.DataObject, value: Any) -> None:
    document = json.loads(json.dumps(FULL))
    at = document
    while isinstance(at, dict | list):
        key = data.draw(st.sampled_from(list(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
            at[key] = value
            if isinstance(at, dict) and data.draw(st.booleans()):
                at[data.draw(st.text(max_size=8))] = value
            break
        at = at[key]
    check(json.dumps(document))


@given(st.text() | st.binary())
@settings(deadline=None)
def test_any_text_is_a_project_or_wrong(text: str | bytes) -> None:
    check(text)


def check(text: str | bytes) -> None:
    try:
        project = read_project(text, "film.json")
    except WrongProject as error:
        found = error.mistakes
    else:
        assert isinstance(project, Project)
        return
    assert 1 <= len(found) <= MOST
    for each in found:
        assert each.message
        assert "\n" not in str(each)
        assert not any(word in each.message for word in JARGON if word not in str(text)), each


def test_every_field_is_described_in_the_schema() -> None:
    schema = project_schema()
    for name, each in {"Project": schema, **schema["$defs"]}.items():
        assert each["description"]
        assert each["additionalProperties"] is False
        for field, facts in each["properties"].items():
            assert facts.get("description"), f"{name}.{field}"


def test_every_field_that_is_a_colour_is_called_one() -> None:
    # By these names the references find them.
    found = {
        field
        for each in project_schema()["$defs"].values()
        for field, facts in each["properties"].items()
        if json.dumps(COLOR) in json.dumps(facts)
    }
    assert found == {"color", "colors", "track", "background"}  # a background may be one in short
