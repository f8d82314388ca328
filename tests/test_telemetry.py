"""Prometheus and OpenTelemetry show the numbers of the streams, in their own conventions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from rap_edge.errors import NotSupported
from rap_edge.runtime.stats import StageTimes, StreamStats
from rap_edge.runtime.telemetry import (
    QUANTITIES,
    observe_with_opentelemetry,
    prometheus_collector,
)

STATS = StreamStats(
    ticks=250,
    presented=240,
    held=10,
    held_by_reason={"late": 10},
    produced=247,
    dropped=3,
    queued=4,
    late=12,
    skipped=8,
    underruns=1,
    interrupts=2,
    level=1,
    level_share=(0.75, 0.25),
    skew_ms_p50=-5.0,
    skew_ms_p95=20.0,
    skew_ms_max=38.0,
    first_frame_ms=310.0,
    first_frame_from_enough_audio_ms=None,
    interrupt_ms_p50=4.0,
    interrupt_ms_p95=9.0,
    stage_ms={"decoder": StageTimes(62, 11.0, 14.0, 19.0, 25.0, 700.0)},
    played_seconds=9.5,
    open_seconds=10.0,
)


class FakeStream:
    def __init__(self, stats: StreamStats = STATS) -> None:
        self.numbers = stats
        self.closed = False

    def stats(self) -> StreamStats:
        return self.numbers


def scraped(streams: dict[str, FakeStream]) -> tuple[Any, str]:
    """Register a collector, and give its registry and the text that Prometheus gets."""
    prometheus = pytest.importorskip(
        "prometheus_client", reason="missing: pip install 'rap-edge[prometheus]'"
    )
    registry = prometheus.CollectorRegistry()
    registry.register(prometheus_collector(streams))
    return registry, prometheus.generate_latest(registry).decode()


def collected(streams: dict[str, FakeStream]) -> dict[str, Any]:
    """Collect through the SDK; metrics by name."""
    pytest.importorskip("opentelemetry.sdk", reason="missing: pip install opentelemetry-sdk")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    observe_with_opentelemetry(provider.get_meter("test"), streams)
    data = reader.get_metrics_data()
    provider.shutdown()
    if data is None:
        return {}
    scopes = data.resource_metrics[0].scope_metrics
    return {metric.name: metric for scope in scopes for metric in scope.metrics}


def test_prometheus_gets_the_numbers_of_every_stream() -> None:
    registry, _ = scraped({"a": FakeStream(), "b": FakeStream(replace(STATS, presented=1))})
    expected = [
        ("rap_edge_frames_total", {"stream": "a", "outcome": "presented"}, 240),
        ("rap_edge_frames_total", {"stream": "b", "outcome": "presented"}, 1),
        ("rap_edge_frames_total", {"stream": "a", "outcome": "skipped"}, 8),
        ("rap_edge_made_frames_total", {"stream": "a"}, 247),
        ("rap_edge_late_frames_total", {"stream": "a"}, 12),
        ("rap_edge_queued_frames", {"stream": "a"}, 4),
        ("rap_edge_level", {"stream": "a"}, 1),
        ("rap_edge_level_time_ratio", {"stream": "a", "level": "1"}, 0.25),
        ("rap_edge_av_skew_seconds", {"stream": "a", "quantile": "0.5"}, -0.005),
        ("rap_edge_av_skew_seconds", {"stream": "a", "quantile": "1"}, 0.038),
        ("rap_edge_first_frame_seconds", {"stream": "a", "since": "first_sample"}, 0.31),
        ("rap_edge_interrupt_seconds", {"stream": "a", "quantile": "0.95"}, 0.009),
        ("rap_edge_stage_seconds", {"stream": "a", "stage": "decoder", "quantile": "0.99"}, 0.019),
        ("rap_edge_stage_runs_total", {"stream": "a", "stage": "decoder"}, 62),
        ("rap_edge_stage_busy_seconds_total", {"stream": "a", "stage": "decoder"}, 0.7),
        ("rap_edge_underruns_total", {"stream": "a"}, 1),
        ("rap_edge_interrupts_total", {"stream": "a"}, 2),
        ("rap_edge_played_seconds_total", {"stream": "a"}, 9.5),
    ]
    for name, labels, value in expected:
        assert registry.get_sample_value(name, labels) == pytest.approx(value)


def test_what_has_not_happened_has_no_sample() -> None:
    registry, text = scraped({"a": FakeStream()})
    labels = {"stream": "a", "since": "enough_audio"}
    assert registry.get_sample_value("rap_edge_first_frame_seconds", labels) is None
    assert "enough_audio" not in text
    assert "nan" not in text.lower()


def test_prometheus_can_parse_what_it_gets() -> None:
    _, text = scraped({'odd "name"\n': FakeStream()})
    from prometheus_client.parser import text_string_to_metric_families

    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert set(families) == {quantity.prometheus_name for quantity in QUANTITIES}
    for quantity in QUANTITIES:
        assert families[quantity.prometheus_name].type == quantity.kind
        for sample in families[quantity.prometheus_name].samples:
            assert sample.labels["stream"] == 'odd "name"\n'


def test_streams_may_come_and_close_between_scrapes() -> None:
    streams = {"a": FakeStream()}
    registry, _ = scraped(streams)
    streams["b"] = FakeStream()
    streams["a"].closed = True
    assert registry.get_sample_value("rap_edge_level", {"stream": "b"}) == 1
    assert registry.get_sample_value("rap_edge_level", {"stream": "a"}) is None


def test_opentelemetry_gets_the_same_numbers_with_units() -> None:
    metrics = collected({"a": FakeStream()})
    assert set(metrics) == {f"rap_edge.{quantity.name}" for quantity in QUANTITIES}
    for quantity in QUANTITIES:
        metric = metrics[f"rap_edge.{quantity.name}"]
        found = [(dict(point.attributes), point.value) for point in metric.data.data_points]
        assert found == [({"stream": "a", **labels}, v) for labels, v in quantity.read(STATS)]
        assert metric.unit == quantity.opentelemetry_unit
        assert getattr(metric.data, "is_monotonic", False) == (quantity.kind == "counter")
    assert metrics["rap_edge.av_skew"].unit == "s"
    assert metrics["rap_edge.frames"].unit == "{frames}"


def test_opentelemetry_has_nothing_to_tell_without_streams() -> None:
    assert collected({}) == {}


@pytest.mark.parametrize(
    ("module", "extra", "connect"),
    [
        ("prometheus_client", "prometheus", prometheus_collector),
        ("opentelemetry", "opentelemetry", partial(observe_with_opentelemetry, None)),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    module: str, extra: str, connect: Callable[[Any], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NotSupported, match=rf"pip install 'rap-edge\[{extra}\]'"):
        connect({})
