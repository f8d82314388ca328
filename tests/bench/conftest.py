"""Subjects of the tested synthetic bundle, and what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from rap_edge.benchmarks.pinned import Pinned
    from rap_edge.benchmarks.subjects import Opened
    from rap_edge.bundle import Bundle

RATE = 16_000


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A photo and a recording, as files."""
    import av

    folder = tmp_path_factory.mktemp("inputs")
    Image.fromarray(np.full((96, 96, 3), 77, np.uint8)).save(folder / "photo.png")
    rng = np.random.default_rng(0)
    pcm = (rng.standard_normal((1, 2 * RATE)) * 3000).astype(np.int16)
    with av.open(str(folder / "speech.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return {"portrait": folder / "photo.png", "speech": folder / "speech.wav"}


@pytest.fixture(scope="session")
def pinned(tested: Bundle, inputs: dict[str, Path]) -> Pinned:
    from rap_edge.benchmarks.pinned import pinned_inputs

    return pinned_inputs(tested, **inputs)


@pytest.fixture(scope="session")
def opened(tested: Bundle, pinned: Pinned) -> list[Opened]:
    from rap_edge.benchmarks.subjects import open_subjects

    found, refused = open_subjects(tested, pinned.portrait, threads=1)
    assert not refused
    return found
