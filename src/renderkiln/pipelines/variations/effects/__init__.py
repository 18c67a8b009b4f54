"""The built-in effects. They come in by the same door as everybody's: `renderkiln.effects`."""

from renderkiln.pipelines.variations.effect import Effect
from renderkiln.pipelines.variations.effects.colour import HUE, SATURATION, WARMTH
from renderkiln.pipelines.variations.effects.detail import BLUR, GRAIN, SHARPEN
from renderkiln.pipelines.variations.effects.frame import BORDER, FADE
from renderkiln.pipelines.variations.effects.framing import CROP, FLIP, ROTATE, ZOOM
from renderkiln.pipelines.variations.effects.light import CONTRAST, EXPOSURE, VIGNETTE
from renderkiln.pipelines.variations.effects.sound import BASS, TREBLE, VOLUME
from renderkiln.pipelines.variations.effects.speed import SPEED

EFFECTS: tuple[Effect, ...] = (
    *(FLIP, ZOOM, CROP, ROTATE, SPEED),
    *(EXPOSURE, CONTRAST, SATURATION, HUE, WARMTH, VIGNETTE),
    *(SHARPEN, BLUR, GRAIN, BORDER, FADE),
    *(VOLUME, BASS, TREBLE),
)
