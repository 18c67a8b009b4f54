"""Speaks one text with eSpeak NG and ends: `python -m renderkiln.media.speech.espeak_worker`.

A process of its own because the library is GPL, may crash, and gives the same bytes for the same text only
when it is fresh. Reads a JSON object {text, voice, rate, pitch, seconds, parent} from stdin; writes frames
to stdout, each one letter, a 4-byte little-endian length and that many bytes:

    R   JSON: {rate} in Hz, first
    S   samples, 16-bit little-endian mono, any number of times
    E   JSON: [[event, position, milliseconds], …], event 1 a word and 5 the end of a clause; last
    X   JSON: what went wrong, instead of all that would follow
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any, BinaryIO

import espeakng_loader

_SYNCHRONOUS, _DONT_EXIT, _UTF8 = 2, 0x8000, 1
_RATE, _PITCH = 1, 3
_CHARACTERS = 1  # what a position counts
_WORD, _CLAUSE_END = 1, 5
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def main() -> None:
    """Answer the one request on stdin."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the library prints must not come between frames
    request = json.loads(sys.stdin.buffer.read())
    _die_with(request["parent"])
    try:
        _speak(request, out)
    except _Failed as error:
        _frame(out, b"X", json.dumps(str(error)).encode())
    out.flush()


class _Failed(Exception):
    pass


def _speak(request: dict[str, Any], out: BinaryIO) -> None:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), _DONT_EXIT)
    if rate <= 0:
        raise _Failed("eSpeak NG does not find its data")
    _frame(out, b"R", json.dumps({"rate": rate}).encode())
    if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        raise _Failed("eSpeak NG does not know the voice")
    library.espeak_SetParameter(_RATE, request["rate"], 0)
    library.espeak_SetParameter(_PITCH, request["pitch"], 0)
    events: list[tuple[int, int, int]] = []
    left = round(request["seconds"] * rate)

    def receive(samples: Any, count: int, event: Any) -> int:
        nonlocal left
        if count > 0 and samples:
            _frame(out, b"S", ctypes.string_at(samples, 2 * count))
            left -= count
        at = 0
        while event[at].type:
            if event[at].type in (_WORD, _CLAUSE_END):
                events.append((event[at].type, event[at].text_position, event[at].audio_position))
            at += 1
        return int(left < 0)  # 1 ends it

    callback = _Callback(receive)  # kept: the library holds no reference
    library.espeak_SetSynthCallback(callback)
    text = request["text"].encode()
    status = library.espeak_Synth(
        text, ctypes.c_size_t(len(text) + 1), 0, _CHARACTERS, 0, _UTF8, None, None
    )  # without the flags for SSML and phonemes: what a user wrote is only ever text
    if status != 0 or left < 0:
        raise _Failed("the speech never ended" if left < 0 else f"eSpeak NG failed ({status})")
    _frame(out, b"E", json.dumps(events).encode())


def _frame(out: BinaryIO, kind: bytes, payload: bytes) -> None:
    out.write(kind + len(payload).to_bytes(4, "little") + payload)


def _die_with(parent: int) -> None:
    """End when the parent does (Linux), even if it did before we could say so."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


if __name__ == "__main__":
    main()
