"""A render that is stopped leaves nothing behind, and a long one takes no more memory."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rap_edge.cli.failures import ExitCode
from rap_edge.media import read_audio

if sys.platform == "win32":
    pytest.skip("signals and limits are POSIX", allow_module_level=True)

import resource

Make = Callable[..., Path]


def command(bundle: Path, portrait: Path, audio: Path, out: Path) -> list[str]:
    """Return the command line of a process of its own."""
    run = "from rap_edge.cli import main; main()"
    paths = (portrait, audio, "--out", out, "--bundle", bundle)
    return [sys.executable, "-c", run, "render", *map(str, paths)]


def test_disk_full(bundle: Path, photo: Make, speech: Make, tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    folder = tmp_path / "out"
    folder.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 6 * 16000).astype(np.float32)
    words = command(bundle, photo(), speech(noise), folder / "film.mp4")
    process = subprocess.run(words, preexec_fn=limited, capture_output=True, text=True)
    assert process.returncode == ExitCode.IO_ERROR, process.stderr
    assert os.strerror(errno.EFBIG) in process.stderr
    assert "free some space" in process.stderr
    assert len(process.stderr.strip().splitlines()) == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
def test_interrupted_half_way(
    bundle: Path,
    photo: Make,
    long_silence: Make,
    tmp_path: Path,
    number: signal.Signals,
    code: ExitCode,
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    older = folder / "film.mp4"
    older.write_bytes(b"an older film")
    words = command(bundle, photo(), long_silence(60), older)
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: any(p.stat().st_size for p in folder.glob(".rap-edge-*")), process)
        end(process, number)
        stderr = process.communicate()[1]
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    assert [path.name for path in folder.iterdir()] == ["film.mp4"]
    assert older.read_bytes() == b"an older film"


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal until the process ends: Python drops what is raised while a finalizer runs."""
    while process.poll() is None:
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)


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
    if frame.index % 150 == 149:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        resident.append(pages * 4096)

avatar = rap_edge.open(bundle, threads=1).avatar(portrait)
stats = avatar.render(audio, out=out, on_frame=note)
print(stats.frames, *resident)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_memory_is_flat_over_long_audio(
    bundle: Path, photo: Make, long_silence: Make, tmp_path: Path
) -> None:
    minutes = 1
    words = [sys.executable, "-c", MEMORY_OF_A_RENDER]
    paths = (bundle, photo(), long_silence(minutes), tmp_path / "film.mp4")
    process = subprocess.run([*words, *map(str, paths)], capture_output=True, text=True, check=True)
    frames, *resident = map(int, process.stdout.split())
    assert frames == minutes * 60 * 25
    second_half = resident[len(resident) // 2 :]
    assert max(second_half) - resident[0] < 8e6


def test_an_hour_of_audio_is_read_block_by_block(long_silence: Make) -> None:
    recording = read_audio(long_silence(60))
    assert recording.duration_s == pytest.approx(3600)
    tracemalloc.start()
    heard = sum(len(next(recording.blocks)) for _ in range(3000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    recording.close()
    assert heard > 60 * 48_000
    assert peak < 1e6
