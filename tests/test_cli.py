"""The command line: what `render` prints, and one exit code and one line for every failure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import rap_edge
from rap_edge import errors
from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app
from rap_edge.media import VideoWriter

Render = Callable[..., Result]

STATS_KEYS = [
    "frames", "fps", "width", "height", "audio_seconds",
    "render_seconds", "x_realtime", "backend", "bundle",
]  # fmt: skip


@dataclass(frozen=True)
class Stats:
    """What `avatar.render` returns."""

    frames: int = 25
    fps: int = 25
    width: int = 64
    height: int = 64
    audio_seconds: float = 1.0
    render_seconds: float = 0.25
    x_realtime: float = 4.0
    backend: str = "onnxruntime"
    bundle: str = "fake"


class FakeModel:
    """A model and an avatar in one, which writes black frames or fails as told."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure
        self.calls: dict[str, object] = {}

    def avatar(self, portrait: Path) -> FakeModel:
        self.calls["portrait"] = portrait
        return self

    def render(
        self, audio: Path, out: Path, seed: int, on_frame: Callable[[object], object]
    ) -> Stats:
        self.calls |= {"audio": audio, "out": out, "seed": seed}
        with VideoWriter(out, 64, 64) as writer:
            for n in range(25):
                writer.write(np.zeros((64, 64, 3), np.uint8), np.zeros(1920, np.float32))
                on_frame(SimpleNamespace(index=n))
            if self.failure is not None:
                raise self.failure
        return Stats()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    fake = FakeModel()

    def opened(
        bundle: Path | None,
        backend: str,
        precision: str | None,
        threads: int | None,
        trust: Sequence[Path],
    ) -> FakeModel:
        fake.calls |= {"bundle": bundle, "variant": (backend, precision), "threads": threads}
        fake.calls |= {"trust": list(trust)}
        return fake

    monkeypatch.setattr(rap_edge, "open", opened)
    return fake


@pytest.fixture
def render(tmp_path: Path, speech: Path, portrait: Path) -> Render:
    """Run `rap-edge render`; returns the result."""

    def run(*options: str, portrait: Path = portrait, audio: Path = speech) -> Result:
        out = [] if "--out" in options else ["--out", str(tmp_path / "film.mp4")]
        return CliRunner().invoke(app, ["render", str(portrait), str(audio), *out, *options])

    return run


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    path = tmp_path / "portrait.png"
    Image.new("RGB", (128, 128), (180, 140, 120)).save(path)
    return path


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    import wave

    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16000))
    return path


def test_json_is_one_object_on_stdout_with_a_schema_version(
    model: FakeModel, render: Render
) -> None:
    result = render("--json")
    assert result.exit_code == ExitCode.OK
    numbers = json.loads(result.stdout)
    assert list(numbers) == ["schema_version", *STATS_KEYS]
    assert numbers["schema_version"] == 1
    assert numbers["frames"] == 25


def test_the_summary_names_what_was_done(model: FakeModel, render: Render, tmp_path: Path) -> None:
    result = render()
    for part in ("film.mp4", "25 frames", "64x64", "25 fps", "4.00 times real time", "onnxruntime"):
        assert part in result.stdout
    assert (tmp_path / "film.mp4").stat().st_size > 0
    assert result.stderr == ""


def test_options_reach_the_model(
    model: FakeModel, render: Render, tmp_path: Path, portrait: Path, speech: Path
) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    variant = ("--backend", "openvino", "--precision", "int8")
    keys = ("--trust", "their.pub.pem")
    result = render("--bundle", str(bundle), "--seed", "7", "--threads", "3", *variant, *keys)
    assert result.exit_code == ExitCode.OK
    assert model.calls == {
        "bundle": bundle, "variant": ("openvino", "int8"), "threads": 3, "seed": 7,
        "trust": [Path("their.pub.pem")], "portrait": portrait, "audio": speech,
        "out": tmp_path / "film.mp4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (errors.NoFaceFound("no face in the picture"), 65),
        (errors.PortraitError("too small"), 65),
        (errors.AudioError("not finite"), 65),
        (errors.InvalidBundle("damaged"), 65),
        (errors.ConfigError("unknown key"), 65),
        (errors.NotSupported("no such precision"), 69),
        (errors.BackendUnavailable("not installed"), 69),
        (errors.BackendFailed("the device is gone"), 69),
        (errors.Overloaded("one stream too many"), 69),
        (errors.BackpressureError("too far ahead"), 65),
        (ModuleNotFoundError("No module named 'onnxruntime'"), 69),
        (errors.StateError("push after flush"), 70),
        (RuntimeError("surprise"), 70),
        (errors.MediaError("cannot be written (No space left)"), 74),
        (OSError(28, "No space left on device"), 74),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_failure_is_one_line_a_stable_code_and_no_file(
    model: FakeModel, render: Render, tmp_path: Path, failure: BaseException, code: int
) -> None:
    model.failure = failure
    result = render()
    assert result.exit_code == code
    assert len(result.stderr.strip().splitlines()) == 1
    assert str(failure) in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["portrait.png", "speech.wav"]


def test_debug_adds_the_traceback_and_keeps_the_code(model: FakeModel, render: Render) -> None:
    model.failure = errors.AudioError("not finite")
    result = render("--debug")
    assert result.exit_code == ExitCode.BAD_DATA
    assert "Traceback" in result.stderr


def test_warnings_are_one_line_on_stderr(
    model: FakeModel, render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    import warnings

    def warn(portrait: Path) -> FakeModel:
        warnings.warn("3 faces found:\nthe largest is used", stacklevel=1)
        return model

    monkeypatch.setattr(model, "avatar", warn)
    result = render("--json")
    assert result.exit_code == ExitCode.OK
    assert result.stderr == "warning: 3 faces found: the largest is used\n"
    assert json.loads(result.stdout)["frames"] == 25


def test_the_model_is_not_opened_for_input_that_cannot_be_used(
    model: FakeModel, render: Render, tmp_path: Path
) -> None:
    cases = [
        (render(portrait=tmp_path / "no.png"), ExitCode.NO_INPUT, "no.png"),
        (render(audio=tmp_path / "no.wav"), ExitCode.NO_INPUT, "no.wav"),
        (render(audio=tmp_path), ExitCode.NO_INPUT, str(tmp_path)),
        (render(audio=tmp_path / "portrait.png"), ExitCode.BAD_DATA, "portrait.png"),
        (render("--bundle", str(tmp_path / "no")), ExitCode.NO_INPUT, "bundle"),
        (render("--out", str(tmp_path / "no/film.mp4")), ExitCode.CANNOT_CREATE, "create it"),
        (render("--out", str(tmp_path / "film.avi")), ExitCode.CANNOT_CREATE, ".mp4"),
        (render("--seed", "-1"), ExitCode.USAGE, "--seed"),
        (render("--threads", "0"), ExitCode.USAGE, "--threads"),
        (render("--nonsense"), ExitCode.USAGE, "--nonsense"),
    ]
    for result, code, words in cases:
        assert result.exit_code == code
        assert words in result.stderr
        assert "Traceback" not in result.stderr
    assert model.calls == {}


def test_an_input_is_never_overwritten(model: FakeModel, render: Render, tmp_path: Path) -> None:
    talk = tmp_path / "talk.mp4"
    with VideoWriter(talk, 64, 64) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8), np.zeros(1920, np.float32))
    before = talk.read_bytes()
    result = render("--out", str(talk), audio=talk)
    assert result.exit_code == ExitCode.USAGE
    assert "is an input" in result.stderr
    assert talk.read_bytes() == before
