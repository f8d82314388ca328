"""What `rap-edge run` says: a status line while it runs, and the numbers at its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rap_edge.runtime.live import Stream
    from rap_edge.runtime.stats import StreamStats

SCHEMA_VERSION = 1
REFRESH_S = 0.25


@contextmanager
def status_line(stream: Stream) -> Iterator[Callable[[], None]]:
    """Give a function that tells how the stream does, on stderr if that is a terminal."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda: None
        return
    next_s = 0.0
    with Live(console=console, transient=True, auto_refresh=False) as line:

        def tell() -> None:
            nonlocal next_s
            now_s = time.monotonic()
            if now_s >= next_s:
                next_s = now_s + REFRESH_S
                line.update(status(stream.stats()), refresh=True)

        yield tell


def status(stats: StreamStats) -> str:
    """Say in one line how a stream does."""
    return (
        f"{stats.played_seconds:.1f} s heard, {stats.presented} frames, {_late(stats)} late, "
        f"level {stats.level}, skew {_ms(stats.skew_ms_p50)}, {stats.queued} queued"
    )


def as_json(stats: StreamStats, backend: str, bundle: str, trace: Path | None) -> str:
    about = {"schema_version": SCHEMA_VERSION, "backend": backend, "bundle": bundle}
    return json.dumps({**about, "trace": trace and str(trace), **asdict(stats)})


def summary(stats: StreamStats, backend: str, bundle: str, trace: Path | None) -> str:
    lines = [
        f"{stats.played_seconds:.2f} s heard of {stats.open_seconds:.2f} s open, "
        f"on {backend} with bundle {bundle}",
        f"frames: {stats.presented} shown of {stats.ticks} due, {_late(stats)} late, "
        f"{stats.dropped} dropped, {stats.skipped} skipped; "
        f"{100 * (stats.level_share[0] if stats.level_share else 0):.0f} % of the time at level 0",
        f"skew: {_ms(stats.skew_ms_p50)} median, {_ms(stats.skew_ms_p95)} p95, "
        f"{_ms(stats.skew_ms_max)} largest; {stats.underruns} underruns",
        f"first frame of speech: {_ms(stats.first_frame_ms)} after the first sample, "
        f"{_ms(stats.first_frame_from_enough_audio_ms)} after enough audio",
    ]
    lines += [
        f"{stage}: {times.p50:.1f} ms median, {times.p95:.1f} p95, {times.p99:.1f} p99, "
        f"{times.count} runs"
        for stage, times in stats.stage_ms.items()
    ]
    if trace is not None:
        lines.append(f"{trace}: open it at ui.perfetto.dev")
    return "\n".join(lines)


def _late(stats: StreamStats) -> str:
    return f"{100 * stats.late / max(stats.ticks, 1):.1f} %"


def _ms(value: float | None) -> str:
    return "no" if value is None else f"{value:.0f} ms"
