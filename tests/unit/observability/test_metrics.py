"""What a worker counts of its jobs."""

from __future__ import annotations

from typing import Any

from databases import NOON
from renderkiln import __version__
from renderkiln.domain.event import Event, EventName
from renderkiln.observability.metrics import WorkMetrics, exposed, new_registry


def test_attempts_stages_and_cpu_are_counted_by_pipeline() -> None:
    metrics = WorkMetrics()
    registry = new_registry(metrics.registry)

    def say(name: EventName, stage: str | None = None, **facts: Any) -> None:
        metrics.hear(Event(name, "b-1", NOON, 0.0, stage, facts=facts))

    say("job.started", pipeline="narration")
    say("stage.completed", "voice", seconds=3.0, cpu_seconds=2.0)
    say("stage.failed", "mix", seconds=1.0, cpu_seconds=0.5)
    say("job.retrying", seconds=10)
    say("job.started", pipeline="narration")
    say("job.completed")

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("renderkiln_attempts_total", pipeline="narration", outcome="retrying") == 1
    assert value("renderkiln_attempts_total", pipeline="narration", outcome="completed") == 1
    assert value("renderkiln_cpu_seconds_total", pipeline="narration") == 2.5
    assert value("renderkiln_stage_seconds_count", pipeline="narration", stage="voice") == 1
    assert value("renderkiln_stage_seconds_bucket", pipeline="narration", stage="voice", le="2.5") == 0
    assert value("renderkiln_stage_seconds_bucket", pipeline="narration", stage="voice", le="5.0") == 1
    assert value("renderkiln_stage_seconds_count", pipeline="narration", stage="mix") is None
    text = exposed(registry)[0].decode()
    assert f'renderkiln_build_info{{version="{__version__}"}} 1.0' in text
