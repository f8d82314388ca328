"""A soak tells the first minute from the last; pushes keep their own time; load ends with us."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import rap_edge
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.quantities import quantity_of
from rap_edge.benchmarks.report.record import Subject
from rap_edge.benchmarks.scenarios import load, speaking
from rap_edge.benchmarks.scenarios.sampling import Sample, histories, sustained
from rap_edge.benchmarks.scenarios.soak import SoakSettings, run, soak
from rap_edge.benchmarks.scenarios.speaking import Speaker, Turn
from rap_edge.benchmarks.subjects import Opened
from rap_edge.bundle import Bundle, open_bundle
from rap_edge.errors import BackendFailed, ConfigError
from rap_edge.portrait import Crop

RATE = 16_000
BRIEF = SoakSettings(
    minutes=0.05, sample_s=0.3, turn_s=(0.3, 0.6), pause_s=(0.05, 0.2), interrupted=0.4
)


def test_a_soak_has_series_of_equal_lengths(synthetic_bundle: Path) -> None:
    speech = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)
    portrait = np.full((80, 100, 3), 77, np.uint8)
    model = rap_edge.open(synthetic_bundle, threads=1)
    avatar = model.avatar(portrait, crop=Crop(10, 8, 64))
    subject = Subject("tiny", "onnxruntime", "cpu", "fp32")
    found = soak(
        Opened(subject, model, avatar, 0.0, 0.0), Pinned(portrait, speech, RATE, ()), BRIEF
    )
    for name in (*found.values, *found.missing):
        quantity_of(name)
    assert {"soak_at_s", "soak_chunk_ms", "soak_late_percent"} <= set(found.series)
    assert len({len(values) for values in found.series.values()}) == 1
    assert list(found.series["soak_at_s"]) == sorted(found.series["soak_at_s"])
    assert found.values["turns"].value >= 1
    assert found.values["old_frames"].value == 0
    assert found.values["sustained"].value > 0


def test_a_soak_has_a_process_of_its_own_that_says_why_it_failed() -> None:
    bundle = open_bundle()
    with pytest.raises(BackendFailed, match=r"soak failed: .*there is no tpu/int8 to measure"):
        run(["tpu/int8"], bundle.path, 1, {}, BRIEF)


def test_a_soak_in_a_process_of_its_own_is_a_result(
    tested: Bundle, inputs: dict[str, Path]
) -> None:
    files = {name: str(path) for name, path in inputs.items()}
    (found,) = run(["onnxruntime/fp32"], tested.path, 1, files, BRIEF)
    assert (found.scenario, found.subject) == ("soak", "onnxruntime/fp32")
    assert found.values["turns"].value >= 1
    assert len(found.series["soak_at_s"]) >= 2


def sample(at_s: float, chunk_ms: float, rss_mb: float | None = None) -> Sample:
    return Sample(at_s, 2.0, chunk_ms, 25.0, 0.0, rss_mb, None)


def test_the_first_minute_is_told_from_the_last() -> None:
    slower = [sample(2.0 * n, 50.0 if n <= 30 else 100.0, 100.0 + n / 10) for n in range(1, 91)]
    values, missing = sustained(slower)
    assert values["first_minute_chunk_ms"].value == 50.0
    assert values["last_minute_chunk_ms"].value == 100.0
    assert values["first_minute_chunk_ms"].n == values["last_minute_chunk_ms"].n == 30
    assert values["sustained"].value == 0.5
    assert values["rss_growth_mb"].value == pytest.approx((88 - 12) / 10)
    assert "temperature_c" in missing


def test_what_the_machine_does_not_tell_is_missing_with_a_reason() -> None:
    silent = [sample(2.0, 50.0), sample(4.0, 50.0)]
    values, missing = sustained(silent)
    assert "rss_growth_mb" not in values
    assert {"rss_growth_mb", "temperature_c"} <= set(missing)
    assert set(histories(silent)) == {"soak_at_s", "soak_chunk_ms", "soak_late_percent"}
    half = [sample(2.0, 50.0, 100.0), sample(4.0, 50.0)]
    assert "soak_rss_mb" not in histories(half)
    assert set(sustained(silent[:1])[1]) >= {"sustained"}


class Virtual:
    """A clock that turns when somebody waits, and a stream whose pushes take time on it."""

    def __init__(self, push_s: list[float]) -> None:
        self.now = 100.0
        self._push_s = push_s
        self.pushes: list[tuple[float, int]] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False

    def begin(self) -> int:
        self.began = self.now
        return 1

    def push_audio(self, pcm: Any, rate: int, utterance: int) -> bool:
        self.pushes.append((round(self.now - self.began, 3), len(pcm)))
        self.now += self._push_s.pop(0) if self._push_s else 0.0
        return True


def test_a_push_that_is_slow_puts_no_other_off(monkeypatch: pytest.MonkeyPatch) -> None:
    virtual: Any = Virtual([0.0, 0.05])
    virtual.flush = lambda utterance: speaker.spoken[utterance].ended.set()
    monkeypatch.setattr(speaking, "time", virtual)
    speaker = Speaker(virtual, RATE, [Turn(np.ones(1920, np.float32), 0.0)])
    speaker._is_over = SimpleNamespace(wait=virtual.wait)  # type: ignore[assignment]
    speaker.run()
    assert speaker._error is None
    due = [0.0, 0.02, 0.07, 0.07, 0.08, 0.10]
    assert virtual.pushes == [(at_s, 320) for at_s in due]
    assert virtual.now - virtual.began == pytest.approx(0.12)


def test_load_ends_with_who_wanted_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def noted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(load.subprocess, "Popen", noted)
    with load.busy(2):
        assert [process.poll() for process in started] == [None, None]
        stdin = started[0].stdin
        assert stdin is not None
        stdin.close()  # as when we are killed
        assert started[0].wait(60) == 0
    assert all(process.returncode is not None for process in started)
    assert len(started) == 2
    with load.busy(0):
        assert len(started) == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"minutes": 0.0}, "minutes is 0.0"),
        ({"turn_s": (3.0, 2.0)}, "turn_s is"),
        ({"pause_s": (1.0,)}, "pause_s is"),
        ({"interrupted": 1.5}, "interrupted is 1.5: expected a share"),
    ],
)
def test_settings_say_what_is_wrong(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        replace(BRIEF, **wrong)


def test_load_below_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match="load is -1"), load.busy(-1):
        pass
