"""Brings the mix to its loudness, encodes it, and measures the file that came of it until it is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import Permanent
from renderkiln.media.audio.delivered import Ordered, faults
from renderkiln.media.audio.encodings import CONTAINERS
from renderkiln.media.audio.spool import Spool
from renderkiln.media.captions import Cue, cues_of, srt, vtt
from renderkiln.pipelines.contract import Result, StageContext
from renderkiln.pipelines.mastery import AUDIBLE, Made, make
from renderkiln.pipelines.narration.expected import expected_tones
from renderkiln.pipelines.narration.params import NarrationParams
from renderkiln.pipelines.narration.report import report_of, tags_of


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
    elif made.master.reduction_db > AUDIBLE:
        ctx.warn(
            "limiting",
            f"The limiter takes up to {made.master.reduction_db:.1f} dB from the loudest syllables, because "
            "rests over soft music count in the loudness: a louder layer or a lower target_lufs sounds freer",
        )
    report = report_of(ctx, made.delivered, made.master, target=target, tries=made.tries)
    values = {"report": report, "contentType": CONTAINERS[params.output.format].content_type}
    return Result(values, {"audio": made.path, **_sides(ctx, made, report)})


def _made(ctx: StageContext, spool: Spool, target: float) -> Made:
    params: NarrationParams = ctx.params
    return make(
        spool,
        ctx.workdir / f"narration{CONTAINERS[params.output.format].suffix}",
        params.output.format,
        params.output.quality,
        target_lufs=target,
        ceiling_dbtp=params.ceiling_dbtp,
        progress=ctx.progress,
        tags=tags_of(ctx),
        tones=expected_tones(params, ctx.results),
    )


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
