"""The effect on time."""

from renderkiln.pipelines.variations.effect import Effect

# `atempo` costs a fifth, but is up to 22 ms off after silence. Rubberband is within 7 ms and does not drift;
# of its settings only smooth transients keep a tone pure. Its own start delay it takes back by itself.
_RUBBERBAND = "transients=smooth:channels=together"

SPEED = Effect(
    name="speed",
    summary="Faster (over 1) or slower; the pitch of the sound stays",
    unit="×",
    ladder={
        "subtle": (0.98, 0.985, 0.99, 1.01, 1.015, 1.02),
        "medium": (0.97, 0.975, 0.98, 1.02, 1.025, 1.03),
        "strong": (0.95, 0.96, 0.97, 1.03, 1.04, 1.05),
    },
    lowest=0.5,
    highest=2,
    step=0.005,
    kind="both",
    order=200,
    cost=1.0,
    chance=0.4,
    neutral=1,
    sound=lambda value: f"rubberband=tempo={value:g}:{_RUBBERBAND}",
    words=lambda value: f"{value:g}×",
)
