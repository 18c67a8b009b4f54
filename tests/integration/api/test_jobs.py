"""Jobs over HTTP: seen, paged through, steered, and their files fetched."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from databases import NOON, stored

from .conftest import QUEUE, Api

pytestmark = pytest.mark.integration


EARLY = "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCBi"  # the year 1, in a zone where it is still the year before


def test_a_job_is_told_as_the_command_line_tells_it_but_without_our_folders(api: Api) -> None:
    api.add("b-1", label="Söng 🎵", metadata={"order": 7})
    film = api.folder / "20260127_song_1080p_v1.mp4"
    film.write_bytes(b"a film")
    api.complete("b-1", film)
    job = api.data("GET", "/jobs/b-1", scope="read")
    expected = json.loads(json.dumps(stored(api.kiln.database).report.to_json()))
    (artifact,) = expected["artifacts"]
    del artifact["path"]
    artifact["url"] = "/api/v1/jobs/b-1/artifacts/1"
    expected["result"] = {"video": film.name, "files": [{"path": film.name}]}
    assert job.pop("statusUrl").startswith("/api/v1/jobs/b-1/status?expires=")
    assert job.pop("crashes") == 0
    assert job == expected
    assert job["metadata"] == {"order": 7}
    assert str(api.folder) not in api("GET", "/jobs/b-1").text


def test_no_answer_says_where_anything_lies(api: Api) -> None:
    api.add("b-1", "b-2")
    film = api.folder / "film.mp4"
    film.write_bytes(b"a film")
    api.complete("b-1", film)
    api.fail("b-2")
    assert api.data("GET", "/jobs/b-2")["error"]["message"] == "'song.mp3' is no media"
    for path in ("/jobs", "/jobs/b-1", "/jobs/b-2"):
        assert str(api.folder) not in api("GET", path).text


def test_pages_hold_every_job_once_the_newest_first(api: Api) -> None:
    api.add(*(f"b-{number}" for number in range(25)))
    api.add(*(f"c-{number}" for number in range(3)), batch="c")
    seen: list[str] = []
    cursor = None
    while True:
        given = {"limit": 4} if cursor is None else {"limit": 4, "cursor": cursor}
        page = api.data("GET", "/jobs", params=given, scope="read")
        seen += [job["id"] for job in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
        assert len(page["items"]) == 4
    assert len(seen) == len(set(seen)) == 28
    times = [stored(api.kiln.database, id).report.job.created_at for id in seen]
    assert times == sorted(times, reverse=True)


def test_filters(api: Api) -> None:
    api.add("b-1", "b-2", "b-3", label="Night train")
    api.add("c-1", batch="c", pipeline="narration", label="100% _true_")
    api.fail("b-2")

    def ids(**params: object) -> set[str]:
        return {job["id"] for job in api.data("GET", "/jobs", params=params)["items"]}

    assert ids(state="failed") == {"b-2"}
    assert ids(state=["failed", "pending"], batch="b") == {"b-1", "b-2", "b-3"}
    assert ids(pipeline="narration") == {"c-1"}
    assert ids(q="NIGHT") == {"b-1", "b-2", "b-3"}
    assert ids(q="0% _t") == {"c-1"}
    assert ids(q="%") == {"c-1"}
    assert ids(q="'; DROP TABLE kiln_jobs; --") == set()
    assert ids(q="a\x00b") == set()
    assert ids(queue=QUEUE) == {"b-1", "b-2", "b-3", "c-1"}
    assert ids(queue="nobody") == set()


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": 0}, "query.limit"),
        ({"limit": 201}, "query.limit"),
        ({"limit": "many"}, "query.limit"),
        ({"state": "done"}, "query.state.0"),
        ({"q": "x" * 201}, "query.q"),
    ],
)
def test_what_is_wrong_in_a_request_is_named(api: Api, params: dict[str, object], field: str) -> None:
    answer = api("GET", "/jobs", params=params)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "INVALID_REQUEST")
    assert [each["field"] for each in error["details"]] == [field]
    assert field in error["message"]


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "MjAyNg", "é" * 10, "MjAyNi0wMS0yN1QxMjowMDowMCBi", EARLY]
)
def test_a_page_there_is_not(api: Api, cursor: str) -> None:
    refusal = api.refusal("GET", "/jobs", params={"cursor": cursor})
    assert refusal[:2] == (404, "PAGE_NOT_FOUND")


def test_a_job_there_is_not(api: Api) -> None:
    for method, path in [
        ("GET", "/jobs/b-1"),
        ("POST", "/jobs/b-1/cancel"),
        ("POST", "/jobs/b-1/retry"),
        ("GET", "/jobs/b-1/artifacts/1"),
    ]:
        assert api.refusal(method, path) == (404, "JOB_NOT_FOUND", "there is no job b-1")


@pytest.mark.parametrize("id", ["%00", "..%2f..%2fetc", "a b", "é", "x" * 301, "b-1%0a"])
def test_ids_that_are_none(api: Api, id: str) -> None:
    api.add("b-1")
    assert api("GET", f"/jobs/{id}").status_code in (404, 422)


def test_cancelled_and_queued_again(api: Api) -> None:
    api.add("b-1")
    assert api.data("POST", "/jobs/b-1/cancel", scope="submit")["state"] == "cancelled"
    again = api.refusal("POST", "/jobs/b-1/cancel", scope="submit")
    assert again == (409, "CONFLICT", "job b-1 has already ended: it is cancelled")
    job = api.data("POST", "/jobs/b-1/retry", scope="submit", json={"fromScratch": True})
    assert (job["state"], job["attempt"]) == ("pending", 2)
    assert api.refusal("POST", "/jobs/b-1/retry", scope="submit")[:2] == (409, "CONFLICT")


def test_a_word_that_is_unknown_is_wrong(api: Api) -> None:
    api.add("b-1")
    status, code, message = api.refusal("POST", "/jobs/b-1/retry", json={"fromscratch": True})
    assert (status, code) == (422, "INVALID_REQUEST")
    assert "body.fromscratch" in message
    assert stored(api.kiln.database).report.state == "pending"


def test_files_and_ranges_of_them(api: Api) -> None:
    api.add("b-1", "b-2")
    content = bytes(range(256)) * 4000
    film, other = api.folder / "film ü \"'; x.mp4", api.folder / "film.jpg"
    film.write_bytes(content)
    other.write_bytes(b"picture")
    api.complete("b-1", film, other)
    first, second = (each["url"] for each in api.data("GET", "/jobs/b-1")["artifacts"])
    whole = api("GET", first, prefix="", scope="read")
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["content-disposition"].startswith("attachment; filename*=utf-8''film%20%C3%BC")
    assert whole.headers["content-security-policy"].endswith("sandbox")
    part = api("GET", first, prefix="", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, content[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(content)}"
    beyond = api("GET", first, prefix="", headers={"Range": f"bytes={len(content)}-"})
    assert beyond.status_code == 416
    assert api("GET", second, prefix="").content == b"picture"
    assert api.refusal("GET", "/jobs/b-1/artifacts/3")[:2] == (404, "ARTIFACT_NOT_FOUND")
    assert api.refusal("GET", "/jobs/b-2/artifacts/1")[:2] == (404, "ARTIFACT_NOT_FOUND")
    film.write_bytes(b"another film")
    assert api.refusal("GET", first, prefix="")[:2] == (410, "ARTIFACT_GONE")
    film.unlink()
    gone = api.refusal("GET", first, prefix="")
    assert gone[:2] == (410, "ARTIFACT_GONE")
    assert str(api.folder) not in gone[2]


def test_batches(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.add("b-1", "b-2", "b-3")
    api.fail("b-3")
    batch = api.data("GET", "/batches/b", scope="read")
    assert (batch["state"], batch["total"], batch["counts"]["failed"]) == ("processing", 3, 1)
    assert [each["id"] for each in api.data("GET", "/batches", scope="read")["items"]] == ["b"]
    monkeypatch.setattr("renderkiln.engine.bulk.MOST", 1)
    first = api.data("POST", "/batches/b/cancel", scope="submit")
    assert (first["matched"], first["changed"], first["jobs"]) == (2, 1, ["b-1"])
    body = {"cursor": first["nextCursor"]}
    assert api.data("POST", "/batches/b/cancel", scope="submit", json=body)["jobs"] == ["b-2"]
    assert api.data("POST", "/batches/b/retry", scope="submit")["jobs"] == ["b-3"]
    assert api.data("GET", "/batches/b")["counts"]["pending"] == 1
    for method, path in [("GET", ""), ("POST", "/cancel"), ("POST", "/retry")]:
        assert api.refusal(method, f"/batches/c{path}") == (404, "BATCH_NOT_FOUND", "there is no batch 'c'")


def test_queues_are_paused_and_resumed(api: Api) -> None:
    api.add("b-1", "b-2")
    queue = next(each for each in api.data("GET", "/queues", scope="read") if each["name"] == QUEUE)
    assert (queue["paused"], queue["counts"]["pending"]) == (False, 2)
    assert queue["oldestSeconds"] > timedelta(days=1).total_seconds()  # since NOON of another year
    assert api.data("POST", f"/queues/{QUEUE}/pause")["paused"] is True
    assert api.data("POST", f"/queues/{QUEUE}/resume")["paused"] is False
    assert api.refusal("POST", "/queues/nobody/pause")[:2] == (404, "QUEUE_NOT_FOUND")
    assert NOON.year == 2026


def test_a_retry_begins_at_a_stage_that_there_is(api: Api) -> None:
    api.add("b-1", pipeline="visualizer", params={})
    api.fail("b-1")
    wrong = api("POST", "/jobs/b-1/retry", scope="submit", json={"from": "rendr"})
    error = wrong.json()["error"]
    assert (wrong.status_code, error["code"]) == (422, "INVALID_REQUEST")
    assert error["details"][0]["field"] == "body.from"
    names = [each["name"] for each in api.data("GET", "/jobs/b-1/stages")]
    assert error["message"].endswith(f"there are: {', '.join(names)}")
    both = {"from": names[-1], "fromScratch": True}
    assert api.refusal("POST", "/jobs/b-1/retry", scope="submit", json=both)[0] == 422
    assert stored(api.kiln.database).report.state == "failed"
    job = api.data("POST", "/jobs/b-1/retry", scope="submit", json={"from": names[-1]})
    assert (job["state"], job["attempt"]) == ("pending", 2)
    assert api.data("GET", "/jobs/b-1/history")["items"][-1]["message"].endswith(f"the stage {names[-1]}")


def test_pages_hold_every_batch_once_the_newest_first(api: Api) -> None:
    for batch in "abcde":
        api.add(f"{batch}-1", batch=batch)
    seen: list[str] = []
    cursor = None
    while True:
        given = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        page = api.data("GET", "/batches", params=given, scope="read")
        seen += [each["id"] for each in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == ["e", "d", "c", "b", "a"]
    assert api.refusal("GET", "/batches", params={"cursor": "nonsense"})[:2] == (404, "PAGE_NOT_FOUND")
