"""How quickly the service answers while a render keeps both cores busy.

A real `renderkiln serve` with its worker, on SQLite and a folder; requests from one process of ours, over
connections that stay open, at a steady rate: what waits in the queue of our own process counts.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from process import Process
from row import Row
from serving import Serving
from song import song

_RATE, _SECONDS = 200, 10.0  # status requests a second, and for how long
_SUBMITS = 100
_CONNECTIONS = 16
_STREAMS = 500
_UPLOAD = 512 << 20  # bytes


class ServiceBench:
    """Measures in `folder`; `scale` shortens it."""

    def __init__(self, folder: Path, scale: float) -> None:
        self._folder = folder / "service"
        self._scale = scale

    def rows(self) -> Iterator[Row]:
        serving = Serving(self._folder)
        path = song(self._folder, 240)
        with serving.started() as (url, process):
            client = _Client(url, serving.key())
            asset = asyncio.run(client.send("POST", "/assets?name=song.wav", path.read_bytes()))["id"]
            yield from self._answers(client, asset)
            yield from self._upload(client, process)

    def _answers(self, client: _Client, asset: str) -> Iterator[Row]:
        order = {"pipeline": "visualizer", "assets": [asset], "params": {"quality": "draft"}}
        jobs = [asyncio.run(client.send("POST", "/jobs", order))["id"] for _ in range(2)]
        self._wait(client, jobs[0], 20)
        times = asyncio.run(self._status(client, jobs[0]))
        yield Row("job status, p50", _percentile(times, 50), "ms")
        yield Row(
            f"job status at {_RATE} a second while rendering, p99", _percentile(times, 99), "ms", "< 25"
        )
        later = {**order, "startAt": "2099-01-01T00:00:00Z"}
        times = asyncio.run(self._submits(client, later))
        yield Row("submit while rendering, p95", _percentile(times, 95), "ms", "< 50")
        began = time.monotonic()
        many = {**later, "assets": [asset] * 1000}
        asyncio.run(client.send("POST", "/batches", many))
        yield Row("batch of 1,000 jobs while rendering", time.monotonic() - began, "s", "< 2")
        lags = asyncio.run(self._lags(client, jobs[0]))
        if lags:
            yield Row(
                f"event to each of {_STREAMS} streams while rendering, p99",
                _percentile(lags, 99),
                "ms",
                "< 1000",
            )
        for job in jobs:
            asyncio.run(client.send("POST", f"/jobs/{job}/cancel"))

    async def _status(self, client: _Client, job: str) -> list[float]:
        """Milliseconds of each, at a steady rate: a request that has to wait for a connection waits."""
        count = int(_RATE * _SECONDS * self._scale)
        return await client.steady(_RATE, count, lambda each: each.send("GET", f"/jobs/{job}"))

    async def _submits(self, client: _Client, order: dict[str, Any]) -> list[float]:
        return await client.steady(
            20, int(_SUBMITS * self._scale), lambda each: each.send("POST", "/jobs", order)
        )

    async def _lags(self, client: _Client, job: str) -> list[float]:
        """Milliseconds from the moment that an event is written down until each stream has it."""
        return await client.lags(f"/jobs/{job}/events", _STREAMS, 5.0 + 20.0 * self._scale)

    def _upload(self, client: _Client, service: Process) -> Iterator[Row]:
        size = int(_UPLOAD * self._scale)
        before = service.megabytes
        peak, began = [before], time.monotonic()
        asyncio.run(client.upload(size, lambda: peak.append(service.megabytes)))
        yield Row("upload to a folder", size / 1e6 / (time.monotonic() - began), "MB/s", "≥ 150")
        yield Row("memory that it takes", max(peak) - before, "MB", "flat")

    def _wait(self, client: _Client, job: str, percent: float) -> None:
        while (told := asyncio.run(client.send("GET", f"/jobs/{job}")))["progress"] < percent:
            if told["state"] == "failed":
                raise SystemExit(f"the job failed: {told['error']}")
            time.sleep(0.2)


class _Client:
    """Requests with the least of our own work: HTTP/1.1 by hand, over connections that stay open."""

    def __init__(self, url: str, key: str) -> None:
        place = urlsplit(url)
        self._host, self._port = str(place.hostname), int(place.port or 80)
        self._key = key

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """The data of an answer that is a good one."""
        line = await self._connect()
        try:
            return await line.send(method, path, body)
        finally:
            line.close()

    async def steady(self, rate: float, count: int, ask: Callable[[_Line], Awaitable[Any]]) -> list[float]:
        """Milliseconds of `count` requests, `rate` a second, from when each was due."""
        free: asyncio.Queue[_Line] = asyncio.Queue()
        for _ in range(_CONNECTIONS):
            free.put_nowait(await self._connect())
        began, times = time.monotonic() + 0.05, []

        async def one(number: int) -> None:
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            line = await free.get()
            await ask(line)
            times.append((time.monotonic() - due) * 1000)
            free.put_nowait(line)

        await asyncio.gather(*(one(number) for number in range(count)))
        return times

    async def lags(self, path: str, streams: int, seconds: float) -> list[float]:
        """Milliseconds by which events come after the time that stands in them: those that happen when all
        streams are open, for a stream begins with what has happened before.
        """
        came: list[tuple[float, float]] = []  # when an event happened, and when it was here
        opened = [0.0] * streams

        async def listen(number: int) -> None:
            line = await self._connect()
            try:
                async with asyncio.timeout(seconds):
                    await line.open(path)
                    opened[number] = time.time()
                    async for event in line.events():
                        came.append((event, time.time()))  # noqa: PERF401  what came counts, when time is up
            except TimeoutError:
                pass
            finally:
                line.close()

        await asyncio.gather(*(listen(number) for number in range(streams)))
        if not all(opened):
            raise SystemExit(f"only {sum(map(bool, opened))} of {streams} streams opened in {seconds:g} s")
        return [(here - event) * 1000 for event, here in came if event > max(opened)]

    async def upload(self, size: int, look: Callable[[], object]) -> None:
        """Send a file of so many bytes: a WAV of noise."""
        line = await self._connect()
        await line.stream("/assets?name=noise.wav", size, look)
        line.close()

    async def _connect(self) -> _Line:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        return _Line(reader, writer, self._key)


class _Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str) -> None:
        self._reader, self._writer, self._key = reader, writer, key

    def close(self) -> None:
        self._writer.close()

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        self._writer.write(self._head(method, path, kind, len(data)) + data)
        await self._writer.drain()
        return await self._data()

    async def stream(self, path: str, size: int, look: Callable[[], object]) -> None:
        self._writer.write(self._head("POST", path, "application/octet-stream", size))
        block = secrets.token_bytes(1 << 20)
        sizes = [each.to_bytes(4, "little") for each in (size - 8, size - 44)]
        form = b"WAVEfmt \x10\0\0\0\1\0\2\0\x80\xbb\0\0\0\xee\2\0\4\0\x10\0data"
        self._writer.write(b"RIFF" + sizes[0] + form + sizes[1])
        left = size - 44
        while left > 0:
            self._writer.write(block[:left])
            left -= len(block)
            await self._writer.drain()
            if (left >> 20) % 32 == 0:
                look()
        await self._data()
        look()

    async def open(self, path: str) -> None:
        """Ask for a stream, until its head has come."""
        head = self._head("GET", path, "", 0)
        self._writer.write(head.replace(b"\r\n\r\n", b"\r\nAccept: text/event-stream\r\n\r\n"))
        await self._reader.readuntil(b"\r\n\r\n")

    async def events(self) -> Any:
        """When each event happened, in seconds since 1970."""
        while line := await self._reader.readline():
            if line.startswith(b"data:") and (at := json.loads(line[5:]).get("timestamp")):
                yield datetime.fromisoformat(at).timestamp()

    async def _data(self) -> Any:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = json.loads(await self._reader.readexactly(int(length.split(b":")[1])))
        if not body["success"]:
            raise SystemExit(f"a request was refused: {body['error']}")
        return body["data"]

    def _head(self, method: str, path: str, kind: str, length: int) -> bytes:
        return (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self._key}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        ).encode()


def _percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
