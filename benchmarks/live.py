"""A live stream in real time: first frames, interrupts, late frames, CPU and memory.

    python -m rap_edge.benchmarks.live --minutes 5 --load 1

Somebody speaks in turns of 2 to 6 s, pushed in real time in blocks of 20 ms; `--interrupts` is the
share that is cut short. Somebody pulls 25 frames a second. Meanwhile `--load` processes keep a
core busy each. Held, repeated and half-rate frames count as late. Every frame's audio is compared
with what was pushed. The bare graphs are run afterwards, at the same pace: the ratio holds at full
level. The memory is that of the process: with `--backend auto` it includes the peak of measuring
which backend is the fastest, unless that was remembered.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rap_edge
from rap_edge.benchmarks.conversation import Speaker, Turn, note
from rap_edge.benchmarks.host import Host
from rap_edge.portrait import Crop
from rap_edge.runtime import Avatar, Model

SCHEMA_VERSION = 1
MB = 1e6
BARE_CHUNKS = 100


@dataclass(frozen=True)
class Report:
    """One conversation."""

    seconds: float
    load_processes: int
    backend: str
    precision: str
    threads: int
    frames: int
    late_percent: float
    held_by_reason: Mapping[str, int]
    full_level_percent: float  # of the time
    level_share: tuple[float, ...]
    skipped: int
    underruns: int
    turns: int
    turns_intact: int  # whose audio came out as it was pushed
    first_frame_ms: Mapping[str, float]
    first_frame_from_enough_audio_ms: Mapping[str, float]
    interrupt_call_ms: Mapping[str, float]  # from the call to its return
    interrupt_ms: Mapping[str, float]  # from the call to the last old frame; 0 if none came
    frames_after_interrupt: int  # old ones, pulled after the call had returned
    cpu_seconds: float
    bare_cpu_seconds: float
    cpu_ratio: float
    rss_mb: float
    rss_growth_mb: float  # from a tenth of the time to its end
    stage_ms: Mapping[str, Any]
    events: tuple[str, ...]
    host: Host


def measure(
    model: Model, seconds: float, load: int, interrupted: float, options: Mapping[str, Any]
) -> Report:
    """Hold a conversation of ``seconds``, of whose turns a share is interrupted."""
    host = Host.here()
    avatar = pinned_avatar(model)
    events: list[str] = []
    rss = [resident_mb()]
    with busy(load), avatar.open_stream(**options) as stream:
        speaker = Speaker(stream, seconds, interrupted)
        buffer = np.empty_like(avatar.image)
        frame = stream.pull(buffer)
        cpu, start = time.process_time(), time.monotonic()
        speaker.start()
        frames = late = 0
        while speaker.is_alive():
            frame = stream.pull(buffer)
            assert frame is not None
            note(frame, speaker.turns)
            frames += 1
            late += frame.late
            if frames % 25 == 0:
                rss.append(resident_mb())
                events += [_described(event) for event in stream.events()]
        elapsed, cpu = time.monotonic() - start, time.process_time() - cpu
        stats, snapshot = stream.stats(), stream.snapshot()
    bare = bare_cpu(model, snapshot["chunks"])
    turns = list(speaker.turns.values())
    place = model.placement["denoiser"]
    return Report(
        seconds=elapsed,
        load_processes=load,
        backend=model.backend,
        precision=place.precision,
        threads=place.threads,
        frames=frames,
        late_percent=100 * late / max(1, frames),
        held_by_reason=stats.held_by_reason,
        full_level_percent=100 * stats.level_share[0],
        level_share=stats.level_share,
        skipped=stats.skipped,
        underruns=stats.underruns,
        turns=len(turns),
        turns_intact=sum(turn.is_intact for turn in turns),
        first_frame_ms=_two(snapshot, "first_frame_ms"),
        first_frame_from_enough_audio_ms=_two(snapshot, "first_frame_from_enough_audio_ms"),
        interrupt_call_ms=percentiles(
            [t.interruption.latency_ms for t in turns if t.interruption is not None]
        ),
        interrupt_ms=percentiles(list(_until_gone(turns))),
        frames_after_interrupt=sum(turn.after_return for turn in turns),
        cpu_seconds=cpu,
        bare_cpu_seconds=bare,
        cpu_ratio=cpu / bare if bare else float("nan"),
        rss_mb=max(rss),
        rss_growth_mb=float(np.mean(rss[-5:]) - np.mean(rss[len(rss) // 10 :][:5])),
        stage_ms={name: asdict(times) for name, times in stats.stage_ms.items()},
        events=tuple(events),
        host=host,
    )


def pinned_avatar(model: Model) -> Avatar:
    """Return an avatar of seeded noise: any picture costs the same."""
    side = model.config.vae.resolution
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return model.avatar(picture, crop=Crop(0, 0, side))


def bare_cpu(model: Model, chunks: int) -> float:
    """Return the CPU seconds of the graphs alone for so many chunks, at the pace of a stream."""
    bindings = {name: model.graphs[name].bind() for name in ("audio", "denoiser", "decoder")}
    rounds = ["audio", *["denoiser"] * model.config.sampler.steps, "decoder"]
    start, due = time.process_time(), time.monotonic()
    for _ in range(BARE_CHUNKS):
        for name in rounds:
            bindings[name].run()
        due += model.config.timeline.frames_per_latent / model.config.fps
        time.sleep(max(0.0, due - time.monotonic()))
    return (time.process_time() - start) * chunks / BARE_CHUNKS


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep so many cores busy with other processes."""
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_spin, daemon=True) for _ in range(processes)]
    for process in others:
        process.start()
    if others:
        time.sleep(1)
    try:
        yield
    finally:
        for process in others:
            process.terminate()


def _spin() -> None:
    while True:
        sum(i * i for i in range(10_000))


def resident_mb() -> float:
    """Return the resident memory of this process; Linux only, else nan."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    found = np.percentile(values, (50, 95, 99))
    return {"n": len(values), **dict(zip(("p50", "p95", "p99"), found.tolist(), strict=True))}


def _until_gone(turns: list[Turn]) -> Iterator[float]:
    for turn in turns:
        if turn.cut_ns is not None:
            yield max(0, turn.last_ns - turn.cut_ns) / 1e6


def _two(snapshot: Mapping[str, Any], name: str) -> dict[str, float]:
    return {"p50": snapshot[f"{name}_p50"], "p95": snapshot[f"{name}_p95"]}


def _described(event: Any) -> str:
    return f"level {event.from_level} -> {event.to_level}: {event.reason}"


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the built-in one if none")
    parser.add_argument("--backend", default="auto", help="onnxruntime, openvino, or auto")
    parser.add_argument("--precision", help="such as int8 or fp32; the best here if none")
    parser.add_argument("--threads", type=int, help="threads of a graph; physical cores if none")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long they talk")
    parser.add_argument("--load", type=int, default=0, help="other processes, a busy core each")
    parser.add_argument("--interrupts", type=float, default=0.0, help="share of turns cut short")
    parser.add_argument("--idle", default="generate", help="generate, loop or hold")
    parser.add_argument("--level", type=int, help="of the ladder, to stay at")
    arguments = parser.parse_args()
    model = rap_edge.open(
        arguments.bundle, arguments.backend, arguments.precision, threads=arguments.threads
    )
    options = {"idle": arguments.idle, "level": arguments.level}
    report = measure(model, 60 * arguments.minutes, arguments.load, arguments.interrupts, options)
    print(json.dumps({"schema_version": SCHEMA_VERSION, **asdict(report)}, indent=1))


if __name__ == "__main__":
    main()
