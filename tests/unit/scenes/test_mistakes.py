"""What is wrong in a document is told as its author would find it: where, and in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from renderkiln.pipelines.scenes.document.mistakes import WrongProject, path_of, quoted
from renderkiln.pipelines.scenes.document.reading import project_of

FIELDS = "version, title, resolution, aspect, fps, brand, voice, music, loudness, transition, scenes"


def wrong(**fields: Any) -> list[str]:
    """The mistakes of a project with these fields."""
    with pytest.raises(WrongProject) as caught:
        project_of({"scenes": [{"duration": 5}], **fields}, "x")
    assert caught.value.lines == [f"x: {each}" for each in caught.value.mistakes]
    return [str(each) for each in caught.value.mistakes]


def scene(**fields: Any) -> list[str]:
    """Those of a scene, without their common beginning."""
    return [each.removeprefix("scenes[0].") for each in wrong(scenes=[{"duration": 5, **fields}])]


def layer(**fields: Any) -> list[str]:
    return [each.removeprefix("layers[0].") for each in scene(layers=[fields])]


def text(**fields: Any) -> list[str]:
    return layer(type="text", **{"text": "Hi", **fields})


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (wrong(scenes=[]), "scenes: must not be empty"),
        (wrong(scenes={}), "scenes: must be a list, not an object"),
        (wrong(scenes=[{"duration": 1}] * 1001), "scenes: has 1,001 of them: 1,000 are the most"),
        (wrong(titel="x"), "titel: unknown field; did you mean title?"),
        (wrong(hello="x"), f"hello: unknown field; known are {FIELDS}"),
        (wrong(**{"a b": 1}), f'["a b"]: unknown field; known are {FIELDS}'),
        (wrong(title=5), "title: must be a text, not 5"),
        (wrong(title="x" * 501), "title: has 501 characters: 500 are the most"),
        (wrong(version="1"), 'version: must be 1, not "1"'),
        (wrong(version=7), "version: version 7 is not known: this Renderkiln reads version 1"),
        (wrong(fps=29), "fps: must be 24, 25, 30, 50 or 60, not 29"),
        (wrong(resolution="1080"), 'resolution: "1080" is unknown; did you mean 1080p?'),
        (wrong(resolution="8k"), 'resolution: "8k" is unknown; known are 1080p, 720p, 480p'),
        (wrong(resolution=None), "resolution: must be 1080p, 720p or 480p, not null"),
        (wrong(voice="nova"), 'voice: "nova" is no voice: write provider:voice, like espeak:en'),
        (wrong(music={}), "music.file: is missing"),
        (wrong(music=3), "music: must be a path or an object, not 3"),
        (wrong(music=""), "music: must not be empty"),
        (wrong(loudness={"target_lufs": 0}), "loudness.target_lufs: must be at most -5, not 0"),
        (
            wrong(transition="fade"),
            'transition: "fade" is unknown; did you mean crossfade?',
        ),
        (
            wrong(transition={"type": "wipe", "duration": 31}),
            "transition.duration: must be at most 30, not 31",
        ),
        (
            wrong(brand={"colors": {"Red": "#f00"}}),
            'brand.colors.Red: "Red" is no name for a colour: small letters, digits, - and _, a letter '
            "first, 41 at most",
        ),
        (
            wrong(brand={"colors": {"red": "#ff"}}),
            'brand.colors.red: "#ff" is no colour: write "#rrggbb", "#rgb", "#rrggbbaa" or a name of '
            "brand.colors",
        ),
        (
            wrong(brand={"styles": {"my style": {"siez": 1}}}),
            'brand.styles["my style"].siez: unknown field; did you mean size?',
        ),
        (
            wrong(brand={"styles": {"size": {"wieght": 1}}}),
            "brand.styles.size.wieght: unknown field; did you mean weight?",
        ),
        (
            wrong(scenes=[{"id": "a", "duration": 1}, {"id": "outro", "duration": 0}]),
            "scenes[1] (outro).duration: must be greater than 0, not 0",
        ),
        (
            wrong(scenes=[{"id": "no spaces", "duration": 1}]),
            'scenes[0].id: "no spaces" is no id of a scene: letters, digits, . - and _, a letter or digit '
            "first, 100 at most",
        ),
        (wrong(scenes=[5]), "scenes[0]: must be an object, not 5"),
        (wrong(version=True), "version: version true is not known: this Renderkiln reads version 1"),
        (wrong(**{"$schema": 5}), "$schema: must be a text, not 5"),
        (
            wrong(title="a\u0007"),
            'title: "a\\u0007" has a character in it that no title has: NUL, a bell or another control '
            "character",
        ),
        (
            wrong(brand={"logo": {"file": "a.png", "height": 0}}),
            "brand.logo: height must be greater than 0, not 0.0",
        ),
        (scene(voice="[pause 5s]"), "voice: has nothing to speak: no letter or number in it"),
        (
            scene(voice="a [pause 3x]"),
            "voice: line 1: [pause 3x] is no time: write [pause 3s], [pause 500ms] or [pause 2 min]",
        ),
        (
            scene(voice={"speech": "  ", "rest": 1}),
            "voice.speech: has nothing to speak: no letter or number in it",
        ),
        (scene(duration=-2), "duration: must be greater than 0, not -2"),
        (scene(duration=True), "duration: must be a number, not true"),
        (scene(duration="5"), 'duration: must be a number, not "5"'),
        (scene(duration=10**400), f"duration: must be a finite number, not 1{'0' * 58}…"),
        (scene(logo="yes"), 'logo: must be true or false, not "yes"'),
        (
            scene(background="#12"),
            'background: "#12" is no colour: write "#rrggbb", "#rgb", "#rrggbbaa" or a name of brand.colors',
        ),
        (scene(background={"type": "colour"}), 'background.type: "colour" is unknown; did you mean color?'),
        (scene(background={}), "background.type: is missing: it says what this is"),
        (scene(background=5), "background: must be an object, not 5"),
        (
            scene(background={"type": "color", "colour": "#fff", "color": "#fff"}),
            "background.colour: unknown field; did you mean color?",
        ),
        (
            scene(background={"type": "gradient", "colors": ["#fff"]}),
            "background.colors: has 1: 2 are the least",
        ),
        (
            scene(background={"type": "gradient", "colors": ["#fff", {"color": "#000"}]}),
            "background.colors[1].at: is missing",
        ),
        (
            scene(background={"type": "gradient", "colors": ["#fff", 7]}),
            "background.colors[1]: must be a colour or an object, not 7",
        ),
        (
            scene(background={"type": "image", "file": "a.png", "ken_burns": "lft"}),
            'background.ken_burns: "lft" is unknown; did you mean left?',
        ),
        (
            scene(voice={"speech": "a", "file": "b"}),
            "voice: a voice is either speech, a text to be spoken, or file, a recording",
        ),
        (
            scene(voice={"speech": "a", "language": "english!"}),
            'voice.language: "english!" is no language: write a code like en or pt-BR',
        ),
        (scene(layers="x"), 'layers: must be a list, not "x"'),
        (layer(type="vidoe"), 'type: "vidoe" is unknown; did you mean video?'),
        (layer(), "type: is missing: it says what this is"),
        (
            layer(type=5),
            "type: must be text, image, video, shape, progress, waveform or captions, not 5",
        ),
        (layer(type="text", txet="Hi", text="Hi"), "txet: unknown field; did you mean text?"),
        (layer(type="text"), "text: is missing"),
        (
            layer(type="image", file="a", image=1),
            "image: unknown field; known are start, end, anchor, x, y, "
            "full_bleed, opacity, rotation, enter, exit, type, file, width, height, fit, radius, shadow, "
            "stroke, ken_burns",
        ),
        (text(text="x" * 10_001), "text: has 10,001 characters: 10,000 are the most"),
        (text(text=""), "text: must not be empty"),
        (text(x="12"), 'x: "12" is no length: write pixels like 200, or a share like "50%"'),
        (text(x=30_000), "x: must be at most 20,000, not 30000"),
        (text(x=float("nan")), "x: must be a finite number, not NaN"),
        (text(width=[]), "width: must be a number, not a list"),
        (text(weight=400.5), "weight: must be a whole number, not 400.5"),
        (text(shadow={"blur": -1}), "shadow.blur: must be at least 0, not -1"),
        (text(box=True), "box: must be an object, not true"),
        (text(enter="fad"), 'enter: "fad" is unknown; did you mean fade?'),
        (text(enter={"type": "fad"}), 'enter.type: "fad" is unknown; did you mean fade?'),
        (
            text(enter={"type": "fade", "fade": 1}),
            "enter.fade: unknown field; known are type, duration, direction, distance, scale, easing",
        ),
        (text(enter=5), "enter: must be a word or an object, not 5"),
        (
            text(enter={"type": "fade", "easing": "out_cubic"}),
            'enter.easing: "out_cubic" is unknown; did you mean out-cubic?',
        ),
    ],
    ids=lambda each: each[:40] if isinstance(each, str) else "",
)
def test_one_mistake_is_one_line(found: list[str], says: str) -> None:
    assert found == [says]


def test_a_value_that_is_wrong_together_with_others_is_told_at_the_layer() -> None:
    assert scene(layers=[{"type": "text", "text": "a", "start": 3, "end": 2}]) == [
        "layers[0]: end 2 is not after start 3"
    ]


def test_all_mistakes_are_told_at_once() -> None:
    found = wrong(fps=1, scenes=[{"duration": 1, "layers": [{"type": "text"}, {"type": "imge"}]}, {"dur": 1}])
    assert found == [
        "fps: must be 24, 25, 30, 50 or 60, not 1",
        "scenes[0].layers[0].text: is missing",
        'scenes[0].layers[1].type: "imge" is unknown; did you mean image?',
        "scenes[1].dur: unknown field; known are id, duration, background, layers, voice, transition, logo",
    ]


def test_hostile_values_are_cut_short_and_stay_on_a_line() -> None:
    assert quoted("a\nb\x1b") == '"a\\nb\\u001b"'
    assert len(quoted("x" * 10**6)) == 60
    assert path_of(("brand", "colors", "a\n"), {"brand": {"colors": {"a\n": 1}}}) == 'brand.colors["a\\n"]'
