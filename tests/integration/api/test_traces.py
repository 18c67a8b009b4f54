"""A request is a span, and the jobs it queues belong to its trace."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from renderkiln.api.app import create_app
from renderkiln.api.server import Server
from renderkiln.observability import traces
from waiting import until

from .conftest import ON_ONE, Api

pytestmark = pytest.mark.integration

TRACE = "0af7651916cd43dd8448eb211c80319c"
ASKED = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def traced(api: Api) -> Iterator[tuple[httpx.Client, InMemorySpanExporter]]:
    """The same room behind a server that traces, and its spans."""
    memory, provider = InMemorySpanExporter(), traces.new_provider("test", {})
    provider.add_span_processor(SimpleSpanProcessor(memory))
    server = Server(create_app(api.kiln, provider), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    headers = {"Authorization": f"Bearer {api.keys['submit']}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        yield client, memory
    server.stop()
    thread.join(timeout=20)


def spans_of(memory: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    """The spans there are: one ends only after its answer has arrived."""
    until(memory.get_finished_spans)
    return memory.get_finished_spans()


@ON_ONE
def test_jobs_belong_to_the_trace_of_their_request(
    api: Api, traced: tuple[httpx.Client, InMemorySpanExporter]
) -> None:
    client, memory = traced
    order = {"pipeline": "narration", "params": {"script": "In."}}
    answer = client.post("/api/v1/jobs", json=order, headers={"traceparent": ASKED})
    assert answer.status_code == 202
    client.get("/healthz")
    (span,) = spans_of(memory)
    assert span.context is not None
    assert span.parent is not None
    assert (span.name, f"{span.parent.span_id:016x}") == ("POST submitJob", ASKED.split("-")[2])
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "url.path": "/api/v1/jobs",
        "http.response.status_code": 202,
    }
    stored = api.kiln.room.job(answer.json()["data"]["id"])
    assert stored.traceparent == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert "traceparent" not in answer.text


@ON_ONE
@pytest.mark.parametrize("given", ["", "00-0-0-00", "nonsense", "00-" + "f" * 4000])
def test_a_trace_that_is_none_begins_anew(
    traced: tuple[httpx.Client, InMemorySpanExporter], given: str
) -> None:
    client, memory = traced
    assert client.get("/api/v1/jobs", headers={"traceparent": given}).status_code == 200
    (span,) = spans_of(memory)
    assert (span.name, span.parent) == ("GET listJobs", None)
