"""Speaks the voices, lays the scenes out in time by them, and mixes all that is heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from renderkiln.domain.errors import Permanent
from renderkiln.media.audio.bars import Bars
from renderkiln.media.audio.excerpt import excerpt
from renderkiln.media.audio.features import BANDS
from renderkiln.media.audio.source import RATE
from renderkiln.media.captions import Cue
from renderkiln.media.errors import Unreadable, Unsuitable
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.scenes.called import told
from renderkiln.pipelines.scenes.document.background import VideoBackground
from renderkiln.pipelines.scenes.document.layers import VideoLayer, WaveformLayer
from renderkiln.pipelines.scenes.document.project import Scene
from renderkiln.pipelines.scenes.drawing.pose import Presence
from renderkiln.pipelines.scenes.drawing.studio import Found
from renderkiln.pipelines.scenes.fetch import found_of, stopped
from renderkiln.pipelines.scenes.mastered import Mastered, mastered
from renderkiln.pipelines.scenes.soundtrack import Heard, MusicBed, Recorded, Stem, record_soundtrack
from renderkiln.pipelines.scenes.timeline import Span, Timeline, lay_out
from renderkiln.pipelines.scenes.voices import Spoken, voices

Clip = VideoBackground | VideoLayer


def sound(ctx: StageContext) -> Result:
    """The durations of all scenes, their captions, and the finished sound. Raises Permanent, Temporary."""
    spoken = voices(ctx)
    found = found_of(ctx)
    seconds = {id: _seconds(id, scene, spoken.get(id), found) for id, scene in ctx.params.chosen}
    timeline = _timeline(ctx, seconds)
    _check_layers(ctx, timeline)
    _check_voices(ctx, timeline, spoken)
    _check_clips(ctx, timeline, found)
    values: dict[str, Any] = {
        "seconds": seconds,
        "scenes": [
            {
                "id": span.id,
                "start": float(span.start / timeline.fps),
                "seconds": float(span.frames / timeline.fps),
            }
            for span in timeline.spans
        ],
        "spoken": {
            id: [[cue.start, cue.end, cue.text] for cue in voice.cues(_begins(ctx, id))]
            for id, voice in spoken.items()
        },
        "sound": None,
        "bars": [],
    }
    files: dict[str, Path] = {}
    if ctx.params.format != "gif" or _waveforms(ctx.params.film.scenes):
        recorded = _recorded(ctx, timeline, spoken, found)
        if recorded is not None:
            bars = {f"bars-{name}": path for name, path in recorded.bars.items()}
            files |= bars
            values["bars"] = list(recorded.bars)
            made = None if ctx.params.format == "gif" else _mastered(ctx, recorded)
            if made is not None:
                files["sound"] = made.path
                values["sound"] = {
                    "layers": list(recorded.layers),
                    "loudness": made.delivered.loudness.to_json(),
                    "gainDb": made.master.gain_db,
                }
    for name in sorted(_waveforms(ctx.params.film.scenes) - set(values["bars"])):
        ctx.warn(f"waveform-{name}", f"A waveform shows the {name}, but nothing of it is heard")
    return Result(values, files)


def timeline_of(ctx: StageContext) -> Timeline:
    """As the sound stage has laid it out."""
    return _timeline(ctx, ctx.results["sound"].values["seconds"])


def spoken_of(ctx: StageContext) -> Mapping[str, list[Cue]]:
    """The captions of what is spoken, by scene id; times from the scene's beginning."""
    told: Mapping[str, list[tuple[float, float, str]]] = ctx.results["sound"].values["spoken"]
    return {id: [Cue(*cue) for cue in cues] for id, cues in told.items()}


def bars_of(ctx: StageContext) -> Mapping[str, Bars]:
    """What moves waveform layers; where nothing is heard they are at rest."""
    heard, still = ctx.results["sound"], Bars.steady(np.zeros(BANDS, np.float32), 1.0)
    there = heard.values["bars"]
    return {
        name: Bars.load(heard.files[f"bars-{name}"]) if name in there else still
        for name in _waveforms(ctx.params.film.scenes)
    }


def _timeline(ctx: StageContext, seconds: Mapping[str, float]) -> Timeline:
    params = ctx.params
    timeline = lay_out(
        params.chosen,
        seconds,
        params.project.transition,
        params.canvas.fps,
        divided=params.format != "gif",
    )
    longest = ctx.services.limits.duration
    if timeline.seconds > longest:
        raise Permanent(
            f"The film would last {timeline.seconds / 60:.1f} minutes; at most {longest / 60:g} are made "
            "(setting max_duration)"
        )
    return timeline


def _seconds(id: str, scene: Scene, voice: Spoken | None, found: Mapping[str, Found]) -> float:
    """How long a scene is: as it says, else as long as its voice, else as long as its video."""
    if scene.duration is not None:
        return scene.duration
    if voice is not None and scene.voice is not None:
        return scene.voice.start + voice.seconds + scene.voice.rest
    if isinstance(scene.background, VideoBackground):
        clip = found[scene.background.file].survey
        assert clip is not None
        if clip.duration > scene.background.trim:
            return clip.duration - scene.background.trim
        raise Permanent(
            f"The scene {id} trims {scene.background.trim:g} s of a clip that has {clip.duration:.2f} s"
        )
    raise Permanent(f"The scene {id} has no duration, no voice and no video that would tell how long it is")


def _begins(ctx: StageContext, id: str) -> float:
    voice = dict(ctx.params.chosen)[id].voice
    return voice.start if voice is not None else 0.0


def _check_layers(ctx: StageContext, timeline: Timeline) -> None:
    """Only now is it known when a scene ends that is as long as its voice."""
    for span in timeline.spans:
        for number, layer in enumerate(span.scene.layers):
            there, named = (
                Presence.of(layer, span.frames, timeline.fps),
                f"layers[{number}] of the scene {span.id}",
            )
            seen = float((there.last - there.first) / timeline.fps)
            moving = sum(motion.duration for motion in (layer.enter, layer.exit) if motion is not None)
            if there.first >= span.frames:
                ctx.warn(
                    f"unseen-{span.id}-{number}",
                    f"{named} is never seen: it begins at {layer.start:g} s, "
                    f"and the scene ends at {float(span.frames / timeline.fps):.2f} s",
                )
            elif moving > seen + 1 / timeline.fps:
                ctx.warn(
                    f"hasty-{span.id}-{number}",
                    f"{named} goes before it has come: it is seen for {seen:.2f} s, and its motions take "
                    f"{moving:g} s",
                )


def _check_voices(ctx: StageContext, timeline: Timeline, spoken: Mapping[str, Spoken]) -> None:
    for span in timeline.spans:
        voice = spoken.get(span.id)
        if voice is None:
            continue
        over = _begins(ctx, span.id) + voice.seconds - span.frames / timeline.fps
        if over > 0.05:
            ctx.warn(
                f"voice-{span.id}",
                f"The voice of the scene {span.id} is {float(over):.1f} s longer than it, and is cut off",
            )


def _check_clips(ctx: StageContext, timeline: Timeline, found: Mapping[str, Found]) -> None:
    for span in timeline.spans:
        for number, (clip, presence) in enumerate(_clips(span, timeline)):
            survey = found[clip.file].survey
            assert survey is not None
            there, wanted = survey.duration - clip.trim, (presence.last - presence.first) / timeline.fps
            if there <= 0:
                raise Permanent(
                    f"The scene {span.id} trims {clip.trim:g} s of {clip.file!r}, "
                    f"which has {survey.duration:.2f} s"
                )
            if there >= wanted - 1 / timeline.fps or clip.if_short == "loop":
                continue
            short = f"{clip.file!r} ends {float(wanted) - there:.1f} s before its time in the scene {span.id}"
            if clip.if_short == "error":
                raise Permanent(f"{short}: shorten the scene, or choose loop or freeze as if_short")
            ctx.warn(f"short-{span.id}-{number}", f"{short}: its last picture stands still (if_short)")


def _clips(span: Span, timeline: Timeline) -> Iterator[tuple[Clip, Presence]]:
    """The clips of a scene and the frames in which they are seen."""
    background = span.scene.background
    if isinstance(background, VideoBackground):
        yield background, Presence(0, span.frames)
    for layer in span.scene.layers:
        if isinstance(layer, VideoLayer):
            presence = Presence.of(layer, span.frames, timeline.fps)
            if presence.first < presence.last:
                yield layer, presence


def _waveforms(scenes: tuple[Scene, ...]) -> set[Stem]:
    """What the waveform layers show."""
    return {layer.of for scene in scenes for layer in scene.layers if isinstance(layer, WaveformLayer)}


def _recorded(
    ctx: StageContext, timeline: Timeline, spoken: Mapping[str, Spoken], found: Mapping[str, Found]
) -> Recorded | None:
    folder = ctx.workdir / "sound"
    folder.mkdir(exist_ok=True)
    heard = [
        *(_voice(span, timeline, spoken[span.id]) for span in timeline.spans if span.id in spoken),
        *_clip_sounds(ctx, timeline, found, folder),
    ]
    music = ctx.params.project.music
    bed = None
    if music is not None:
        bed = MusicBed(found[music.file].path, music.gain_db, music.duck_db, music.fade_in, music.fade_out)
    samples = round(timeline.frames / timeline.fps * RATE)
    try:
        return record_soundtrack(
            heard,
            bed,
            samples,
            folder,
            lambda done: ctx.progress(0.5 + 0.25 * done / samples, "Mixing the sound"),
            bars=_waveforms(ctx.params.film.scenes),
        )
    except (Unreadable, Unsuitable) as error:
        if music is None:
            raise
        said = told(error, found[music.file].path, music.file)
        raise Permanent(f"music.file: {said}") from error


def _voice(span: Span, timeline: Timeline, spoken: Spoken) -> Heard:
    voice = span.scene.voice
    assert voice is not None
    start = round((span.start / timeline.fps + voice.start) * RATE)
    end = round(span.stop / timeline.fps * RATE)
    samples = max(1, min(spoken.samples, end - start))
    return Heard("voice", spoken.path, 1, samples, start, voice.gain_db, 0.0, 0.0, spoken.lufs)


def _clip_sounds(
    ctx: StageContext, timeline: Timeline, found: Mapping[str, Found], folder: Path
) -> Iterator[Heard]:
    fps = timeline.fps
    for span in timeline.spans:
        for number, (clip, presence) in enumerate(_clips(span, timeline)):
            survey = found[clip.file].survey
            assert survey is not None
            if clip.mute or survey.audio is None:
                continue
            path = folder / f"clip-{span.number:04d}-{number:02d}.f32"
            try:
                made = excerpt(
                    found[clip.file].path,
                    path,
                    seconds=float((presence.last - presence.first) / fps),
                    start=survey.start,
                    trim=clip.trim,
                    period=survey.duration - clip.trim if clip.if_short == "loop" else None,
                    index=survey.audio.index,
                    stop=lambda: stopped(ctx, 0.5),
                )
            except (Unreadable, Unsuitable) as error:
                said = told(error, found[clip.file].path, clip.file)
                raise Permanent(f"The scene {span.id}: {said}; mute it, or repair it") from error
            start = round((span.start + presence.first) / fps * RATE)
            fade_in = float(span.before / fps) if presence.first < span.before else 0.0
            fade_out = float(span.after / fps) if presence.last > span.frames - span.after else 0.0
            yield Heard("clip", path, 2, made.samples, start, clip.gain_db, fade_in, fade_out, made.lufs)


def _mastered(ctx: StageContext, recorded: Recorded) -> Mastered | None:
    loudness = ctx.params.project.loudness
    made = mastered(
        recorded.spool,
        ctx.workdir,
        "opus" if ctx.params.format == "webm" else "m4a",
        target_lufs=loudness.target_lufs,
        ceiling_dbtp=loudness.ceiling_dbtp,
        progress=lambda done, message: ctx.progress(0.75 + 0.25 * done, message),
    )
    if made is None:
        ctx.warn("silent", "Nothing is to be heard, so the film has no sound")
    for warning in made.warnings if made is not None else ():
        ctx.warn("loudness", warning)
    return made
