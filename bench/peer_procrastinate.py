"""The peer: Procrastinate on the same Postgres server, with its defaults: one process, tasks in its own loop.

Prints JSON: seconds that each defer took (`enqueue`), seconds from each defer to its task (`reached`), tasks
a second (`rate`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import time
from typing import Any

from procrastinate import App, PsycopgConnector

url, at_once, enqueued, worked_off, picked_up = sys.argv[1], *(int(text) for text in sys.argv[2:6])
logging.getLogger("procrastinate").setLevel(logging.ERROR)  # it warns of apps that are in no package
app = App(connector=PsycopgConnector(conninfo=url))
reached: dict[int, float] = {}


async def note(number: int) -> None:
    reached[number] = time.time()


nothing = app.task(note)


async def enqueue() -> list[float]:
    seconds = []
    for number in range(enqueued):
        start = time.perf_counter()
        await nothing.defer_async(number=number)
        seconds.append(time.perf_counter() - start)
    return seconds


async def rate() -> float:
    """Of what was enqueued one by one, and of the rest."""
    rest: list[dict[str, Any]] = [{"number": number} for number in range(enqueued, worked_off)]
    await nothing.batch_defer_async(*rest)
    start = time.monotonic()
    await app.run_worker_async(concurrency=at_once, wait=False, install_signal_handlers=False)
    return len(reached) / (time.monotonic() - start)


async def pick_up() -> list[float]:
    """By a worker that has nothing else to do."""
    worker = asyncio.create_task(app.run_worker_async(concurrency=at_once, install_signal_handlers=False))
    await asyncio.sleep(2)
    seconds = []
    for number in range(-picked_up, 0):
        await nothing.defer_async(number=number)
        committed = time.time()
        await asyncio.sleep(random.uniform(0.25, 0.55))
        seconds.append(reached[number] - committed)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    return seconds


async def main() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        print(json.dumps({"enqueue": await enqueue(), "rate": await rate(), "reached": await pick_up()}))


asyncio.run(main())
