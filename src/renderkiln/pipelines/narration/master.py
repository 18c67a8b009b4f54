"""Brings the mix to its loudness, encodes it, and measures the file that came of it until it is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import Permanent
from renderkiln.media.audio.delivered import Delivered, Ordered, faults, measure
from renderkiln.media.audio.encode import encode
from renderkiln.media.audio.encodings import CONTAINERS, encoding
from renderkiln.media.audio.mastering import Master, solve
from renderkiln.media.audio.spool import Spool
from renderkiln.media.captions import Cue, cues_of, srt, vtt
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.narration.expected import expected_tones
from renderkiln.pipelines.narration.params import NarrationParams
from renderkiln.pipelines.narration.report import report_of, tags_of

_TRIES = 4  # the first one is almost always right; peaks that an encoder adds take a second
_AUDIBLE = 8.0  # dB: less than that, a look-ahead limiter hides
_SPARE = 0.05  # dB more than a peak was too high
_CLOSE = 0.08  # LU: nearer than the file has to be


@dataclass(frozen=True)
class Made:
    """A file, how it was made, and what is in it."""

    path: Path
    master: Master
    delivered: Delivered
    tries: int


def master(ctx: StageContext) -> Result:
    """The verified file with its captions, waveform and report. Raises Permanent with what is wrong."""
    params: NarrationParams = ctx.params
    spool = Spool.open(ctx.results["mix"].files["mix"])
    target = ctx.services.target_lufs if params.target_lufs is None else params.target_lufs
    made = _made(ctx, spool, target)
    ordered = Ordered(spool.samples, target - made.master.shortfall, params.ceiling_dbtp)
    wrong = faults(made.delivered, ordered)
    fatal = [each for each in wrong if not _is_of_a_tone(each)]
    if fatal:
        raise Permanent("The narration did not pass verification: " + "; ".join(fatal))
    for each in wrong:
        ctx.warn("tones", f"{each[0].upper()}{each[1:]}")
    if made.master.note:
        ctx.warn("loudness", made.master.note)
    elif made.master.reduction_db > _AUDIBLE:
        ctx.warn(
            "limiting",
            f"The limiter takes up to {made.master.reduction_db:.1f} dB from the loudest syllables, because "
            "rests over soft music count in the loudness: a louder layer or a lower target_lufs sounds freer",
        )
    report = report_of(ctx, made.delivered, made.master, target=target, tries=made.tries)
    values = {"report": report, "contentType": CONTAINERS[params.output.format].content_type}
    return Result(values, {"audio": made.path, **_sides(ctx, made, report)})


def _made(ctx: StageContext, spool: Spool, target: float) -> Made:
    """Encode, decode and measure, and correct by what was measured."""
    params: NarrationParams = ctx.params
    chosen = encoding(params.output.format, params.output.quality)
    path = ctx.workdir / f"narration{CONTAINERS[params.output.format].suffix}"
    goal, ceiling = target, params.ceiling_dbtp - chosen.ceiling_margin_db
    tones, tags = expected_tones(params, ctx.results), tags_of(ctx)
    for number in range(1, _TRIES + 1):
        solved = solve(spool, target_lufs=goal, ceiling_dbtp=ceiling)
        path.unlink(missing_ok=True)  # the one that is there may have been published
        encode(
            solved.blocks(spool, chosen.attenuation_db),
            path,
            params.output.format,
            params.output.quality,
            tags,
            _progress(ctx, spool, number, 0.0, 0.8),
        )
        delivered = measure(path, tones=tones, on_samples=_progress(ctx, spool, number, 0.8, 0.2))
        made = Made(path, solved, delivered, number)
        off = target - solved.shortfall - delivered.loudness.integrated
        over = delivered.loudness.true_peak - params.ceiling_dbtp
        if abs(off) <= _CLOSE and over <= 0:
            break
        if abs(off) > _CLOSE:
            goal += off
        if over > 0:
            ceiling -= over + _SPARE
    return made


def _progress(
    ctx: StageContext, spool: Spool, number: int, start: float, share: float
) -> Callable[[int], None]:
    message = "Normalising" if number == 1 else f"Normalising, corrected {number - 1} ×"

    def report(samples: int) -> None:
        done = start + share * min(1.0, samples / spool.samples)
        ctx.progress(1 - (1 - done) / number, message)  # each further try has less to go

    return report


def _is_of_a_tone(fault: str) -> bool:
    """A tone that an encoder moved or swallowed makes no narration worthless: it is told, not refused."""
    return fault.startswith(("the tone ", "the beat "))


def _sides(ctx: StageContext, made: Made, report: dict[str, Any]) -> dict[str, Path]:
    files = {"peaks": ctx.workdir / "peaks.json", "report": ctx.workdir / "report.json"}
    made.delivered.peaks.write(files["peaks"])
    text = json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False)
    files["report"].write_text(text + "\n", encoding="utf-8")
    begins: float = ctx.results["mix"].values["length"]["voiceBegins"]
    words = [
        Cue(begins + start, begins + end, text) for text, start, end in ctx.results["voice"].values["words"]
    ]
    if words:
        cues = cues_of(words)
        for name, written in (("subtitles", srt(cues)), ("captions", vtt(cues))):
            files[name] = ctx.workdir / f"{name}.txt"
            files[name].write_text(written, encoding="utf-8")
    return files
