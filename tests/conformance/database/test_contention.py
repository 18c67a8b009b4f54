"""Many processes and threads write at once: nobody is told it is locked, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from databases import NOON, a_job, add_batch, rows
from renderkiln.database import schema, workers
from renderkiln.database.engine import Database
from renderkiln.database.workers import NewWorker

WRITER = Path(__file__).with_name("writer.py")
PROCESSES, TURNS = 4, 100


def test_four_processes_write_at_once(database: Database) -> None:
    add_batch(database, *(a_job(f"b-{number}") for number in range(PROCESSES)))
    writers = [
        subprocess.Popen([sys.executable, WRITER, database.url, f"b-{number}", str(TURNS)])
        for number in range(PROCESSES)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * PROCESSES
    assert [row["progress"] for row in rows(database, schema.jobs)] == [TURNS] * PROCESSES
    assert len(rows(database, schema.events)) == PROCESSES * TURNS


def test_more_threads_than_connections_write_and_read_at_once(database: Database) -> None:
    with database.write() as connection:
        workers.register(connection, NewWorker("w1", "kiln-1", "host", 1, (), 1, NOON))

    def beat(_: int) -> None:
        for _ in range(5):
            with database.write() as connection:
                workers.beat(connection, "w1", NOON)
            with database.read() as connection:
                assert workers.beats(connection)["w1"] > 0

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(beat, range(40)))
    with database.read() as connection:
        assert workers.beats(connection) == {"w1": 200}


def test_a_reader_neither_waits_for_a_writer_nor_holds_one_up(database: Database) -> None:
    with database.read() as reading:
        assert workers.beats(reading) == {}
        with database.write() as writing:
            workers.register(writing, NewWorker("w1", "kiln-1", "host", 1, (), 1, NOON))
            with database.read() as another:
                assert workers.beats(another) == {}
    with database.read() as reading:
        assert workers.beats(reading) == {"w1": 0}
