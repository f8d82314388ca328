"""Films are in sync, marked as AI-made, and whole or not there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from rap_edge.errors import MediaError, StateError
from rap_edge.media import AUDIO_RATE, VideoWriter, read_audio
from rap_edge.media.made_by_ai import SOURCE_TYPE

FRAME_SAMPLES = AUDIO_RATE // 25

Samples = NDArray[np.float32]


def tone(seconds: float, rate: int, hz: float = 300.0) -> Samples:
    """A sine of amplitude 0.5: (S,) float32."""
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def correlation(a: Samples, b: Samples) -> float:
    n = min(len(a), len(b))
    return float(np.corrcoef(a[:n], b[:n])[0, 1])


def whole(path: Path, rate: int = AUDIO_RATE) -> Samples:
    return np.concatenate(list(read_audio(path, rate)))


def film(
    path: Path, speech: Samples, images: Iterable[NDArray[np.uint8]] = (), size: int = 64,
    rate: int = AUDIO_RATE,
) -> None:  # fmt: skip
    """Write speech with pictures (black ones where there are none) as a film."""
    pictures = iter(images)
    black = np.zeros((size, size, 3), np.uint8)
    with VideoWriter(path, size, size, sample_rate=rate) as writer:
        for start in range(0, len(speech), rate // 25):
            writer.write(next(pictures, black), speech[start : start + rate // 25])


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_click_and_flash_are_within_10_ms(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "film.mp4"
    speech = np.zeros(3 * rate, np.float32)
    speech[rate : rate + rate // 500] = 0.9
    flash = [np.full((64, 64, 3), 255 * (n == 25), np.uint8) for n in range(75)]
    film(path, speech, flash, rate=rate)

    click_s = np.argmax(np.abs(whole(path)) > 0.3) / AUDIO_RATE
    with av.open(str(path)) as container:
        brightness = {f.time: f.to_ndarray(format="gray").mean() for f in container.decode(video=0)}
        starts = [stream.start_time for stream in container.streams]
    flash_s = max(brightness, key=brightness.__getitem__)
    assert starts == [0, 0]
    assert flash_s == pytest.approx(1.0, abs=1e-6)
    assert abs(click_s - flash_s) < 0.002


def test_the_sound_of_a_film_is_read(tmp_path: Path) -> None:
    film(tmp_path / "film.mp4", tone(1.0, AUDIO_RATE))
    assert correlation(whole(tmp_path / "film.mp4"), tone(1.0, AUDIO_RATE)) > 0.99


def test_the_film_is_h264_and_aac_of_the_length_of_the_speech(tmp_path: Path) -> None:
    film(tmp_path / "film.mp4", tone(2.0, AUDIO_RATE), size=128)
    with av.open(str(tmp_path / "film.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate) == (128, 128, 25)
        assert (audio.sample_rate, audio.layout.name) == (AUDIO_RATE, "mono")
        assert float(video.duration * video.time_base) == pytest.approx(2.0, abs=0.001)
        assert float(audio.duration * audio.time_base) == pytest.approx(2.0, abs=0.025)


def test_the_index_comes_before_the_pictures(tmp_path: Path) -> None:
    film(tmp_path / "film.mp4", tone(0.2, AUDIO_RATE))
    data = (tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_colours_survive_and_are_declared(tmp_path: Path) -> None:
    colours = [(200, 60, 30), (30, 160, 60), (40, 60, 200), (250, 250, 250), (5, 5, 5)]
    pictures = [np.full((64, 64, 3), colour, np.uint8) for colour in colours]
    film(tmp_path / "film.mp4", tone(0.2, AUDIO_RATE), pictures)
    with av.open(str(tmp_path / "film.mp4")) as container:
        for frame, colour in zip(container.decode(video=0), colours, strict=True):
            assert (frame.colorspace, frame.color_range) == (1, 1)
            rgb = frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU709).to_ndarray()
            assert np.abs(rgb.reshape(-1, 3).mean(axis=0) - colour).max() < 4


def test_the_film_says_that_an_ai_made_it(tmp_path: Path) -> None:
    film(tmp_path / "film.mp4", tone(0.2, AUDIO_RATE))
    with av.open(str(tmp_path / "film.mp4"), options={"export_xmp": "1"}) as container:
        tags = container.metadata
    assert tags["description"].startswith("Made by AI")
    assert SOURCE_TYPE in tags["comment"]
    assert f'DigitalSourceType="{SOURCE_TYPE}"' in tags["xmp"]


def test_a_film_replaces_one_of_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"an older film")
    with VideoWriter(path, 64, 64) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8), np.zeros(FRAME_SAMPLES, np.float32))
        assert path.read_bytes() == b"an older film"
    assert path.read_bytes()[4:8] == b"ftyp"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_exception_leaves_nothing(tmp_path: Path, failure: type[BaseException]) -> None:
    def interrupted() -> None:
        with VideoWriter(tmp_path / "film.mp4", 64, 64) as writer:
            writer.write(np.zeros((64, 64, 3), np.uint8), np.zeros(FRAME_SAMPLES, np.float32))
            raise failure

    with pytest.raises(failure):
        interrupted()
    assert list(tmp_path.iterdir()) == []


WRITE_UNTIL_STOPPED = """
import sys, numpy as np
from rap_edge.cli.failures import end_cleanly_when_terminated
from rap_edge.media import VideoWriter
end_cleanly_when_terminated()
noise = np.random.default_rng(0)
with VideoWriter(sys.argv[1], 64, 64) as writer:
    while True:
        picture = noise.integers(0, 256, (64, 64, 3), np.uint8)
        writer.write(picture, np.zeros(1920, np.float32))
        print("frame", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_half_way_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", WRITE_UNTIL_STOPPED, str(tmp_path / "film.mp4")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(30):
            process.stdout.readline()
        process.send_signal(number)
        process.stdout.read()
    assert process.returncode != 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_full_disk_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    import resource

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    command = [sys.executable, "-c", WRITE_UNTIL_STOPPED, str(tmp_path / "film.mp4")]
    process = subprocess.run(
        command, preexec_fn=limited, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert "MediaError" in process.stderr
    assert "free some space" in process.stderr
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.mp4").mkdir()
    cases = {
        "missing/film.mp4": "create it first",
        "file/film.mp4": "not a folder",
        "folder.mp4": "is a folder",
        "film.avi": "does not end in .mp4",
    }
    for name, reason in cases.items():
        with pytest.raises(MediaError, match=reason):
            VideoWriter(tmp_path / name, 64, 64)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that refuses files")
def test_a_folder_that_refuses_files_is_an_error() -> None:
    with pytest.raises(MediaError, match="/proc"), VideoWriter("/proc/film.mp4", 64, 64):
        pass


def test_wrong_use_is_refused(tmp_path: Path) -> None:
    silence = np.zeros(FRAME_SAMPLES, np.float32)
    with pytest.raises(MediaError, match="even"):
        VideoWriter(tmp_path / "film.mp4", 63, 64)
    writer = VideoWriter(tmp_path / "film.mp4", 64, 64)
    with pytest.raises(StateError, match="not open"):
        writer.write(np.zeros((64, 64, 3), np.uint8), silence)
    with writer, pytest.raises(MediaError, match=r"frame 0 is \(32, 64, 3\)"):
        writer.write(np.zeros((32, 64, 3), np.uint8), silence)
