"""Bad input to the whole command: one clear line, the right code, no file left behind."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="rights are POSIX")

Make = Callable[..., Path]
Render = Callable[..., Any]

NOISE = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)


def assert_refused(rendered: Any, code: ExitCode, *words: str) -> None:
    stderr = rendered.result.stderr
    assert rendered.result.exit_code == code, stderr
    assert len(stderr.strip().splitlines()) == 1
    assert stderr.startswith("error: ")
    for word in words:
        assert word in stderr
    assert rendered.result.stdout == ""
    assert rendered.written == []


def test_good_input_becomes_a_film(render: Render, photo: Make, speech: Make) -> None:
    rendered = render(photo(), speech())
    assert rendered.result.exit_code == ExitCode.OK, rendered.result.stderr
    assert rendered.result.stderr == ""
    numbers = json.loads(rendered.result.stdout)
    assert (numbers["frames"], numbers["audio_seconds"]) == (25, 1.0)
    assert rendered.written == ["film.mp4"]


def test_missing_files(render: Render, photo: Make, speech: Make, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert_refused(render(gone, speech()), ExitCode.NO_INPUT, str(gone), "No such file")
    assert_refused(render(photo(), gone), ExitCode.NO_INPUT, str(gone), "No such file")


@POSIX
@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files(render: Render, photo: Make, speech: Make) -> None:
    closed = photo()
    closed.chmod(0)
    assert_refused(render(closed, speech()), ExitCode.NO_INPUT, "Permission denied")


def test_not_an_image_and_not_audio(
    render: Render, photo: Make, speech: Make, tmp_path: Path
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("neither one nor the other")
    assert_refused(render(text, speech()), ExitCode.BAD_DATA, str(text), "not a picture")
    assert_refused(render(photo(), text), ExitCode.BAD_DATA, str(text), "not a media file")
    assert_refused(render(photo(), photo()), ExitCode.BAD_DATA, "no audio")


def test_no_face(render: Render, photo: Make, speech: Make) -> None:
    assert_refused(render(photo(faces=0), speech()), ExitCode.BAD_DATA, "no face")


def test_several_faces(render: Render, photo: Make, speech: Make) -> None:
    rendered = render(photo(faces=2), speech())
    assert rendered.result.exit_code == ExitCode.OK
    assert rendered.result.stderr.startswith("warning: 2 faces")
    assert "largest" in rendered.result.stderr
    assert len(rendered.result.stderr.splitlines()) == 1
    assert rendered.written == ["film.mp4"]


def test_image_under_64_pixels(render: Render, photo: Make, speech: Make) -> None:
    small = photo(size=63)
    assert_refused(render(small, speech()), ExitCode.BAD_DATA, "63x63", "at least 64 px")


def test_empty_audio(render: Render, photo: Make, speech: Make) -> None:
    empty = speech(NOISE[:0])
    assert_refused(render(photo(), empty), ExitCode.BAD_DATA, str(empty), "no audio samples")


def test_one_second_of_silence(render: Render, photo: Make, speech: Make) -> None:
    rendered = render(photo(), speech(np.zeros(16000, np.float32)))
    assert rendered.result.exit_code == ExitCode.OK
    assert json.loads(rendered.result.stdout)["frames"] == 25
    with av.open(str(rendered.folder / "film.mp4")) as film:
        loudest = max(np.abs(frame.to_ndarray()).max() for frame in film.decode(audio=0))
    assert loudest < 1e-3


@pytest.mark.parametrize("n_samples", [40, 639, 641])
def test_a_blink_of_audio(render: Render, photo: Make, speech: Make, n_samples: int) -> None:
    rendered = render(photo(), speech(NOISE[:n_samples]))
    assert rendered.result.exit_code == ExitCode.OK, rendered.result.stderr
    assert json.loads(rendered.result.stdout)["frames"] == -(-n_samples // 640)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_finite(
    render: Render, photo: Make, speech: Make, value: float
) -> None:
    samples = np.tile(NOISE, 4)
    samples[40000] = value
    refused = render(photo(), speech(samples))
    assert_refused(refused, ExitCode.BAD_DATA, "not finite", "2.500 s")


def test_clipped_samples(render: Render, photo: Make, speech: Make) -> None:
    rendered = render(photo(), speech(50 * NOISE))
    assert rendered.result.exit_code == ExitCode.OK
    assert rendered.result.stderr == ""


def test_output_folder_missing_or_refusing(
    render: Render, photo: Make, speech: Make, tmp_path: Path
) -> None:
    portrait, audio = photo(), speech()
    missing = render(portrait, audio, tmp_path / "missing" / "film.mp4")
    assert_refused(missing, ExitCode.CANNOT_CREATE, str(tmp_path / "missing"), "create it")
    occupied = render(portrait, audio, portrait / "film.mp4")
    assert_refused(occupied, ExitCode.CANNOT_CREATE, "not a folder")


@POSIX
def test_output_folder_not_writable(
    render: Render, photo: Make, speech: Make, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):  # root may write everywhere but here
        closed = Path("/proc")
    refused = render(photo(), speech(), closed / "film.mp4")
    assert refused.result.exit_code in (ExitCode.CANNOT_CREATE, ExitCode.IO_ERROR)
    assert str(closed) in refused.result.stderr
    assert len(refused.result.stderr.strip().splitlines()) == 1


def test_a_damaged_bundle(bundle: Path, photo: Make, speech: Make, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(bundle, damaged)
    (damaged / "manifest.json").write_text("{")
    out = tmp_path / "film.mp4"
    paths = (photo(), speech(), "--out", out, "--bundle", damaged)
    result = CliRunner().invoke(app, ["render", *map(str, paths)])
    assert result.exit_code == ExitCode.BAD_DATA
    assert len(result.stderr.strip().splitlines()) == 1
    assert not out.exists()
