"""A job's trace goes on in another process, and comes to a collector over OTLP."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import use_span

from renderkiln.observability import traces

from .conftest import Rig
from .worker_commands import Commands

pytestmark = pytest.mark.integration

ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Collector(ThreadingHTTPServer):
    """Takes what OTLP/HTTP sends, and nothing else."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> dict[str, tuple[str, str, str]]:
        """By name: trace, parent and service."""
        return {
            span.name: (span.trace_id.hex(), span.parent_span_id.hex(), service)
            for request in self.requests
            for resource in request.resource_spans
            for service in [
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            ]
            for scope in resource.scope_spans
            for span in scope.spans
        }


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/traces"
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def command(tmp_path: Path, database_url: str) -> Iterator[Commands]:
    commands = Commands(tmp_path, database_url)
    yield commands
    commands.end()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@ON_ONE
def test_a_worker_goes_on_with_the_trace_of_who_asked(
    rig: Rig, command: Commands, collector: Collector
) -> None:
    provider = traces.new_provider("test", {})
    asking = provider.get_tracer("test").start_span("asking")
    with use_span(asking):
        (id,) = rig.submit("a", segments=1)
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "IDLE_TIMEOUT": "0.5"}
    worker = command.start(env=environ)
    assert worker.process.wait(timeout=120) == 0, worker.log.read_text()
    assert rig.state(id) == "completed"
    spans = collector.spans()
    stages = {f"stage {name}" for name in ("gather", "render", "join", "deliver")}
    assert set(spans) == {"wait in queue", "attempt demo_pipeline:Demo", *stages}
    context = asking.get_span_context()
    assert {trace for trace, _, _ in spans.values()} == {f"{context.trace_id:032x}"}
    assert spans["attempt demo_pipeline:Demo"][1] == f"{context.span_id:016x}"
    assert {service for _, _, service in spans.values()} == {"renderkiln-worker"}
    provider.shutdown()


@ON_ONE
def test_a_collector_that_is_away_holds_nothing_up(rig: Rig, command: Commands) -> None:
    (id,) = rig.submit("a", segments=1)
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "IDLE_TIMEOUT": "0.5"}
    worker = command.start(env=environ)
    assert worker.process.wait(timeout=60) == 0, worker.log.read_text()
    assert rig.state(id) == "completed"
