"""The evaluator judges stand-in talkers whose faults are known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rap_edge.evaluation import against, mouth, report, sheet, steadiness, suite, sync
from rap_edge.evaluation.against import GatePlan, measure_quality
from rap_edge.evaluation.metrics import Curve
from rap_edge.evaluation.mouth import LEFT_EYE, LOWER_LIP, NOSE_TIP, FaceMesh, Landmarks
from rap_edge.evaluation.ridge import HeardMouth, MelRidge, fit_ridge, rows
from rap_edge.evaluation.stage import Stage
from rap_edge.evaluation.talker import Picture, Samples, Talker
from rap_edge.evaluation.truth import TruthClip
from rap_edge.quality import GATE, Quality

SIZE = 64
MIDDLE = (32, 32)
N_FRAMES = 200
FRAME_SAMPLES = 640


class PixelMesh(FaceMesh):
    """Reads the mouth's gap from the red of the middle pixel, the nose's place from its green."""

    def __init__(self) -> None:
        pass

    def track(self, frames: Iterable[Picture]) -> Landmarks:
        pixels = np.stack([frame[MIDDLE] for frame in frames]).astype(np.float32)
        points = np.zeros((len(pixels), 478, 2), dtype=np.float32)
        points[:, LEFT_EYE, 0] = 255
        points[:, LOWER_LIP, 1] = pixels[:, 0]
        points[:, NOSE_TIP] = pixels[:, 1:2]
        return points


def voice(seed: int, n_frames: int = N_FRAMES) -> Samples:
    """Return noise whose loudness moves at the rate of syllables."""
    rng = np.random.default_rng(seed)
    bumps = np.convolve(rng.normal(size=n_frames + 8), np.hanning(9), "valid")
    loudness = np.clip(bumps / bumps.std(), 0, 2) / 4 + 0.001
    return (np.repeat(loudness, FRAME_SAMPLES) * rng.normal(size=n_frames * FRAME_SAMPLES)).astype(
        np.float32
    )


def loudness(samples: Samples) -> Curve:
    return np.asarray(np.abs(samples).reshape(-1, FRAME_SAMPLES).mean(axis=1))


def picture(opening: float, nose: float) -> Picture:
    frame = np.full((SIZE, SIZE, 3), 90, dtype=np.uint8)
    frame[MIDDLE] = (int(np.clip(255 * opening, 0, 255)), int(nose), 0)
    return frame


def talker(delay_frames: int = 0, tremble: float = 0.0) -> Talker:
    """Return a talker whose mouth is the loudness, late and trembling."""

    def speak(reference: Picture, samples: Samples, seed: int) -> Iterator[Picture]:
        rng = np.random.default_rng(seed)
        heard = np.concatenate([np.zeros(delay_frames), loudness(samples)])[: len(samples) // 640]
        heard = heard + np.abs(rng.normal(0, tremble, len(heard))) * (tremble > 0)
        for opening, nose in zip(heard, rng.uniform(0, 255, len(heard)), strict=True):
            yield picture(opening, nose)

    return speak


def truth_clip(seed: int) -> TruthClip:
    samples = voice(seed)
    opening = loudness(samples)
    frames = np.stack([picture(gap, 100) for gap in opening])
    labels = np.zeros((N_FRAMES, 16, 16), dtype=np.float16)
    return TruthClip(
        name=f"person-{seed}",
        person="person.jpg",
        voice="a voice",
        text="some words",
        samples=samples,
        reference=picture(0, 100),
        reference_landmarks=np.array([[20, 20], [44, 44]], dtype=np.float32),
        frames=frames,
        landmarks=np.zeros((N_FRAMES, 68, 2), dtype=np.float32),
        rig_opening=opening,
        opening=np.floor(255 * opening) / 255,
        rest=0.0,
        flow=np.zeros((N_FRAMES, 16, 16, 2), dtype=np.float16),
        lips=labels,
        teeth=labels,
    )


@pytest.fixture(scope="module")
def ridge() -> MelRidge:
    return fit_ridge([HeardMouth(voice(s), loudness(voice(s))) for s in range(100, 116)])


def silent(part: str, done: int, total: int) -> None:
    """Tell nobody."""


def played(speak: Talker, ridge: MelRidge) -> suite.Results:
    """Run the tests that need no data folder, on three people."""
    audience = suite.Audience(speak, PixelMesh())
    performed = [suite.perform(audience, ridge, truth_clip(seed)) for seed in range(3)]
    roles = [role for role, _, _ in performed]
    plan = suite.Plan(people=3, long_people=1, long_s=30)
    return suite.Results(
        sync=[found for _, found, _ in performed],
        null=sync.null([r.truth for r in roles], [mouth.opening(r.landmarks) for r in roles]),
        seeds=suite.evaluate_seeds(audience, roles[:1], silent),
        quiet=suite.evaluate_quiet(audience, roles[:1], silent),
        long=suite.evaluate_long(audience, roles, plan, silent),
        real=[],
    )


def test_a_faithful_talker_meets_every_target(ridge: MelRidge) -> None:
    results = played(talker(), ridge)
    assert all(clip.model.r > 0.99 for clip in results.sync)
    assert results.null.p95_r < 0.5
    assert results.seeds[0].lips_r == pytest.approx(1.0)
    assert abs(results.seeds[0].head_r) < 0.3
    assert results.long[0].seconds == 30
    assert results.long[0].first_r == pytest.approx(results.long[0].last_r, abs=1e-3)
    assert results.long[0].background.loss_db == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("delay_frames", [1, 4])
def test_a_late_talker_is_told_how_late(ridge: MelRidge, delay_frames: int) -> None:
    for clip in played(talker(delay_frames), ridge).sync:
        assert clip.model.lag_ms == pytest.approx(40 * delay_frames, abs=5)
        assert clip.model.r < clip.model.peak_r
        assert clip.model.peak_r > 0.99


def test_a_trembling_mouth_is_not_still_in_silence(ridge: MelRidge) -> None:
    calm, trembling = (played(talker(0, t), ridge).quiet[0].mouth for t in (0.0, 0.1))
    assert calm.sd_ratio < 0.05
    assert trembling.sd_ratio > 0.3


def test_the_ridge_finds_a_mouth_that_follows_the_loudness(ridge: MelRidge) -> None:
    heard = voice(7)
    predicted = ridge.opening(heard, N_FRAMES)
    assert np.corrcoef(predicted, loudness(heard))[0, 1] > 0.8


def test_context_before_a_clip_changes_only_its_edges() -> None:
    samples = voice(3)
    whole = rows(samples, N_FRAMES)
    part = rows(samples[20 * FRAME_SAMPLES :], 100, first_hop=20 * 4)
    np.testing.assert_allclose(part[:90], whole[40:130], atol=1e-5)


def test_the_minute_begins_and_ends_with_the_same_words() -> None:
    voices = [voice(seed) for seed in range(3)]
    minute = steadiness.long_samples(voices, 1)
    own = len(voices[1])
    np.testing.assert_array_equal(minute[:own], voices[1])
    np.testing.assert_array_equal(minute[-own:], voices[1])
    assert len(minute) == 60 * 16000


def test_a_truth_clip_survives_its_file(tmp_path: Path) -> None:
    clip = truth_clip(1)
    clip.save(tmp_path / "clip.npz")
    loaded = TruthClip.load(tmp_path / "clip.npz")
    assert (loaded.name, loaded.text, loaded.rest) == (clip.name, clip.text, clip.rest)
    np.testing.assert_array_equal(loaded.frames, clip.frames)
    np.testing.assert_array_equal(loaded.samples, clip.samples)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.npz"]


def test_the_report_says_what_is_met_and_is_valid_json(ridge: MelRidge, tmp_path: Path) -> None:
    results = played(talker(3, 0.1), ridge)
    written = report.Report("stand-in", suite.Plan(people=3), results, {})
    report.write_report(written, tmp_path)
    found = json.loads((tmp_path / "report.json").read_text())
    met = {row["what"]: row["met"] for row in found["summary"]}
    assert found["schema_version"] == report.SCHEMA_VERSION
    assert met["absolute lag, median, ms"] is False
    assert met["silence: sd over that in speech, median"] is False
    assert met["a minute: loss of it at the end, dB"] is True
    assert "| absolute lag, median, ms | 1" in (tmp_path / "report.md").read_text()


def test_what_json_cannot_hold_is_null() -> None:
    assert report.finite({"a": [float("nan"), 1.0, (float("inf"),)]}) == {"a": [None, 1.0, [None]]}


def test_the_sheet_alternates_open_and_shut_moments(tmp_path: Path) -> None:
    clip = truth_clip(2)
    at = sheet.moments(clip.opening)
    assert at == sorted(at)
    assert clip.opening[at[0]] == clip.opening[:20].max()
    assert clip.opening[at[1]] == clip.opening[20:40].min()
    strip = sheet.strip("title", clip.frames, clip.frames, clip.opening, clip.opening)
    drawn = sheet.draw([strip, strip])
    assert drawn.shape[1] == sheet.COLUMNS * sheet.CELL
    sheet.write_sheet([strip], tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 0


def measured_against(variant: Talker, monkeypatch: pytest.MonkeyPatch) -> Quality:
    """Measure a variant of the faithful talker on two people, and one for half a minute."""
    clips = (truth_clip(seed) for seed in range(2))
    monkeypatch.setattr(against, "truth_clips", lambda *arguments: clips)
    plan = GatePlan(people=2, seconds=8, long_people=1, long_s=30)
    stage = Stage(Path(), Path(), None, None)  # type: ignore[arg-type]
    found = measure_quality({"it": variant}, talker(), stage, PixelMesh(), plan, silent)
    return found["it"]


def test_a_variant_that_is_the_same_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    quality = measured_against(talker(), monkeypatch)
    assert (quality.frame_psnr_db, quality.mouth_psnr_db) == (100.0, 100.0)
    assert quality.mouth_curve_r == pytest.approx(1.0)
    assert quality.lip_sync_r == quality.fp32_lip_sync_r > 0.99
    assert (quality.people, quality.seconds, quality.long_seconds) == (2, 16, 30)
    assert GATE.failures(replace(quality, people=6, seconds=36, long_seconds=60)) == []
    assert len(GATE.failures(quality)) == 3  # too few were looked at, and too briefly


def test_a_variant_whose_mouth_trembles_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    quality = measured_against(talker(0, 0.1), monkeypatch)
    failures = "; ".join(GATE.failures(quality))
    assert "mouth curve r is 0." in failures
    assert "lip-sync r is 0." in failures
    assert quality.lip_sync_r < quality.fp32_lip_sync_r - 0.02


def test_every_metric_of_the_gate_can_fail() -> None:
    good = Quality(40, 35, 0.99, 0.75, 0.75, 0.5, 0.5, 0.1, 0.1, 35, 30, 12, 120.0, 1, 60.0)
    bad = Quality(35, 31, 0.97, 0.72, 0.75, 0.7, 0.5, 0.7, 0.1, 29, 27, 5, 20.0, 0, 50.0)
    unknown = Quality(*[float("nan")] * 11, 12, 120.0, 1, 60.0)
    assert GATE.failures(good) == []
    assert len(GATE.failures(bad)) == 12
    assert len(GATE.failures(unknown)) == 8
    assert "mouth crop PSNR is 31.000 dB (at least 32.000)" in GATE.failures(bad)
