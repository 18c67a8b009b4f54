"""What is written is there after any death; what is torn, changed or foreign is not believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from renderkiln.domain.errors import Permanent
from renderkiln.engine.checkpoint import Checkpoint
from renderkiln.engine.journal import Journal
from renderkiln.pipelines.contract import Result

pytestmark = pytest.mark.integration
NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)


def open_journal(folder: Path, fingerprint: str = "f", created_at: datetime = NOON) -> Journal:
    return Journal(folder / "journal.jsonl", folder, fingerprint=fingerprint, created_at=created_at)


def checkpoint(folder: Path, name: str = "film.mkv", content: bytes = b"film") -> Checkpoint:
    (folder / name).write_bytes(content)
    return Checkpoint.seal(Result({"name": name}, {"film": Path(name)}), folder)


def test_what_was_recorded_is_found_again(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        assert journal.is_empty
        journal.record_part("render", "001", checkpoint(tmp_path, "001.mkv"))
        journal.record_warning("render", "silent", "No sound")
        journal.record("render", checkpoint(tmp_path))
    with open_journal(tmp_path, created_at=NOON + timedelta(days=1)) as journal:
        assert not journal.is_empty
        assert journal.created_at == NOON
        assert journal.result_of("render") == Result({"name": "film.mkv"}, {"film": tmp_path / "film.mkv"})
        assert journal.parts_of("render")["001"].files == {"film": tmp_path / "001.mkv"}
        assert journal.warnings_of("render") == {"silent": "No sound"}
        assert journal.result_of("join") is None
        assert journal.parts_of("join") == {}


def test_another_fingerprint_begins_anew(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        journal.record("render", checkpoint(tmp_path))
    with open_journal(tmp_path, "g", NOON + timedelta(days=1)) as journal:
        assert journal.is_empty
        assert journal.created_at == NOON + timedelta(days=1)


@pytest.mark.parametrize("change", ["missing", "shorter", "other"])
def test_a_changed_file_is_not_believed(tmp_path: Path, change: str) -> None:
    film = tmp_path / "film.mkv"
    with open_journal(tmp_path) as journal:
        journal.record("render", checkpoint(tmp_path))
        journal.record_part("render", "001", checkpoint(tmp_path))
        assert journal.result_of("render")
        match change:
            case "missing":
                film.unlink()
            case "shorter":
                film.write_bytes(b"fil")
            case "other":
                film.write_bytes(b"folm")
        assert journal.result_of("render") is None
        assert journal.parts_of("render") == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(cut=st.integers(0, 2000), garbage=st.binary(max_size=20))
def test_a_torn_journal_keeps_its_whole_lines_and_takes_new_ones(
    tmp_path: Path, cut: int, garbage: bytes
) -> None:
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    with open_journal(tmp_path) as journal:
        for number in range(4):
            journal.record_part("render", str(number), checkpoint(tmp_path))
    whole = path.read_bytes()
    path.write_bytes(whole[:cut] + garbage)
    kept = whole[:cut].count(b"\n") - 1 if cut < len(whole) else 4
    with open_journal(tmp_path) as journal:
        assert list(journal.parts_of("render")) == [str(number) for number in range(kept)]
        journal.record_part("render", "new", checkpoint(tmp_path))
    with open_journal(tmp_path) as journal:
        assert list(journal.parts_of("render"))[-1] == "new"


def test_files_outside_the_work_folder_are_checked_as_well(tmp_path: Path) -> None:
    work, delivered = tmp_path / "work", tmp_path / "film.mp4"
    work.mkdir()
    delivered.write_bytes(b"film")
    with open_journal(work) as journal:
        journal.record("deliver", Checkpoint.seal(Result({}, {"film": delivered}), work))
        result = journal.result_of("deliver")
        assert result is not None
        assert result.files == {"film": delivered}
        delivered.unlink()
        assert journal.result_of("deliver") is None


def test_a_result_must_be_true_and_json(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="did not make it"):
        Checkpoint.seal(Result({}, {"film": Path("film.mkv")}), tmp_path)
    with pytest.raises(Permanent, match="must be JSON"):
        Checkpoint.seal(Result({"x": float("nan")}), tmp_path)
