"""The whole `render` command on a synthetic bundle whose locator takes white squares for faces."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from rap_edge.bundle import Part, open_bundle, write_bundle
from rap_edge.cli.group import app
from rap_edge.manifest import GraphSpec, TensorSpec, Variant

WINDOW, CELL, REFINE_SIZE = 128, 8, 96


@pytest.fixture(scope="session")
def bundle(synthetic_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the synthetic bundle with a locator for white squares."""
    opened = open_bundle(synthetic_bundle)
    manifest = opened.manifest
    parts = {e.path: Part(opened.read(e.path), e.role, e.licence) for e in manifest.files}
    for name, content in (("locator", coarse()), ("locator_refine", refinement())):
        parts[f"graphs/{name}.onnx"] = Part(content, "graph", "CC0-1.0")
    (variant,) = manifest.variants
    files = {name: f"graphs/{name}.onnx" for name in (*manifest.graphs, *LOCATOR_SPECS)}
    manifest = replace(
        manifest,
        graphs={**manifest.graphs, **LOCATOR_SPECS},
        variants=(Variant(variant.backend, variant.precision, files),),
    )
    return write_bundle(tmp_path_factory.mktemp("bundles") / "faces", manifest, parts).path


LOCATOR_SPECS = {
    "locator": GraphSpec(
        (TensorSpec("image", (1, WINDOW, WINDOW, 3), "uint8"),),
        (
            TensorSpec("scores", (1, 16, 16), "float32"),
            TensorSpec("boxes", (1, 16, 16, 3), "float32"),
        ),
    ),
    "locator_refine": GraphSpec(
        (TensorSpec("image", (1, REFINE_SIZE, REFINE_SIZE, 3), "uint8"),),
        (
            TensorSpec("correction", (1, 3), "float32"),
            TensorSpec("score", (1, 1), "float32"),
        ),
    ),
}


def coarse() -> bytes:
    """Score 1 for every cell of 8 x 8 px that is white throughout; boxes of 32 px."""
    return model(
        "locator",
        """
        levels = Cast<to=1>(image)
        planes = Transpose<perm=[0, 3, 1, 2]>(levels)
        means = Conv<kernel_shape=[8, 8], strides=[8, 8]>(planes, mean)
        cells = Squeeze(means, channel)
        over = Sub(cells, limit)
        scores = Clip(over, nought, one)
        boxes = Add(nowhere, nowhere)
        """,
        {
            "mean": np.full((1, 3, 8, 8), 1 / 192, np.float32),
            "channel": np.array([1]),
            "limit": np.float32(253.9),
            "nought": np.float32(0),
            "one": np.float32(1),
            "nowhere": np.zeros((1, 16, 16, 3), np.float32),
        },
    )


def refinement() -> bytes:
    """Leave every crop as it is; its score is 1 if anything in it is white."""
    return model(
        "locator_refine",
        """
        levels = Cast<to=1>(image)
        over = Sub(levels, limit)
        white = Clip(over, nought, one)
        count = ReduceSum<keepdims=0>(white, axes)
        row = Reshape(count, single)
        score = Clip(row, nought, one)
        correction = Add(nowhere, nowhere)
        """,
        {
            "axes": np.array([1, 2, 3]),
            "single": np.array([1, 1]),
            "limit": np.float32(253.9),
            "nought": np.float32(0),
            "one": np.float32(1),
            "nowhere": np.zeros((1, 3), np.float32),
        },
    )


def model(name: str, body: str, constants: dict[str, NDArray[np.generic]]) -> bytes:
    """Assemble an ONNX graph from its text and constants."""
    from onnx import numpy_helper, parser

    def declared(tensors: tuple[TensorSpec, ...]) -> str:
        kinds = {"float32": "float", "uint8": "uint8"}
        return ", ".join(
            f"{kinds[t.dtype]}[{','.join(map(str, t.shape))}] {t.name}" for t in tensors
        )

    spec = LOCATOR_SPECS[name]
    text = f"{name} ({declared(spec.inputs)}) => ({declared(spec.outputs)}) {{{body}}}"
    header = '<ir_version: 10, opset_import: ["" : 20]>'
    parsed = parser.parse_model(f"{header}\n{text}")
    parsed.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()
    )
    return parsed.SerializeToString()


@pytest.fixture
def photo(tmp_path: Path) -> Callable[..., Path]:
    """Save a photo of 128 x 128 px with some faces."""

    def save(faces: int = 1, size: int = 128) -> Path:
        picture = np.full((size, size, 3), 100, np.uint8)
        for corner in (40, 88)[:faces]:
            picture[corner : corner + CELL, corner : corner + CELL] = 255
        path = tmp_path / "portrait.png"
        Image.fromarray(picture).save(path)
        return path

    return save


@pytest.fixture
def speech(tmp_path: Path) -> Callable[..., Path]:
    """Save samples (S,) float32 at 16 kHz as a WAV file; without any, a second of noise."""

    def save(samples: NDArray[np.float32] | None = None) -> Path:
        if samples is None:
            samples = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
        path = tmp_path / "speech.wav"
        path.write_bytes(wav_header(len(samples), 16000, 4, 3) + samples.tobytes())
        return path

    return save


@pytest.fixture
def long_silence(tmp_path: Path) -> Callable[[float], Path]:
    """Write minutes of silence that take no disk: the samples are a hole in the file."""

    def write(minutes: float) -> Path:
        path, n_samples = tmp_path / "long.wav", int(minutes * 60 * 8000)
        with path.open("wb") as file:
            file.write(wav_header(n_samples, 8000, 2, 1))
            file.truncate(44 + 2 * n_samples)
        return path

    return write


def wav_header(n_samples: int, rate: int, width: int, kind: int) -> bytes:
    """Return a mono WAV header; kind 1 is integers, 3 floats of `width` bytes."""
    size = n_samples * width
    form = struct.pack("<IHHIIHH", 16, kind, 1, rate, width * rate, width, 8 * width)
    return (
        b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + form
        + b"data" + struct.pack("<I", size)
    )  # fmt: skip


@dataclass(frozen=True)
class Rendered:
    """What the command said, and the folder that it was to write into."""

    result: Result
    folder: Path

    @property
    def written(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def render(bundle: Path, tmp_path: Path) -> Callable[..., Rendered]:
    """Run `rap-edge render --json` in this process."""
    folder = tmp_path / "out"
    folder.mkdir()

    def run(portrait: Path, audio: Path, out: Path = folder / "film.mp4") -> Rendered:
        paths = (portrait, audio, "--out", out, "--bundle", bundle)
        result = CliRunner().invoke(app, ["render", *map(str, paths), "--json"])
        return Rendered(result, folder)

    return run
