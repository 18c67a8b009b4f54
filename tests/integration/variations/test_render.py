"""Stages called as the engine calls them, where only they can be made to meet what is rare."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

import clips
from renderkiln.domain.errors import Permanent
from renderkiln.media.errors import Unsuitable
from renderkiln.media.ffmpeg.binary import build, find
from renderkiln.media.video.difference import distances
from renderkiln.pipelines.contract import Result
from renderkiln.pipelines.variations.compare import compare
from renderkiln.pipelines.variations.draw import draw
from renderkiln.pipelines.variations.effect_set import EffectSet
from renderkiln.pipelines.variations.encoder import encoding_of
from renderkiln.pipelines.variations.look import look
from renderkiln.pipelines.variations.params import VariationsParams
from renderkiln.pipelines.variations.render import render
from renderkiln.testing import FakeContext

pytestmark = pytest.mark.integration

ZOOM, PALE, DARK = (
    EffectSet({"zoom": 3}),
    EffectSet({"contrast": -15, "saturation": -30}),
    EffectSet({"exposure": -0.4}),
)
ZOOM_LOUD = EffectSet({"zoom": 3, "volume": 2})  # looks like ZOOM


def looked(folder: Path, clip: Path, params: VariationsParams) -> tuple[FakeContext, dict[str, Result]]:
    ctx = FakeContext(folder, params, inputs=[clip])
    return ctx, {"look": look(ctx)}


def rendered(
    folder: Path, params: VariationsParams, sets: list[EffectSet], spares: list[EffectSet]
) -> tuple[FakeContext, Mapping[str, Result]]:
    """What `render` makes of these sets, as if they had been drawn."""
    clip = clips.plain(folder)
    _, results = looked(folder, clip, params)
    drawn = {"sets": [each.to_json() for each in sets], "spares": [each.to_json() for each in spares]}
    results["draw"] = Result(drawn)
    ctx = FakeContext(folder, params, inputs=[clip], results=results)
    results["render"] = render(ctx)
    return ctx, results


def test_a_twin_is_drawn_anew(tmp_path: Path) -> None:
    params = VariationsParams(count=3, quality="draft")
    _, results = rendered(tmp_path, params, [ZOOM, ZOOM_LOUD, PALE], [DARK])
    assert results["render"].values["sets"] == [each.to_json() for each in (ZOOM, DARK, PALE)]
    assert f"video-{DARK.id}" in results["render"].files
    assert f"video-{ZOOM_LOUD.id}" not in results["render"].files


def test_twins_without_a_spare_are_no_result(tmp_path: Path) -> None:
    params = VariationsParams(count=2, quality="draft")
    with pytest.raises(Permanent, match="Variation 2 looks too much like"):
        rendered(tmp_path, params, [ZOOM, ZOOM_LOUD], [])


def test_nobody_asks_where_nobody_wants_to_know(tmp_path: Path) -> None:
    params = VariationsParams(count=2, quality="draft", min_difference=0)
    _, results = rendered(tmp_path, params, [ZOOM, ZOOM_LOUD], [])
    assert len(results["render"].values["sets"]) == 2


def test_a_hardware_encoder_that_fails_is_replaced_by_software(tmp_path: Path) -> None:
    binary = find()
    known = {"name": "h264_nvenc", "codec": "h264", "hardware": "NVIDIA", "works": True, "why_not": ""}
    (tmp_path / "cache").mkdir()
    stored = tmp_path / "cache" / f"encoders-{build(binary)}.json"
    stored.write_text(json.dumps({"h264_nvenc": known}))  # it worked yesterday
    params = VariationsParams(count=1, quality="draft", encoder="auto")
    ctx, results = rendered(tmp_path, params, [ZOOM], [])
    assert encoding_of(params, ctx.services).encoder == "h264_nvenc"
    assert "h264_nvenc failed" in ctx.warnings["hardware"]
    assert results["render"].files[f"video-{ZOOM.id}"].stat().st_size > 1000


def test_drawn_sets_do_not_depend_on_cores_and_go_on_where_the_others_ended(tmp_path: Path) -> None:
    clip = clips.plain(tmp_path)
    drawn = {}
    for cores, count, skip in ((1, 6, 0), (5, 3, 0), (2, 3, 3)):
        params = VariationsParams(count=count, skip=skip)
        ctx, results = looked(tmp_path, clip, params)
        services = ctx.services.__class__(**{**vars(ctx.services), "cores": cores})
        ctx = FakeContext(tmp_path, params, inputs=[clip], results=results, services=services)
        drawn[cores] = draw(ctx).values
    assert drawn[1]["sets"] == [*drawn[5]["sets"], *drawn[2]["sets"]]
    spares = [json.dumps(each) for cores in (5, 2) for each in drawn[cores]["spares"]]
    assert len(set(spares)) == len(spares)
    assert not set(spares) & {json.dumps(each) for each in drawn[1]["sets"]}


def test_sound_alone_makes_no_variations_of_a_silent_clip(tmp_path: Path) -> None:
    params = VariationsParams(count=5, only=("volume", "bass", "treble"))
    ctx, results = looked(tmp_path, clips.silent_film(tmp_path), params)
    ctx = FakeContext(tmp_path, params, inputs=ctx_inputs(ctx), results=results)
    with pytest.raises(Permanent, match="none could be found"):
        draw(ctx)


def ctx_inputs(ctx: FakeContext) -> list[Path]:
    return [each.path for each in ctx.inputs]


def test_nothing_that_the_clip_says_of_its_owner_is_passed_on(tmp_path: Path) -> None:
    home = clips.plain(tmp_path, "here.mp4")
    clip = clips.ffmpeg(
        tmp_path / "clip.mov", "-i", str(home), "-metadata", "location=+48.1+11.5/", "-c", "copy"
    )
    params = VariationsParams(count=1, quality="draft")
    _, results = looked(tmp_path, clip, params)
    results["draw"] = Result({"sets": [ZOOM.to_json()], "spares": []})
    results["render"] = render(FakeContext(tmp_path, params, inputs=[clip], results=results))
    made = compare(FakeContext(tmp_path, params, inputs=[clip], results=results))
    for file in (made.files["report"], results["render"].files[f"video-{ZOOM.id}"]):
        assert b"48.1" not in file.read_bytes()


def test_a_name_that_is_no_utf8_can_be_reported(tmp_path: Path) -> None:
    clip = tmp_path / "\udcffclip.mp4"
    shutil.copyfile(clips.plain(tmp_path), clip)
    params = VariationsParams(count=1, quality="draft")
    _, results = looked(tmp_path, clip, params)
    results["draw"] = Result({"sets": [ZOOM.to_json()], "spares": []})
    results["render"] = render(FakeContext(tmp_path, params, inputs=[clip], results=results))
    made = compare(FakeContext(tmp_path, params, inputs=[clip], results=results))
    assert json.loads(made.files["report"].read_text())["clip"]["name"] == clip.name


def test_films_of_palettes_can_be_looked_at(tmp_path: Path) -> None:
    coding = ("-vf", "scale=1280:720,palettegen=stats_mode=single", "-frames:v", "5")
    palette = ("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=10:duration=1")
    clip = clips.ffmpeg(tmp_path / "clip.mkv", *palette, "-pix_fmt", "pal8", "-c:v", "png", *coding[2:])
    ctx, results = looked(tmp_path, clip, VariationsParams(count=1))
    assert results["look"].values["survey"]["pixel_format"] == "pal8"
    assert not ctx.warnings


def test_pictures_that_change_their_size_are_told_at_once(tmp_path: Path) -> None:
    small = clips.transport_stream(tmp_path)
    large = tmp_path / "large.ts"
    later = ("-output_ts_offset", "101.5")  # where the small one ends
    clips.ffmpeg(large, "-i", str(small), "-vf", "scale=640:360", *clips.X264, *clips.AAC, *later)
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises(Unsuitable, match="change their size, from 320x180 to 640x360"):
        looked(tmp_path, both, VariationsParams(count=1))


def test_what_is_found_in_the_files_is_in_the_report(tmp_path: Path) -> None:
    params = VariationsParams(count=2, quality="draft")
    ctx, results = rendered(tmp_path, params, [ZOOM, PALE], [])
    made = compare(FakeContext(tmp_path, params, inputs=ctx_inputs(ctx), results=results))
    rows = json.loads(made.files["report"].read_text())["differences"]["rows"]
    assert [len(row) for row in rows] == [0, 1, 2]
    assert min(value for row in rows for value in row) == made.values["closest"] > 2
    assert len(distances([])) == 0
