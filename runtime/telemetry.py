"""The numbers of streams for Prometheus and OpenTelemetry: read when asked for, never pushed.

docs/observability.md says what each number means. Both take a mapping of names to streams, which
may change while it is watched; a stream that is closed leaves no samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from rap_edge.errors import NotSupported
from rap_edge.runtime.stats import StreamStats

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation
    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector

MS_PER_S = 1000.0

# Labels of a sample beside the stream, and its value
Samples = Iterator[tuple[dict[str, str], float]]


class Watched(Protocol):
    """What has numbers: a stream."""

    @property
    def closed(self) -> bool: ...

    def stats(self) -> StreamStats: ...


@dataclass(frozen=True)
class Quantity:
    """One metric: its name without prefix and unit, and how to read it off the numbers."""

    name: str
    kind: Literal["counter", "gauge"]
    unit: Literal["", "seconds", "ratio"]
    help: str
    read: Callable[[StreamStats], Samples]

    @property
    def prometheus_name(self) -> str:
        """As exposed, without the `_total` that a counter ends with."""
        return f"rap_edge_{self.name}_{self.unit}".rstrip("_")

    @property
    def opentelemetry_unit(self) -> str:
        """The unit by UCUM, as OpenTelemetry asks for."""
        return {"seconds": "s", "ratio": "1"}.get(self.unit, f"{{{self.name}}}")


def _count(field: str) -> Callable[[StreamStats], Samples]:
    def read(stats: StreamStats) -> Samples:
        yield {}, float(getattr(stats, field))

    return read


def _quantiles(**fields: str) -> Callable[[StreamStats], Samples]:
    """Read fields in ms as quantiles in s; q50 is the median, q100 the largest."""

    def read(stats: StreamStats) -> Samples:
        for quantile, field in fields.items():
            value = getattr(stats, field)
            if value is not None:
                yield {"quantile": f"{int(quantile[1:]) / 100:g}"}, value / MS_PER_S

    return read


def _frames(stats: StreamStats) -> Samples:
    for outcome in ("presented", "held", "dropped", "skipped"):
        yield {"outcome": outcome}, float(getattr(stats, outcome))


def _first_frame(stats: StreamStats) -> Samples:
    since = {
        "first_sample": stats.first_frame_ms,
        "enough_audio": stats.first_frame_from_enough_audio_ms,
    }
    for start, value in since.items():
        if value is not None:
            yield {"since": start}, value / MS_PER_S


def _level_share(stats: StreamStats) -> Samples:
    for level, share in enumerate(stats.level_share):
        yield {"level": str(level)}, share


def _stage_quantiles(stats: StreamStats) -> Samples:
    for stage, times in stats.stage_ms.items():
        found = {"0.5": times.p50, "0.95": times.p95, "0.99": times.p99, "1": times.max}
        for quantile, value in found.items():
            yield {"stage": stage, "quantile": quantile}, value / MS_PER_S


def _stage_runs(stats: StreamStats) -> Samples:
    for stage, times in stats.stage_ms.items():
        yield {"stage": stage}, float(times.count)


def _stage_busy(stats: StreamStats) -> Samples:
    for stage, times in stats.stage_ms.items():
        yield {"stage": stage}, times.total / MS_PER_S


_SKEW = _quantiles(q50="skew_ms_p50", q95="skew_ms_p95", q100="skew_ms_max")
_INTERRUPT = _quantiles(q50="interrupt_ms_p50", q95="interrupt_ms_p95")

QUANTITIES = (
    Quantity("frames", "counter", "", "Frames by what became of them.", _frames),
    Quantity("made_frames", "counter", "", "Frames that were made.", _count("produced")),
    Quantity("queued_frames", "gauge", "", "Frames made and not shown yet.", _count("queued")),
    Quantity("late_frames", "counter", "", "Frames held or shown late.", _count("late")),
    Quantity("underruns", "counter", "", "Utterances that ran dry.", _count("underruns")),
    Quantity("interrupts", "counter", "", "Interrupted utterances.", _count("interrupts")),
    Quantity("level", "gauge", "", "Level of the ladder; 0 is best.", _count("level")),
    Quantity("level_time", "gauge", "ratio", "Share of time at each level.", _level_share),
    Quantity("av_skew", "gauge", "seconds", "Frame against audio as it is shown.", _SKEW),
    Quantity("first_frame", "gauge", "seconds", "To the first frame of speech.", _first_frame),
    Quantity("interrupt", "gauge", "seconds", "From the call to its return.", _INTERRUPT),
    Quantity("stage", "gauge", "seconds", "One run of a stage.", _stage_quantiles),
    Quantity("stage_runs", "counter", "", "Runs of a stage.", _stage_runs),
    Quantity("stage_busy", "counter", "seconds", "Time spent in a stage.", _stage_busy),
    Quantity("played", "counter", "seconds", "Speech that was heard.", _count("played_seconds")),
    Quantity("open", "counter", "seconds", "Since the stream opened.", _count("open_seconds")),
)


def prometheus_collector(streams: Mapping[str, Watched]) -> Collector:
    """Return a collector for `prometheus_client.REGISTRY.register`.

    `streams` are read once for each scrape. Raises NotSupported if `prometheus_client` is not
    installed.
    """
    try:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
        from prometheus_client.registry import Collector
    except ImportError as error:
        raise _missing("prometheus_client", "prometheus") from error
    families: dict[str, Any] = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}

    class StreamCollector(Collector):
        def describe(self) -> Iterator[Metric]:
            for quantity in QUANTITIES:
                yield families[quantity.kind](quantity.prometheus_name, quantity.help)

        def collect(self) -> Iterator[Metric]:
            numbers = _read(streams)
            for quantity in QUANTITIES:
                family: Metric = families[quantity.kind](quantity.prometheus_name, quantity.help)
                suffix = "_total" if quantity.kind == "counter" else ""
                for stream, stats in numbers.items():
                    for labels, value in quantity.read(stats):
                        labelled = {"stream": stream, **labels}
                        family.add_sample(quantity.prometheus_name + suffix, labelled, value)
                yield family

    return StreamCollector()


def observe_with_opentelemetry(meter: Meter, streams: Mapping[str, Watched]) -> None:
    """Create observable instruments that read `streams` at each collection.

    Names are `rap_edge.frames` and so on: without unit, which the instrument has of itself. Raises
    NotSupported if `opentelemetry-api` is not installed.
    """
    try:
        from opentelemetry.metrics import Observation
    except ImportError as error:
        raise _missing("opentelemetry-api", "opentelemetry") from error

    def observe(quantity: Quantity, options: CallbackOptions) -> Iterator[Observation]:
        for stream, stats in _read(streams).items():
            for labels, value in quantity.read(stats):
                yield Observation(value, {"stream": stream, **labels})

    for quantity in QUANTITIES:
        create = (
            meter.create_observable_counter
            if quantity.kind == "counter"
            else meter.create_observable_gauge
        )
        create(
            f"rap_edge.{quantity.name}",
            callbacks=[partial(observe, quantity)],
            unit=quantity.opentelemetry_unit,
            description=quantity.help,
        )


def _read(streams: Mapping[str, Watched]) -> dict[str, StreamStats]:
    """Read the numbers of all streams that are open."""
    return {name: stream.stats() for name, stream in list(streams.items()) if not stream.closed}


def _missing(package: str, extra: str) -> NotSupported:
    return NotSupported(
        f"{package} is not installed: expected it for this; pip install 'rap-edge[{extra}]'"
    )
