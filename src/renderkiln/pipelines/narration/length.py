"""How long a narration is: as long as was asked, but speech is never cut."""

from __future__ import annotations

from dataclasses import dataclass

from renderkiln.pipelines.narration.params import NarrationParams

LEAD_IN = 2.0  # seconds of music before the voice, where there is any
TAIL, BARE_TAIL = 4.0, 0.5  # seconds after the last word, with and without something that plays on


@dataclass(frozen=True)
class Length:
    """`seconds` are what is made, `requested` what was asked for; `why` says where and why they differ."""

    seconds: float
    requested: float | None
    voice_begins: float
    why: str = ""

    def to_json(self) -> dict[str, float | str | None]:
        return {
            "requested": self.requested,
            "made": round(self.seconds, 6),
            "voiceBegins": self.voice_begins,
            "why": self.why,
        }


def length_of(params: NarrationParams, spoken: float, *, bed: bool) -> Length:
    """`spoken` are seconds of speech with its pauses; `bed`: whether anything plays under it."""
    requested = None if params.duration_min is None else params.duration_min * 60
    begins = _begins(params, bed=bed)
    if not params.layers.voice.enabled:
        assert requested is not None
        return Length(requested, requested, begins)
    needed = begins + spoken + (tail(params) if bed else BARE_TAIL)
    if requested is None:
        return Length(needed, None, begins)
    if needed > requested:
        why = f"the voice needs {spoken:.1f} s, and speech is not cut"
        return Length(needed, requested, begins, why)
    if not bed:
        return Length(needed, requested, begins, "nothing plays on after the voice, so it ends with it")
    why = "the layers under the voice play on after it" if requested > needed else ""
    return Length(requested, requested, begins, why)


def tail(params: NarrationParams) -> float:
    """Seconds that what plays under the voice goes on after it, at least."""
    return max(TAIL, *(bed.fade_out_s for bed in params.layers.beds().values()))


def _begins(params: NarrationParams, *, bed: bool) -> float:
    asked = params.layers.voice.lead_in_s
    if asked is not None:
        return asked
    return LEAD_IN if bed else 0.0
