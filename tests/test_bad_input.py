"""Bad input to the whole command: one clear line, the right code, no file left behind.

A synthetic bundle runs all of it: its locator takes white squares of 8 px for faces.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from rap_edge.bundle import Part, open_bundle, write_bundle
from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app
from rap_edge.manifest import GraphSpec, TensorSpec, Variant

WINDOW, CELL, REFINE_SIZE = 128, 8, 96
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are POSIX")

Photo = Callable[..., Path]
Speech = Callable[..., Path]


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
        means = AveragePool<kernel_shape=[8, 8], strides=[8, 8]>(planes)
        darkest = ReduceMin<keepdims=0>(means, channel)
        white = Greater(darkest, limit)
        scores = Cast<to=1>(white)
        boxes = Identity(nowhere)
        """,
        {
            "channel": np.array([1]),
            "limit": np.float32(254.5),
            "nowhere": np.zeros((1, 16, 16, 3), np.float32),
        },
    )


def refinement() -> bytes:
    """Leave every crop as it is; its score is the brightest level over 255."""
    return model(
        "locator_refine",
        """
        levels = Cast<to=1>(image)
        brightest = ReduceMax<keepdims=0>(levels, axes)
        row = Reshape(brightest, single)
        score = Div(row, full)
        correction = Identity(nowhere)
        """,
        {
            "axes": np.array([1, 2, 3]),
            "single": np.array([1, 1]),
            "full": np.float32(255),
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
def photo(tmp_path: Path) -> Photo:
    """Save a photo of 128 x 128 px with white squares at the given cells."""

    def save(*cells: tuple[int, int], size: int = 128) -> Path:
        picture = np.full((size, size, 3), 100, np.uint8)
        for row, column in cells:
            picture[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = 255
        path = tmp_path / "portrait.png"
        Image.fromarray(picture).save(path)
        return path

    return save


@pytest.fixture
def speech(tmp_path: Path) -> Speech:
    """Save samples (S,) as a float WAV file."""

    def save(samples: NDArray[np.float32], rate: int = 16000) -> Path:
        path = tmp_path / "speech.wav"
        path.write_bytes(wav_header(len(samples), rate, 4, 3) + samples.tobytes())
        return path

    return save


def wav_header(n_samples: int, rate: int, width: int, kind: int) -> bytes:
    """Return a mono WAV header; kind 1 is integers, 3 floats of `width` bytes."""
    size = n_samples * width
    form = struct.pack("<IHHIIHH", 16, kind, 1, rate, width * rate, width, 8 * width)
    return (
        b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + form
        + b"data" + struct.pack("<I", size)
    )  # fmt: skip


def silent_file(path: Path, minutes: float, rate: int = 8000) -> Path:
    """Write a long silence that takes no disk: the samples are a hole in the file."""
    n_samples = int(minutes * 60 * rate)
    with path.open("wb") as file:
        file.write(wav_header(n_samples, rate, 2, 1))
        file.truncate(44 + 2 * n_samples)
    return path


FACE = (6, 7)
NOISE = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)


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
    folder = tmp_path / "out"
    folder.mkdir()

    def run(portrait: Path, audio: Path, out: Path = folder / "film.mp4") -> Rendered:
        paths = (portrait, audio, "--out", out, "--bundle", bundle)
        result = CliRunner().invoke(app, ["render", *map(str, paths), "--json"])
        return Rendered(result, folder)

    return run


def assert_refused(rendered: Rendered, code: ExitCode, *words: str) -> None:
    stderr = rendered.result.stderr
    assert rendered.result.exit_code == code, stderr
    assert len(stderr.strip().splitlines()) == 1
    assert stderr.startswith("error: ")
    for word in words:
        assert word in stderr
    assert rendered.result.stdout == ""
    assert rendered.written == []


def test_good_input_becomes_a_film(
    render: Callable[..., Rendered], photo: Photo, speech: Speech
) -> None:
    rendered = render(photo(FACE), speech(NOISE))
    assert rendered.result.exit_code == ExitCode.OK, rendered.result.stderr
    assert rendered.result.stderr == ""
    numbers = json.loads(rendered.result.stdout)
    assert (numbers["frames"], numbers["audio_seconds"]) == (25, 1.0)
    assert rendered.written == ["film.mp4"]


def test_missing_files(
    render: Callable[..., Rendered], photo: Photo, speech: Speech, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    assert_refused(render(gone, speech(NOISE)), ExitCode.NO_INPUT, str(gone), "No such file")
    assert_refused(render(photo(FACE), gone), ExitCode.NO_INPUT, str(gone), "No such file")


@POSIX
@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files(render: Callable[..., Rendered], photo: Photo, speech: Speech) -> None:
    closed = photo(FACE)
    closed.chmod(0)
    assert_refused(render(closed, speech(NOISE)), ExitCode.NO_INPUT, "Permission denied")


def test_not_an_image_and_not_audio(
    render: Callable[..., Rendered], photo: Photo, speech: Speech, tmp_path: Path
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("neither one nor the other")
    assert_refused(render(text, speech(NOISE)), ExitCode.BAD_DATA, str(text), "not a picture")
    assert_refused(render(photo(FACE), text), ExitCode.BAD_DATA, str(text), "not a media file")
    assert_refused(render(photo(FACE), photo(FACE)), ExitCode.BAD_DATA, "no audio")


def test_no_face(render: Callable[..., Rendered], photo: Photo, speech: Speech) -> None:
    assert_refused(render(photo(), speech(NOISE)), ExitCode.BAD_DATA, "no face")


def test_several_faces(render: Callable[..., Rendered], photo: Photo, speech: Speech) -> None:
    rendered = render(photo(FACE, (12, 13)), speech(NOISE))
    assert rendered.result.exit_code == ExitCode.OK
    assert rendered.result.stderr.startswith("warning: 2 faces")
    assert "largest" in rendered.result.stderr
    assert len(rendered.result.stderr.splitlines()) == 1
    assert rendered.written == ["film.mp4"]


def test_image_under_64_pixels(
    render: Callable[..., Rendered], photo: Photo, speech: Speech
) -> None:
    small = photo(size=63)
    assert_refused(render(small, speech(NOISE)), ExitCode.BAD_DATA, "63x63", "at least 64 px")


def test_empty_audio(render: Callable[..., Rendered], photo: Photo, speech: Speech) -> None:
    empty = speech(NOISE[:0])
    assert_refused(render(photo(FACE), empty), ExitCode.BAD_DATA, str(empty), "no audio samples")


def test_one_second_of_silence(
    render: Callable[..., Rendered], photo: Photo, speech: Speech
) -> None:
    rendered = render(photo(FACE), speech(np.zeros(16000, np.float32)))
    assert rendered.result.exit_code == ExitCode.OK
    assert json.loads(rendered.result.stdout)["frames"] == 25
    with av.open(str(rendered.folder / "film.mp4")) as film:
        loudest = max(np.abs(frame.to_ndarray()).max() for frame in film.decode(audio=0))
    assert loudest < 1e-3


@pytest.mark.parametrize("n_samples", [40, 639, 641])
def test_a_blink_of_audio(
    render: Callable[..., Rendered], photo: Photo, speech: Speech, n_samples: int
) -> None:
    rendered = render(photo(FACE), speech(NOISE[:n_samples]))
    assert rendered.result.exit_code == ExitCode.OK, rendered.result.stderr
    assert json.loads(rendered.result.stdout)["frames"] == -(-n_samples // 640)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_finite(
    render: Callable[..., Rendered], photo: Photo, speech: Speech, value: float
) -> None:
    samples = np.tile(NOISE, 4)
    samples[40000] = value
    refused = render(photo(FACE), speech(samples))
    assert_refused(refused, ExitCode.BAD_DATA, "not finite", "2.500 s")


def test_clipped_samples(render: Callable[..., Rendered], photo: Photo, speech: Speech) -> None:
    rendered = render(photo(FACE), speech(50 * NOISE))
    assert rendered.result.exit_code == ExitCode.OK
    assert rendered.result.stderr == ""


def test_output_folder_missing_or_refusing(
    render: Callable[..., Rendered], photo: Photo, speech: Speech, tmp_path: Path
) -> None:
    portrait, audio = photo(FACE), speech(NOISE)
    missing = render(portrait, audio, tmp_path / "missing" / "film.mp4")
    assert_refused(missing, ExitCode.CANNOT_CREATE, str(tmp_path / "missing"), "create it")
    occupied = render(portrait, audio, portrait / "film.mp4")
    assert_refused(occupied, ExitCode.CANNOT_CREATE, "not a folder")


@POSIX
def test_output_folder_not_writable(
    render: Callable[..., Rendered], photo: Photo, speech: Speech, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):  # root may write everywhere but here
        closed = Path("/proc")
    refused = render(photo(FACE), speech(NOISE), closed / "film.mp4")
    assert refused.result.exit_code in (ExitCode.CANNOT_CREATE, ExitCode.IO_ERROR)
    assert str(closed) in refused.result.stderr
    assert len(refused.result.stderr.strip().splitlines()) == 1


def test_a_damaged_bundle(bundle: Path, photo: Photo, speech: Speech, tmp_path: Path) -> None:
    import shutil

    damaged = tmp_path / "damaged"
    shutil.copytree(bundle, damaged)
    (damaged / "manifest.json").write_text("{")
    out = tmp_path / "film.mp4"
    paths = (photo(FACE), speech(NOISE), "--out", out, "--bundle", damaged)
    result = CliRunner().invoke(app, ["render", *map(str, paths)])
    assert result.exit_code == ExitCode.BAD_DATA
    assert len(result.stderr.strip().splitlines()) == 1
    assert not out.exists()


def command(bundle: Path, portrait: Path, audio: Path, out: Path) -> list[str]:
    """Return the command line of a process of its own."""
    run = "from rap_edge.cli import main; main()"
    paths = (portrait, audio, "--out", out, "--bundle", bundle)
    return [sys.executable, "-c", run, "render", *map(str, paths)]


@POSIX
def test_disk_full(bundle: Path, photo: Photo, speech: Speech, tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    folder = tmp_path / "out"
    folder.mkdir()
    words = command(bundle, photo(FACE), speech(np.tile(NOISE, 6)), folder / "film.mp4")
    process = subprocess.run(words, preexec_fn=limited, capture_output=True, text=True)
    assert process.returncode == ExitCode.IO_ERROR, process.stderr
    assert os.strerror(errno.EFBIG) in process.stderr
    assert "free some space" in process.stderr
    assert len(process.stderr.strip().splitlines()) == 1
    assert list(folder.iterdir()) == []


@POSIX
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
def test_interrupted_half_way(
    bundle: Path, photo: Photo, tmp_path: Path, number: signal.Signals, code: ExitCode
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    older = folder / "film.mp4"
    older.write_bytes(b"an older film")
    audio = silent_file(tmp_path / "hour.wav", minutes=60)
    words = command(bundle, photo(FACE), audio, older)
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: any(p.stat().st_size for p in folder.glob(".rap-edge-*")), process)
        process.send_signal(number)
        stderr = process.communicate()[1]
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    assert [path.name for path in folder.iterdir()] == ["film.mp4"]
    assert older.read_bytes() == b"an older film"


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for a condition as long as the process lives."""
    while process.poll() is None and not condition():
        time.sleep(0.02)


MEMORY_OF_A_RENDER = """
import sys, rap_edge
from pathlib import Path

bundle, portrait, audio, out = sys.argv[1:]
resident = []

def note(frame):
    if frame.index % 250 == 249:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        resident.append(pages * 4096)

avatar = rap_edge.open(bundle, threads=1).avatar(portrait)
stats = avatar.render(audio, out=out, on_frame=note)
print(stats.frames, *resident)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_memory_is_flat_over_long_audio(bundle: Path, photo: Photo, tmp_path: Path) -> None:
    minutes = 2
    audio = silent_file(tmp_path / "long.wav", minutes)
    words = [sys.executable, "-c", MEMORY_OF_A_RENDER]
    paths = (bundle, photo(FACE), audio, tmp_path / "film.mp4")
    process = subprocess.run([*words, *map(str, paths)], capture_output=True, text=True, check=True)
    frames, *resident = map(int, process.stdout.split())
    assert frames == minutes * 60 * 25
    second_half = resident[len(resident) // 2 :]
    assert max(second_half) - resident[0] < 8e6


def test_an_hour_of_audio_is_read_block_by_block(tmp_path: Path) -> None:
    import tracemalloc

    from rap_edge.media import read_audio

    recording = read_audio(silent_file(tmp_path / "hour.wav", minutes=60))
    assert recording.duration_s == pytest.approx(3600)
    tracemalloc.start()
    heard = sum(len(next(recording.blocks)) for _ in range(3000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    recording.close()
    assert heard > 60 * 48_000
    assert peak < 1e6
