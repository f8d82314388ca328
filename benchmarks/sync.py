"""Picture against voice on a virtual clock: ours beside the policies of others, and long runs.

    python -m rap_edge.benchmarks.sync
    python -m rap_edge.benchmarks.sync --hours 1 --day-hours 24

A minute of speech, in which the model stops three times for 0.2, 0.4 or 0.8 s; the same model, the
same stalls and the same speech for all. "Live" speech comes in real time, 20 ms a block, so that
nobody can work ahead; "ready" speech is there at once, as from a fast synthesizer. Ours is the
session of a live stream with the real FrameScheduler, AudioClock and PcmRing; the others are
models of their policies (see `sync_policies`), not the products. Nothing waits: a minute takes
less than a second.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.conversation import BLOCK, RATE, babble, blocks
from rap_edge.benchmarks.cuts import cut_short
from rap_edge.benchmarks.day import converse
from rap_edge.benchmarks.host import Host
from rap_edge.benchmarks.long_runs import barge_ins, drift
from rap_edge.benchmarks.sync_policies import Played, Skew, counter, fps_controller, skew_of
from rap_edge.benchmarks.virtual import FRAME_NS, MS, Stall, VirtualModel, VirtualStream
from rap_edge.runtime import Frame
from rap_edge.runtime.options import Playout, StreamOptions

SCHEMA_VERSION = 1
STALLS_MS = (200, 400, 800)
STALLS_AT_S = (0.25, 0.5, 0.75)  # of the speech
BEGIN_NS = 2_000 * MS  # when somebody begins to speak
BLOCK_NS = BLOCK * 1_000_000_000 // RATE
SIDES = ("live", "ready")
LATENCIES_MS = (30, 100, 250)  # of devices, in play-out that is cut short


@dataclass(frozen=True)
class Row:
    """One policy and one length of stall."""

    policy: str
    speech: str
    stall_ms: int
    skew: Skew


Policy = Callable[[VirtualModel, NDArray[np.float32], bool], Played]


def compare(seconds: float, seed: int = 0) -> list[Row]:
    """Play the speech with every policy, every stall and both ways in which speech comes."""
    rows = []
    pcm = babble(seconds, seed)
    for speech in SIDES:
        for length in STALLS_MS:
            stalls = stalls_of(length, seconds)
            for name, policy in POLICIES.items():
                played = policy(VirtualModel(seed, stalls), pcm, speech == "live")
                rows.append(Row(name, speech, length, skew_of(played, stalls)))
    return rows


def stalls_of(length_ms: int, seconds: float) -> list[Stall]:
    return [
        Stall(BEGIN_NS + int(share * seconds * 1000) * MS, length_ms * MS) for share in STALLS_AT_S
    ]


def ours(model: VirtualModel, pcm: NDArray[np.float32], is_live: bool, playout: bool) -> Played:
    """Play an utterance through a session; in play-out the device reads what is heard."""
    shown: list[tuple[int, int]] = []
    spoken: list[Frame] = []
    ticks: list[int] = []
    heard: list[NDArray[np.float32]] = []
    block_ns: list[int] = []

    def on_frame(frame: Frame, now: int) -> None:
        if not frame.late:
            shown.append((now, frame.index))
        if frame.utterance:
            spoken.append(frame)
            ticks.append(now)

    def on_block(block: NDArray[np.float32], heard_ns: int, taken: int) -> None:
        heard.append(block.copy())
        block_ns.append(heard_ns)

    options = StreamOptions(playout=Playout(RATE)) if playout else StreamOptions(sample_rate=RATE)
    stream = VirtualStream(options, model, on_frame=on_frame, on_block=on_block)
    speak(stream, pcm, is_live)
    times, frames = np.array(shown, np.int64).T
    if playout:
        voice = np.concatenate(heard)
        start = int(np.flatnonzero(voice)[0])
        position = np.arange(start, start + len(pcm), FRAME_NS * RATE // 1_000_000_000)
        into = position % len(heard[0]) * 1_000_000_000 // RATE
        ticks_ns = np.array(block_ns)[position // len(heard[0])] + into
        voice = voice[start : start + len(pcm)]
    else:
        voice, ticks_ns = np.concatenate([frame.audio for frame in spoken]), np.array(ticks)
    lost = np.count_nonzero(voice[: len(pcm)] != pcm) + max(0, len(pcm) - len(voice))
    return Played(spoken[0].index, ticks_ns, times, frames, lost * 1000 / RATE)


def speak(stream: VirtualStream, pcm: NDArray[np.float32], is_live: bool) -> None:
    """Say an utterance, from `BEGIN_NS` on, to its end."""
    stream.run(BEGIN_NS)
    utterance = stream.session.begin(stream.now)
    for block in blocks(pcm):
        if is_live:
            stream.run(stream.now + BLOCK_NS)
        stream.session.push(block, RATE, utterance, stream.now)
    stream.session.flush(utterance, stream.now)
    stream.run(BEGIN_NS + len(pcm) * 1_000_000_000 // RATE + 2_000 * MS)


def theirs(
    policy: Callable[[VirtualModel, Callable[[int], int], int, bool], Played],
    voice_apart: bool,
    model: VirtualModel,
    pcm: NDArray[np.float32],
    is_live: bool,
) -> Played:
    """Play an utterance by the model of a policy."""
    end = len(pcm) * 1_000_000_000 // RATE

    def arrived(ns: int) -> int:
        """Return when so much of the speech is there, or all of it."""
        return BEGIN_NS + (-(-min(ns, end) // BLOCK_NS) * BLOCK_NS if is_live else 0)

    return policy(model, arrived, end // FRAME_NS, voice_apart)


POLICIES: dict[str, Policy] = {
    "rap-edge, play-out": partial(ours, playout=True),
    "rap-edge, voice in the frames": partial(ours, playout=False),
    "fps controller, voice by itself": partial(theirs, fps_controller, True),
    "fps controller, voice in step": partial(theirs, fps_controller, False),
    "counter, voice by itself": partial(theirs, counter, True),
    "counter, voice in step": partial(theirs, counter, False),
}


def table(rows: list[Row]) -> str:
    """Lay the rows out as Markdown."""
    lines = [
        "| speech | stall | policy | median | p95 | at the end | late | recovered after "
        "| voice late by | voice lost |",
        "|---" * 10 + "|",
    ]
    for row in rows:
        skew = row.skew
        recovered = "never" if skew.recovered_ms is None else f"{skew.recovered_ms:.0f} ms"
        lines.append(
            f"| {row.speech} | {row.stall_ms / 1000:.1f} s | {row.policy} | {skew.median_ms:.0f} ms"
            f" | {skew.p95_ms:.0f} ms | {skew.end_ms:.0f} ms | {skew.late_percent:.1f} %"
            f" | {recovered} | {skew.voice_late_ms:.0f} ms | {skew.voice_cut_ms:.0f} ms |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they speak")
    parser.add_argument(
        "--hours", type=float, default=0.0, help="of play-out that drifts, or is cut"
    )
    parser.add_argument("--day-hours", type=float, default=0.0, help="of conversation")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    rows = compare(arguments.seconds)
    gone = barge_ins(100)
    drifts = [drift(ppm, arguments.hours) for ppm in (200.0, -200.0) if arguments.hours]
    cuts = [cut_short(ms, arguments.hours) for ms in LATENCIES_MS if arguments.hours]
    days = [converse(arguments.day_hours)] if arguments.day_hours else []
    if arguments.json:
        found: Mapping[str, Sequence[Any]] = {
            "policies": rows,
            "interrupts": gone,
            "drift": drifts,
            "cuts": cuts,
            "conversation": days,
        }
        report = {name: [asdict(one) for one in many] for name, many in found.items()}
        header = {"schema_version": SCHEMA_VERSION, "host": asdict(Host.here())}
        print(json.dumps({**header, **report}))
        return
    print(f"{Host.here()}\n\n{table(rows)}")
    for one in (*gone, *drifts, *cuts, *days):
        print(f"\n{one}")


if __name__ == "__main__":
    main()
