"""Parts of rap-edge beside their real alternatives, each pair in one process and in turns.

The alternatives are optional: ``pip install 'rap-edge[components]'``. One that is not installed
has a row that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rap_edge.errors import NotSupported

if TYPE_CHECKING:
    from rap_edge.benchmarks.report.record import Result
    from rap_edge.bundle import Bundle

NOTES = {
    "features": "CPU time of one push of 160 samples and of the frames that it completes",
    "resampler": "CPU time of one block of 20 ms to 16 kHz, and how clean what comes out is",
    "scheduler": "a made-up model that stops three times, on a virtual clock; the others are "
    "models of policies, not products",
    "runtime": "one chunk of FrameStream beside the same runs of the same graphs, called bare",
    "bundle": "a bundle is opened and every byte verified; all files are in the page cache",
    "variants": "int8 beside fp32, graph by graph, on the bundle's golden vectors",
    "yardstick": "one frame of a network of Wav2Lip's shape (96x96, random weights) beside one of "
    "ours at the bundle's resolution: graphs alone, CPU, batch 1",
}
"""What each component measures, for whoever prints it."""

COMPONENTS = tuple(NOTES)


def measure_component(
    name: str,
    seconds: float,
    threads: int,
    bundle: Bundle | None = None,
    trust: Sequence[Path] = (),
) -> list[Result]:
    """Measure one of `COMPONENTS` for about so many seconds.

    Args:
        name: of the component.
        seconds: for all its contenders together; a few rounds of each are measured in any case.
        threads: of a graph; what has no graph uses one.
        bundle: of which; None is the one that comes with the package.
        trust: public keys to trust instead of the project's when copies of it are opened.

    Raises NotSupported for a name that is none, ParityError if contenders that compute the same
    thing disagree.
    """
    from rap_edge.benchmarks.components.contest import Settings

    if name not in COMPONENTS:
        raise NotSupported(f"component {name!r} is unknown: expected {', '.join(COMPONENTS)}")
    module = import_module(f"rap_edge.benchmarks.components.{name}")
    results: list[Result] = module.measure(Settings(seconds, threads, bundle, tuple(trust)))
    return results
