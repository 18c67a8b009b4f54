"""Speech that was paid for once, kept under a hash of all that decides its sound.

One file per utterance: a line of JSON (`format`, `rate`, `words`, `cost`, `kind` of samples, their `sha256`),
then the samples. Safe for many processes: a file appears whole or not at all, and what a crash or a disk has
damaged is noticed and made again. How much is kept is for others to decide: a file's time is its last use.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from renderkiln.media.speech.contract import JSON, Mono, Speech, SpeechStopped, Stop, Word
from renderkiln.media.speech.pcm import from_pcm, to_pcm

_FORMAT = 1
_MAX_HEADER = 4 << 20
_TICK = 0.1


class SpeechCache:
    """Speeches in `folder`, which is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Speech | None:
        """The speech under `key`; None when there is none or it is damaged. Counts as a use of it."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                header, samples = file.readline(_MAX_HEADER), file.read()
            speech = _speech(json.loads(header), samples)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        with contextlib.suppress(OSError):  # a folder that only may be read
            os.utime(path)
        return speech

    def put(self, key: str, speech: Speech) -> None:
        """Keep `speech`, in place of any other. Raises OSError when it cannot, and leaves nothing behind."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{key[:16]}-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:  # not synced: what a power cut damages is noticed
                file.writelines(_bytes(speech))
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextmanager
    def making(self, key: str, *, patience: float, stop: Stop) -> Iterator[None]:
        """Held by whoever makes the speech of `key`, so that others wait and find it instead of paying again.

        Lets in after `patience` seconds all the same. Raises SpeechStopped; OSError when the folder cannot
        be written.
        """
        path = self._path(key).with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(path, time.monotonic() + patience, stop)
        try:
            yield
        finally:
            if lock is not None:
                path.unlink(missing_ok=True)  # before it is let go: nobody else can hold it
                os.close(lock)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.speech"


def key_of(identity: Mapping[str, JSON]) -> str:
    """SHA-256 of an identity, whatever the order of its fields."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _lock(path: Path, deadline: float, stop: Stop) -> int | None:
    while True:
        if stop():
            raise SpeechStopped
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(lock).st_ino:  # else we locked what was just removed
                return lock
        except FileNotFoundError:
            pass
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(lock)
                return None
            time.sleep(_TICK)
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def _bytes(speech: Speech) -> tuple[bytes, bytes]:
    pcm = to_pcm(speech.samples)
    samples = speech.samples.astype("<f4").tobytes() if pcm is None else pcm
    header = {
        "format": _FORMAT,
        "rate": speech.rate,
        "words": [[word.text, word.start, word.end] for word in speech.words],
        "cost": speech.cost,
        "kind": "f4" if pcm is None else "i2",
        "sha256": hashlib.sha256(samples).hexdigest(),
    }
    return json.dumps(header).encode() + b"\n", samples


def _speech(header: Mapping[str, JSON], samples: bytes) -> Speech:
    """Raises ValueError, KeyError or TypeError for anything but what `_bytes` writes."""
    if header["format"] != _FORMAT or hashlib.sha256(samples).hexdigest() != header["sha256"]:
        raise ValueError("another format, or damaged")
    words = tuple(Word(str(text), float(start), float(end)) for text, start, end in header["words"])
    return Speech(int(header["rate"]), _READERS[header["kind"]](samples), words, float(header["cost"]))


def _from_floats(samples: bytes) -> Mono:
    return np.frombuffer(samples, "<f4").astype(np.float32)


_READERS: Mapping[str, Callable[[bytes], Mono]] = {"f4": _from_floats, "i2": from_pcm}
