"""CPU time of streaming features, beside kaldi-native-fbank's OnlineFbank in the same process.

    python -m rap_edge.benchmarks.features --repeats 30

Audio comes as numpy arrays of 160 samples, one push and one frame every 10 ms. kaldi-native-fbank
takes a list or an array; both ways are timed, conversion included, and the faster one counts. The
contenders take turns, each with a new stream, and the best turn of each is compared: CPU time of
the process, which other processes can only make longer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from time import process_time

import kaldi_native_fbank as knf
import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, StreamingFeatures
from rap_edge.benchmarks.host import Host

SCHEMA_VERSION = 1
RATE = 16_000
PUSH_SAMPLES = 160
Chunks = list[NDArray[np.float32]]
Turn = Callable[[Chunks], int]


@dataclass(frozen=True)
class Cost:
    """CPU microseconds of one push of 160 samples, with the frame that it gives."""

    best_us: float
    median_us: float


@dataclass(frozen=True)
class Report:
    """One measurement. The ratio compares equal features: 80 bins of Kaldi's fbank."""

    seconds: float
    repeats: int
    costs: dict[str, Cost]
    ratio: float
    ratio_rap: float  # the model's own features against the same baseline
    host: Host


def ours(spec: FeatureSpec) -> Turn:
    """Start a stream; the turn pushes every chunk and returns the number of frames."""
    stream = StreamingFeatures(spec)
    return lambda chunks: sum(len(stream.push(chunk)) for chunk in chunks)


def theirs(as_list: bool) -> Turn:
    """Start an OnlineFbank; the turn takes its frames as soon as they are ready."""
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    fbank = knf.OnlineFbank(options)

    def turn(chunks: Chunks) -> int:
        taken = 0
        for chunk in chunks:
            fbank.accept_waveform(RATE, chunk.tolist() if as_list else chunk)
            while taken < fbank.num_frames_ready:
                fbank.get_frame(taken)
                taken += 1
        return taken

    return turn


CONTENDERS: dict[str, Callable[[], Turn]] = {
    "rap-edge rap": partial(ours, FeatureSpec.rap()),
    "rap-edge kaldi_fbank": partial(ours, FeatureSpec.kaldi_fbank()),
    "knf OnlineFbank, list": partial(theirs, True),
    "knf OnlineFbank, array": partial(theirs, False),
}


def measure(seconds: float, repeats: int) -> Report:
    """Time every contender ``repeats`` times, in turn, over ``seconds`` of noise."""
    host = Host.here()
    n_chunks = round(seconds * RATE) // PUSH_SAMPLES
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (n_chunks, PUSH_SAMPLES))
    chunks = list(noise.astype(np.float32))
    turns: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(repeats):
        for name, new_stream in CONTENDERS.items():
            turn = new_stream()
            start = process_time()
            turn(chunks)
            turns[name].append((process_time() - start) / n_chunks * 1e6)
    costs = {name: Cost(min(times), float(np.median(times))) for name, times in turns.items()}
    baseline = min(cost.best_us for name, cost in costs.items() if name.startswith("knf"))
    return Report(
        seconds=seconds,
        repeats=repeats,
        costs=costs,
        ratio=baseline / costs["rap-edge kaldi_fbank"].best_us,
        ratio_rap=baseline / costs["rap-edge rap"].best_us,
        host=host,
    )


def table(report: Report) -> str:
    """Lay a report out for people."""
    lines = [
        str(report.host),
        f"pushes of {PUSH_SAMPLES} samples, {report.repeats} turns over {report.seconds:g} s",
        f"{'':<24}{'best us':>10}{'median us':>11}   CPU time of a push",
        *(
            f"{name:<24}{cost.best_us:>10.2f}{cost.median_us:>11.2f}"
            for name, cost in report.costs.items()
        ),
        f"{report.ratio:.1f} times less CPU for the same features, "
        f"{report.ratio_rap:.1f} times for those of the model",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="audio of one turn")
    parser.add_argument("--repeats", type=int, default=30, help="turns of each contender")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    report = measure(arguments.seconds, arguments.repeats)
    if arguments.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, **asdict(report)}))
    else:
        print(table(report))


if __name__ == "__main__":
    main()
