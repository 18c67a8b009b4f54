"""Local servers that speak the providers' protocols, with real speech and with every way to go wrong.

A server answers as the provider would: right paths, keys, limits, error bodies, chunked PCM. Faults put in
`server.faults` come first, one for each request. `server.received` holds what was really sent.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import numpy as np
import soxr

from renderkiln.media.speech.contract import (
    Mono,
    Utterance,
)
from renderkiln.media.speech.espeak import Espeak
from renderkiln.media.speech.settings import SpeechSettings

KEY = "sk-test-0123456789abcdef"
PCM_RATE = 24000
OPENAI_VOICES = ("alloy", "coral", "nova")
ELEVENLABS_VOICE = "21m00Tcm4TlvDq8ikWAM"


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


Fault = Callable[["Handler"], None]


@dataclass
class SpeechServer:
    """One running server. `connections` counts those that were opened."""

    url: str
    faults: deque[Fault] = field(default_factory=deque)
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, records it, and lets a fault or the protocol answer."""

    protocol_version = "HTTP/1.1"
    answer: Fault
    speech_server: SpeechServer

    def setup(self) -> None:
        super().setup()
        self.speech_server.connections += 1

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.request_ = Received(url.path, query, headers, json.loads(self.rfile.read(length)))
        self.speech_server.received.append(self.request_)
        faults = self.speech_server.faults
        try:
            (faults.popleft() if faults else type(self).answer)(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def reply(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        """A whole answer of known length."""
        self.head(status, kind, content_length=str(len(body)), **headers)
        self.wfile.write(body)

    def complain(self, status: int, said: Any, **headers: str) -> None:
        """An error in JSON."""
        self.reply(status, json.dumps(said).encode(), "application/json", **headers)

    def head(self, status: int, kind: str, **headers: str) -> None:
        """Status line and headers."""
        self.send_response(status)
        self.send_header("content-type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def chunks(self, pieces: Iterator[bytes]) -> None:
        """The body of a chunked answer."""
        for piece in pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def speak(self, text: str) -> None:
        """The true answer: chunked PCM."""
        pcm = pcm_of(text)
        self.head(200, "audio/pcm", transfer_encoding="chunked")
        self.chunks(pcm[at : at + 4096] for at in range(0, len(pcm), 4096))

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def openai_server() -> Iterator[SpeechServer]:
    """Serves at `{url}/v1`."""
    with _serving(_openai) as server:
        yield server


@contextmanager
def elevenlabs_server() -> Iterator[SpeechServer]:
    """Serves at `url`."""
    with _serving(_elevenlabs) as server:
        yield server


@cache
def samples_of(text: str) -> Mono:
    """What the servers say for `text`: espeak's voice at 24 kHz."""
    espeak = Espeak(SpeechSettings())
    speech = espeak.speak(Utterance(text, "en-us"), stop=lambda: False)
    return cast("Mono", soxr.resample(speech.samples, speech.rate, PCM_RATE))


def pcm_of(text: str) -> bytes:
    """The same as 16-bit PCM."""
    return np.round(np.clip(samples_of(text), -1, 32767 / 32768) * 32768).astype("<i2").tobytes()


def says(status: int, said: Any, **headers: str) -> Fault:
    """An error with a JSON body."""
    return lambda handler: handler.complain(status, said, **headers)


def sends(body: bytes, kind: str, status: int = 200) -> Fault:
    """Any body of any kind."""
    return lambda handler: handler.reply(status, body, kind)


def silent(handler: Handler) -> None:
    """Says nothing at all until the test is over."""
    handler.speech_server.closing.wait()
    handler.close_connection = True


def stalls(handler: Handler) -> None:
    """Begins to speak, and says no more."""
    handler.head(200, "audio/pcm", transfer_encoding="chunked")
    handler.wfile.write(b"1000\r\n" + bytes(100))
    silent(handler)


def cut_off(handler: Handler) -> None:
    """Promises more than it sends."""
    handler.head(200, "audio/pcm", content_length="100000")
    handler.wfile.write(bytes(5000))
    handler.close_connection = True


def cut_off_chunks(handler: Handler) -> None:
    """Goes away within a chunked answer."""
    handler.head(200, "audio/pcm", transfer_encoding="chunked")
    handler.wfile.write(b"1000\r\n" + bytes(4096) + b"\r\n")
    handler.close_connection = True


def hangs_up(handler: Handler) -> None:
    """Closes the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def endless(handler: Handler) -> None:
    """Never stops sending."""
    handler.head(200, "audio/pcm", transfer_encoding="chunked")
    noise = bytes(1 << 20)
    handler.chunks(noise for _ in iter(handler.speech_server.closing.is_set, True))


def _openai(handler: Handler) -> None:
    request, body = handler.request_, handler.request_.body
    if request.path != "/v1/audio/speech":
        handler.complain(404, {"error": {"message": f"Invalid URL (POST {request.path})", "code": None}})
    elif request.headers.get("authorization") != f"Bearer {KEY}":
        handler.complain(401, _openai_error("Incorrect API key provided: sk-te***cdef.", "invalid_api_key"))
    elif len(body["input"]) > 4096:
        handler.complain(400, _openai_error("String should have at most 4096 characters", "string_too_long"))
    elif body["voice"] not in OPENAI_VOICES:
        handler.complain(400, _openai_error("Input should be 'alloy', 'coral' or 'nova'", None, "voice"))
    elif not 0.25 <= body.get("speed", 1.0) <= 4.0 or body["response_format"] != "pcm":
        handler.complain(400, _openai_error("Invalid value", "invalid_value"))
    else:
        handler.speak(body["input"])


def _openai_error(message: str, code: str | None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def _elevenlabs(handler: Handler) -> None:
    request, body = handler.request_, handler.request_.body
    voice = re.fullmatch(r"/v1/text-to-speech/([^/]+)", request.path)
    if request.headers.get("xi-api-key") != KEY:
        handler.complain(401, elevenlabs_error("invalid_api_key", "Invalid API key"))
    elif voice is None or voice[1] != ELEVENLABS_VOICE:
        handler.complain(404, elevenlabs_error("voice_not_found", "A voice with that ID was not found."))
    elif request.query.get("output_format") != "pcm_24000":
        handler.complain(403, elevenlabs_error("output_format_not_allowed", "Subscribe to Pro"))
    elif "text" not in body:
        handler.complain(422, {"detail": [{"loc": ["body", "text"], "msg": "Field required"}]})
    elif len(body["text"]) > 10_000:
        handler.complain(400, elevenlabs_error("max_character_limit_exceeded", "too many characters"))
    else:
        handler.speak(body["text"])


def elevenlabs_error(status: str, message: str) -> dict[str, Any]:
    """ElevenLabs' body of an error."""
    return {"detail": {"status": status, "message": message}}


@contextmanager
def _serving(answer: Fault) -> Iterator[SpeechServer]:
    speaking = SpeechServer("")
    kind = type("Bound", (Handler,), {"answer": staticmethod(answer), "speech_server": speaking})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as http:
        http.daemon_threads = True
        speaking.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield speaking
        finally:
            speaking.closing.set()
            http.shutdown()
            thread.join()
