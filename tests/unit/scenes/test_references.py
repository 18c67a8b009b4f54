"""What parts of a project say of each other must be so."""

from __future__ import annotations

from typing import Any

import pytest

from renderkiln.domain.errors import UsageError
from renderkiln.pipelines.scenes.document.mistakes import WrongProject
from renderkiln.pipelines.scenes.document.project import Brand, Project
from renderkiln.pipelines.scenes.document.reading import project_of
from renderkiln.pipelines.scenes.document.references import (
    check_references,
    check_scenes,
    color_of,
    style_of,
)
from renderkiln.pipelines.scenes.document.style import STYLES, Box, TextStyle
from renderkiln.pipelines.scenes.document.times import least_seconds

SHAPE: dict[str, Any] = {"type": "shape", "width": 9, "height": 9}
SPOKEN: dict[str, Any] = {"voice": "Good morning."}


def wrong(**fields: Any) -> list[str]:
    """The mistakes of a project with these fields."""
    try:
        project_of({"scenes": [{"duration": 5}], **fields}, "x")
    except WrongProject as error:
        return [str(each) for each in error.mistakes]
    return []


def scenes(*several: dict[str, Any], **fields: Any) -> list[str]:
    return wrong(scenes=list(several), **fields)


def layer(scene: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    given = {"duration": 5, **(scene or {}), "layers": [fields]}
    return [each.removeprefix("scenes[0].layers[0]") for each in wrong(scenes=[given])]


def text(**fields: Any) -> list[str]:
    return layer(type="text", text="Hi", **fields)


def lasting(*seconds: float | None, transition: Any = "cut", **changes: Any) -> list[str]:
    """Scenes that take so long; `changes` are transitions of theirs, as t0, t1 …"""
    given = [{"duration": each} if each else SPOKEN for each in seconds]
    with_changes = [
        {**each, **({"transition": changes[f"t{n}"]} if f"t{n}" in changes else {})}
        for n, each in enumerate(given)
    ]
    return wrong(scenes=with_changes, transition=transition)


def fade(seconds: float) -> dict[str, Any]:
    return {"type": "crossfade", "duration": seconds}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (text(color="rde"), '.color: there is no colour "rde"; known are white, black, transparent'),
        (text(shadow={"color": "blakc"}), '.shadow.color: there is no colour "blakc"; did you mean black?'),
        (
            wrong(scenes=[{"duration": 1, "background": "wihte"}]),
            'scenes[0].background: there is no colour "wihte"; did you mean white?',
        ),
        (
            wrong(
                brand={"colors": {"accent": "#f00"}},
                scenes=[{"duration": 1, "background": {"type": "gradient", "colors": ["#fff", "acent"]}}],
            ),
            'scenes[0].background.colors[1]: there is no colour "acent"; did you mean accent?',
        ),
        (
            wrong(brand={"colors": {"a": "b"}}),
            'brand.colors.a: there is no colour "b"; known are a, white, black, transparent',
        ),
        (
            wrong(brand={"colors": {"white": "white"}}),
            "brand.colors.white: the colour leads back to itself: white → white",
        ),
        (layer(type="progress", track="wite"), '.track: there is no colour "wite"; did you mean white?'),
        (text(style="titel"), '.style: there is no style "titel"; did you mean title?'),
        (text(style="x"), '.style: there is no style "x"; known are title, subtitle, body, caption'),
        (text(font="Inter"), '.font: there is no font "Inter"; the brand names none'),
        (
            wrong(brand={"fonts": {"Brand": "b.ttf"}, "font": "Brnad"}),
            'brand.font: there is no font "Brnad"; did you mean Brand?',
        ),
        (
            wrong(brand={"styles": {"loud": {"font": "X"}}}),
            'brand.styles.loud.font: there is no font "X"; the brand names none',
        ),
        (
            scenes({"id": "a", "duration": 1}, {"id": "b", "duration": 1}, {"id": "a", "duration": 1}),
            'scenes[2] (a).id: "a" is the id of scenes[0] as well',
        ),
        (
            scenes({"id": "scene-2", "duration": 1}, {"duration": 1}),
            'scenes[0] (scene-2).id: "scene-2" is the id of scenes[1] as well',
        ),
        (
            scenes({}),
            "scenes[0].duration: is missing: there is no voice and no clip behind it that the scene could "
            "last",
        ),
        (
            scenes({"duration": 2, "voice": {"speech": "a", "start": 2}}),
            "scenes[0].voice.start: begins at 2 s, but the scene ends at 2 s",
        ),
        (text(start=5), ".start: begins at 5 s, but the scene ends at 5 s"),
        (text(start=1, end=5.5), ".end: ends at 5.5 s, but the scene ends at 5 s"),
        (
            text(start=4.5, enter="fade"),
            ": is seen for 0.5 s, but its motions take longer: enter 0.6 s",
        ),
        (
            text(end=1, enter="fade", exit="slide"),
            ": is seen for 1 s, but its motions take longer: enter 0.6 s and exit 0.6 s",
        ),
        (layer(**SHAPE, enter="typewriter"), ".enter: a typewriter is for texts: choose another word"),
        (
            layer(type="captions"),
            ".file: is missing: nothing is spoken in this scene that could be shown",
        ),
        (
            layer({"voice": {"file": "v.wav"}}, type="captions"),
            ".file: is missing: what a recording says is not known; name an SRT or WebVTT file",
        ),
        (
            layer(type="waveform", of="voice"),
            '.of: must be "mix" or "music": nobody speaks in this scene',
        ),
        (
            layer(type="waveform", of="music"),
            '.of: must be "mix" or "voice": the project has no music',
        ),
        (lasting(5, 1, t0=fade(2)), "scenes[0].transition: takes 2 s, but scenes[1] lasts 1 s"),
        (lasting(1, 5, transition=fade(2)), "transition: takes 2 s, but scenes[0] lasts 1 s"),
        (
            lasting(5, 3, 5, t0=fade(2), t1=fade(1.5)),
            "scenes[1].duration: is 3 s, but the transitions take 2 s into it and 1.5 s out of it",
        ),
    ],
    ids=lambda each: each[:40] if isinstance(each, str) else "",
)
def test_what_does_not_go_together_is_told(found: list[str], says: str) -> None:
    assert found == [says]


@pytest.mark.parametrize(
    "found",
    [
        text(color="white", shadow={"color": "transparent"}),
        wrong(brand={"colors": {"a": "b", "b": "#fff"}}, scenes=[{"duration": 1, "background": "a"}]),
        wrong(brand={"fonts": {"Brand": "b.ttf"}, "styles": {"x": {"font": "Brand"}}}),
        text(start=0.1, end=0.3, enter={"type": "fade", "duration": 0.2}),  # 0.3 - 0.1 is a little less
        text(enter="typewriter", end=5),
        layer(SPOKEN, type="captions"),
        layer(type="captions", file="c.srt"),
        layer({"duration": None, **SPOKEN}, type="text", text="Hi", start=100, exit="fade"),
        scenes(SPOKEN, {"background": {"type": "video", "file": "a.mp4"}}),
        lasting(5, 3, 5, t0=fade(2), t1=fade(1)),
        lasting(1, None, 1, transition=fade(1)),
        lasting(5, 1, t0="cut"),
        lasting(5, 1, t1=fade(2)),  # there is nothing after the last
    ],
)
def test_what_goes_together_is_right(found: list[str]) -> None:
    assert found == []


def test_a_circle_is_told_where_it_is_and_not_wherever_it_is_used() -> None:
    found = wrong(
        brand={"colors": {"a": "b", "b": "a"}},
        scenes=[{"duration": 1, "background": "a", "layers": [{**SHAPE, "color": "b"}]}],
    )
    assert found == [
        "brand.colors.a: the colour leads back to itself: b → a → b",
        "brand.colors.b: the colour leads back to itself: a → b → a",
    ]


def test_a_project_without_its_json_has_full_paths() -> None:
    project = Project.model_validate({"scenes": [{"id": "x", "duration": 1, "background": "nil"}]})
    (mistake,) = check_references(project)
    assert mistake.path == "scenes[0] (x).background.color"


def test_scenes_that_nobody_has_are_told_with_the_nearest() -> None:
    project = Project.model_validate({"scenes": [{"id": "intro", "duration": 1}, {"duration": 1}]})
    assert check_scenes(project, ["scene-2", "intro"]) == []
    assert [str(each) for each in check_scenes(project, ["intor", "x", "x"])] == [
        'there is no scene "intor"; did you mean intro?',
        'there is no scene "x"; known are intro, scene-2',
    ]


@pytest.mark.parametrize(
    ("color", "is_"),
    [
        ("#f80", (255, 136, 0, 255)),
        ("#12345678", (0x12, 0x34, 0x56, 0x78)),
        ("black", (0, 0, 0, 255)),
        ("white", (250, 250, 250, 255)),
        ("deep", (1, 2, 3, 255)),
    ],
)
def test_a_colour_is_found_by_its_name(color: str, is_: tuple[int, int, int, int]) -> None:
    brand = Brand(colors={"white": "#fafafa", "deep": "deeper", "deeper": "#010203"})
    assert color_of(color, brand) == is_


def test_colours_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match='there is no colour "x"'):
        color_of("x", Brand())
    with pytest.raises(UsageError, match="a → b → a"):
        color_of("a", Brand(colors={"a": "b", "b": "a"}))


def test_a_style_is_its_own_words_over_the_brand_s_over_the_built_in() -> None:
    brand = Brand(styles={"title": TextStyle(weight=900, box=Box()), "loud": TextStyle(size=200)})
    title = style_of("title", TextStyle(color="#f00"), brand)
    assert (title.size, title.weight, title.color, title.align) == (110, 900, "#f00", None)
    assert title.box == Box()
    assert title.line_height == STYLES["title"].line_height
    loud = style_of("loud", TextStyle(), brand)
    assert (loud.size, loud.weight, loud.color) == (200, 400, "white")


@pytest.mark.parametrize(
    ("document", "is_"),
    [
        ([{"duration": 2}, {"duration": 3}], (5, True)),
        ([{"duration": 2, "transition": fade(0.5)}, {"duration": 3, "transition": fade(1)}], (4.5, True)),
        ([{"duration": 2}, SPOKEN], (2.8, False)),
        (
            [{"duration": 5, "transition": fade(2)}, {**SPOKEN, "transition": fade(1)}, {"duration": 5}],
            (10, False),
        ),
    ],
)
def test_a_film_lasts_at_least_what_the_document_says(document: Any, is_: tuple[float, bool]) -> None:
    assert least_seconds(Project.model_validate({"scenes": document})) == pytest.approx(is_)
