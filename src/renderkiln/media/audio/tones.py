"""Pure tones: one for both ears, a different one for each, or one in pulses."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from renderkiln.media.audio.course import Course
from renderkiln.media.audio.phase import Phase, Turns
from renderkiln.media.audio.source import RATE, Block

kernel = njit(cache=True, nogil=True, fastmath=True)


class Tone:
    """A sine of amplitude 1 along a course in Hz, the same in both channels. Raises ValueError."""

    def __init__(self, course: Course) -> None:
        _refuse_unplayable("tone", course.lowest, course.highest)
        self._phase = Phase(course)

    def read(self, n: int) -> Block:
        """The next `n` samples, of shape (2, n)."""
        out = np.empty((2, n), np.float32)
        _sine(self._phase.read(n), out[0])
        out[1] = out[0]
        return out


class Binaural:
    """Sines of amplitude 1: the left ear hears the carrier, the right ear the carrier plus the beat.

    The beat arises in the listener; mixed to mono it becomes a tremolo. Raises ValueError.
    """

    def __init__(self, carrier: Course, beat: Course) -> None:
        _refuse_unplayable("beat", beat.lowest, beat.highest)
        _refuse_unplayable("carrier", carrier.lowest, carrier.highest + beat.highest)
        self._carrier, self._beat = Phase(carrier), Phase(beat)

    def read(self, n: int) -> Block:
        """The next `n` samples, of shape (2, n)."""
        out = np.empty((2, n), np.float32)
        carrier = self._carrier.read(n)
        _sine(carrier, out[0])
        _sine(carrier + self._beat.read(n), out[1])
        return out


class Isochronic:
    """A sine of amplitude 1 that comes and goes with the beat, the same in both channels. Raises ValueError.

    It rises and falls by raised cosines of an eighth of the beat each and is on for half of it, counted at
    half height, so that no edge clicks. The beat survives a mixdown to mono.
    """

    def __init__(self, carrier: Course, beat: Course) -> None:
        _refuse_unplayable("beat", beat.lowest, beat.highest)
        _refuse_unplayable("carrier", carrier.lowest, carrier.highest)
        self._carrier, self._beat = Phase(carrier), Phase(beat)

    def read(self, n: int) -> Block:
        """The next `n` samples, of shape (2, n)."""
        out = np.empty((2, n), np.float32)
        _sine(self._carrier.read(n), out[0])
        _pulse(self._beat.read(n), out[0])
        out[1] = out[0]
        return out


def _refuse_unplayable(what: str, lowest: float, highest: float) -> None:
    if lowest <= 0:
        raise ValueError(f"a {what} of {lowest:g} Hz cannot be played: it must be above 0 Hz")
    if highest >= RATE / 2:
        raise ValueError(
            f"a {what} that reaches {highest:g} Hz cannot be played: "
            f"{RATE / 1000:g} kHz sound ends below {RATE // 2} Hz"
        )


@kernel
def _sine(turns: Turns, out: Block) -> None:
    for i in range(out.shape[0]):
        x = np.float32(np.int32(turns[i])) * np.float32(2.0**-32)  # half a turn to either side
        out[i] = math.copysign(_rising(np.float32(0.25) - abs(abs(x) - np.float32(0.25))), x)


@kernel
def _pulse(turns: Turns, out: Block) -> None:
    """Multiply by the gate: up during the first eighth of a turn, down during the fifth."""
    for i in range(out.shape[0]):
        x = np.float32(turns[i]) * np.float32(2.0**-29)  # eighths
        height = min(np.float32(1.0), x) - min(np.float32(1.0), max(np.float32(0.0), x - np.float32(4.0)))
        root = _rising(height * np.float32(0.25))
        out[i] *= root * root


@kernel
def _rising(turns: np.float32) -> np.float32:
    """sin(2π·turns) of the first quarter turn, within 2e-7: a polynomial, since that is vectorised."""
    z = turns * turns
    p = np.float32(39.535813712949356)
    p = p * z - np.float32(76.54965682080497)
    p = p * z + np.float32(81.60099819262047)
    p = p * z - np.float32(41.341654929343576)
    p = p * z + np.float32(6.283185159611166)
    return p * turns
