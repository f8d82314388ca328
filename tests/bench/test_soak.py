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
from rap_edge.benchmarks.scenarios.process import Asked, handed
from rap_edge.benchmarks.scenarios.sampling import Sample, full_share, histories, sustained
from rap_edge.benchmarks.scenarios.soak import SoakSettings, run, soak
from rap_edge.benchmarks.scenarios.speaking import Speaker, Turn
from rap_edge.benchmarks.subjects import Opened
from rap_edge.bundle import Bundle
from rap_edge.errors import ConfigError
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
    of_chunks = {len(found.series.get(f"soak_chunk_{name}", ())) for name in ("ms", "at_s")}
    others = [v for name, v in found.series.items() if not name.startswith("soak_chunk_")]
    assert {"soak_at_s", "soak_late_percent", "soak_full_level_percent"} <= set(found.series)
    assert len(of_chunks) == len({len(values) for values in others}) == 1
    assert list(found.series["soak_at_s"]) == sorted(found.series["soak_at_s"])
    assert found.values["turns"].value >= 1
    assert found.values["old_frames"].value == 0
    assert ("sustained" in found.values) != ("sustained" in found.missing)


def test_a_soak_that_fails_says_why_and_the_others_are_measured(
    tested: Bundle, pinned: Pinned
) -> None:
    told: list[int] = []
    with handed(pinned) as inputs:
        right = Asked(
            label="onnxruntime/fp32",
            variant="onnxruntime/fp32",
            device="cpu",
            threads=1,
            bundle=str(tested.path),
            trust=(),
            inputs=inputs,
            sample_rate=pinned.sample_rate,
        )
        wrong = replace(right, label="elsewhere", bundle=str(Path(inputs, "nothing")))
        failed, found = run([wrong, right], BRIEF, told.append)
    assert told == [0, 1]
    assert (failed.scenario, failed.subject, failed.values) == ("soak", "elsewhere", {})
    assert "nothing" in failed.missing["soak"]
    assert (found.scenario, found.subject) == ("soak", "onnxruntime/fp32")
    assert found.values["turns"].value >= 1
    assert len(found.series["soak_at_s"]) >= 2


def sample(
    at_s: float, chunk_ms: float, rss_mb: float | None = None, full: float = 100.0
) -> Sample:
    return Sample(at_s, 2.0, chunk_ms, full, 25.0, 0.0, rss_mb, None)


def test_the_first_minute_is_told_from_the_last() -> None:
    slower = [sample(2.0 * n, 50.0 if n <= 30 else 100.0, 100.0 + n / 10) for n in range(1, 91)]
    values, missing = sustained(slower)
    assert values["first_minute_chunk_ms"].value == 50.0
    assert values["last_minute_chunk_ms"].value == 100.0
    assert values["first_minute_chunk_ms"].n == values["last_minute_chunk_ms"].n == 30
    assert values["sustained"].value == 0.5
    assert values["rss_growth_mb"].value == pytest.approx((88 - 12) / 10)
    assert values["last_minute_full_level_percent"].value == 100
    assert "temperature_c" in missing


def test_a_device_that_does_less_work_is_not_said_to_be_faster() -> None:
    slow = [
        sample(2.0 * n, *((50.0, None, 100.0) if n <= 30 else (40.0, None, 10.0)))
        for n in range(1, 91)
    ]
    values, missing = sustained(slow)
    assert values["first_minute_chunk_ms"].value == 50.0
    assert values["last_minute_full_level_percent"].value == 10.0
    assert not {"last_minute_chunk_ms", "sustained"} & set(values)
    assert "the last minute was at full level for 10 % of its time" in missing["sustained"]
    series = histories(slow)
    assert set(series["soak_chunk_ms"]) == {50.0}
    assert len(series["soak_chunk_at_s"]) == len(series["soak_chunk_ms"]) == 30
    assert len(series["soak_full_level_percent"]) == len(series["soak_at_s"]) == 90


def test_chunks_of_a_minute_at_several_levels_are_those_at_the_best() -> None:
    mixed = [sample(2.0 * n, *((50.0, None) if n % 3 else (20.0, None, 40.0))) for n in range(91)]
    values, _ = sustained(mixed)
    assert values["first_minute_chunk_ms"].value == values["last_minute_chunk_ms"].value == 50.0
    assert values["sustained"].value == 1.0


def test_time_at_full_level_is_what_the_changes_leave_of_it() -> None:
    def change(now_ns: int, to_level: int) -> Any:
        return SimpleNamespace(now_ns=now_ns, to_level=to_level)

    assert full_share(0, [], 100, 200) == 1.0
    assert full_share(1, [], 100, 200) == 0.0
    assert full_share(0, [change(130, 1), change(180, 0)], 100, 200) == 0.5
    assert full_share(2, [change(110, 1), change(160, 0)], 100, 200) == 0.4


def test_what_the_machine_does_not_tell_is_missing_with_a_reason() -> None:
    silent = [sample(2.0, 50.0), sample(4.0, 50.0)]
    values, missing = sustained(silent)
    assert "rss_growth_mb" not in values
    assert {"rss_growth_mb", "temperature_c"} <= set(missing)
    assert not {"soak_rss_mb", "soak_temperature_c"} & set(histories(silent))
    assert {"soak_at_s", "soak_chunk_ms", "soak_late_percent"} <= set(histories(silent))
    half = [sample(2.0, 50.0, 100.0), sample(4.0, 50.0)]
    assert "soak_rss_mb" not in histories(half)
    assert set(sustained(silent[:1])[1]) >= {"sustained"}


class Virtual:
    """A clock that turns when somebody waits, and a stream whose pushes take time on it."""

    def __init__(self, push_s: list[float]) -> None:
        self.now = 100.0
        self._push_s = push_s
        self.pushes: list[tuple[float, int]] = []

    def perf_counter(self) -> float:
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


def pushes_of(virtual: Virtual, turn: Turn, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    stream: Any = virtual
    stream.flush = lambda utterance: speaker.spoken[utterance].ended.set()
    stream.perf_counter_ns = lambda: round(virtual.now * 1e9)
    stream.interrupt = lambda: None
    monkeypatch.setattr(speaking, "time", virtual)
    speaker = Speaker(stream, RATE, [turn])
    speaker._is_over = SimpleNamespace(wait=virtual.wait)  # type: ignore[assignment]
    speaker.run()
    assert speaker._error is None
    return virtual.pushes


def test_a_block_is_pushed_once_it_was_spoken_and_a_slow_push_puts_no_other_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    virtual = Virtual([0.0, 0.05])
    found = pushes_of(virtual, Turn(np.ones(1900, np.float32), 0.0), monkeypatch)
    due = [0.02, 0.04, 0.09, 0.09, 0.10]
    assert found == [*((at_s, 320) for at_s in due), (0.119, 300)]
    assert virtual.now - virtual.began == pytest.approx(1900 / RATE)


def test_what_was_not_spoken_before_a_cut_is_not_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    virtual = Virtual([])
    pcm = np.ones(1900, np.float32)
    assert pushes_of(virtual, Turn(pcm, 0.0, cut_s=0.05), monkeypatch) == [(0.02, 320), (0.04, 320)]
    assert virtual.now - virtual.began == pytest.approx(0.05 + speaking.AFTERMATH_S)
    at_once = Turn(pcm, 0.0, cut_s=0.05, at_once=True)
    assert pushes_of(Virtual([]), at_once, monkeypatch) == [(0.0, 1900)]


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
