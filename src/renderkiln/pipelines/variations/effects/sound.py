"""Effects on the sound, in dB."""

from renderkiln.pipelines.variations.effect import Effect

# Shelves by R. Bristow-Johnson's Audio EQ Cookbook, half their gain at the frequency. 3 kHz: below half of
# every sample rate there is.
_BASS, _TREBLE = "f=200:t=q:w=0.707", "f=3000:t=q:w=0.707"

VOLUME = Effect(
    name="volume",
    summary="Louder, or quieter (negative)",
    unit="dB",
    ladder={"subtle": (-1, -0.5, 0.5, 1), "medium": (-2, -1, 1, 2), "strong": (-4, -3, -2, 2, 3, 4)},
    lowest=-60,
    highest=20,
    step=0.5,
    kind="sound",
    order=230,
    cost=0,
    chance=0.4,
    sound=lambda value: f"volume={value:g}dB",
    words=lambda value: f"volume {value:+g} dB",
)

BASS = Effect(
    name="bass",
    summary="More bass, or less (negative)",
    unit="dB",
    ladder={"subtle": (-1, 1), "medium": (-2, -1, 1, 2), "strong": (-4, -3, -2, 2, 3, 4)},
    lowest=-20,
    highest=20,
    step=0.5,
    kind="sound",
    order=210,
    cost=0,
    chance=0.3,
    sound=lambda value: f"bass=g={value:g}:{_BASS}",
    words=lambda value: f"bass {value:+g} dB",
)

TREBLE = Effect(
    name="treble",
    summary="More treble, or less (negative)",
    unit="dB",
    ladder={"subtle": (-1, 1), "medium": (-2, -1, 1, 2), "strong": (-4, -3, -2, 2, 3, 4)},
    lowest=-20,
    highest=20,
    step=0.5,
    kind="sound",
    order=220,
    cost=0,
    chance=0.3,
    sound=lambda value: f"treble=g={value:g}:{_TREBLE}",
    words=lambda value: f"treble {value:+g} dB",
)
