"""The evaluator's numbers on signals whose answers are known."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rap_edge.errors import BackendUnavailable
from rap_edge.evaluation import facemesh_worker, metrics, mouth, regions


def opening_curve(n_frames: int, delay_frames: float = 0.0, seed: int = 0) -> metrics.Curve:
    """Return a smooth curve at the rate of syllables, `delay_frames` late."""
    rng = np.random.default_rng(seed)
    rates, phases = rng.uniform(0.8, 5.0, 12), rng.uniform(0, 2 * np.pi, 12)
    time_s = (np.arange(n_frames)[:, None] - delay_frames) / 25
    return np.asarray(np.sin(2 * np.pi * rates * time_s + phases).mean(axis=1))


def grey_video(n_frames: int, size: int = 32, level: int = 128) -> metrics.Video:
    return np.full((n_frames, size, size, 3), level, dtype=np.uint8)


def face_points(size: float = 256.0) -> regions.Points:
    """Return 68 points whose mouth is 50 wide and 20 high, its middle at (128, 180)."""
    points = np.full((68, 2), size / 2)
    points[:17] = np.stack([np.linspace(70, 186, 17), np.linspace(90, 210, 17)], axis=1)
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    points[48:68] = 128 + 25 * np.cos(angle)[:, None] * [1, 0]
    points[48:68, 1] = 180 + 10 * np.sin(angle)
    points[48], points[54] = (103, 180), (153, 180)
    return points


def test_psnr_of_known_noise() -> None:
    rng = np.random.default_rng(0)
    clean = grey_video(4)
    noisy = np.clip(np.rint(clean + rng.normal(0, 10, clean.shape)), 0, 255).astype(np.uint8)
    assert metrics.psnr(clean, noisy) == pytest.approx(20 * np.log10(255 / 10), abs=0.1)
    assert metrics.psnr(clean, clean + np.uint8(1)) == pytest.approx(48.13, abs=0.01)
    assert metrics.psnr(clean, clean) == metrics.HIGHEST_PSNR_DB


def test_psnr_looks_only_inside_the_mask() -> None:
    clean, spoilt = grey_video(2), grey_video(2)
    spoilt[:, :16] = 0
    below = np.zeros((32, 32), dtype=np.bool_)
    below[16:] = True
    assert metrics.psnr(clean, spoilt, below) == metrics.HIGHEST_PSNR_DB
    assert metrics.psnr(clean, spoilt, ~below) == pytest.approx(5.99, abs=0.01)


def test_psnr_refuses_pictures_of_two_sizes() -> None:
    with pytest.raises(ValueError, match="one size"):
        metrics.psnr(grey_video(1, 32), grey_video(1, 16))


@settings(max_examples=25, deadline=None)
@given(delay=st.floats(-12.0, 12.0, allow_subnormal=False), seed=st.integers(0, 5))
def test_a_delay_is_found_to_a_fraction_of_a_frame(delay: float, seed: int) -> None:
    found = metrics.agreement(opening_curve(250, 0, seed), opening_curve(250, delay, seed))
    assert found.lag_ms == pytest.approx(40 * delay, abs=3.0)
    assert found.peak_r > 0.9


def test_r_of_known_noise_and_of_itself() -> None:
    curve = opening_curve(5000)
    noise = np.random.default_rng(1).normal(0, curve.std(), 5000)
    assert metrics.agreement(curve, curve).r == pytest.approx(1.0)
    assert metrics.pearson(curve, -curve) == pytest.approx(-1.0)
    assert metrics.pearson(curve, curve + noise) == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert metrics.pearson(curve, noise) == pytest.approx(0.0, abs=0.05)


def test_missing_frames_are_left_out() -> None:
    curve = opening_curve(200)
    holes = curve.copy()
    holes[30:60] = np.nan
    assert metrics.agreement(curve, holes).r == pytest.approx(1.0)


@pytest.mark.parametrize("flat", [np.zeros(200), np.full(200, np.nan), opening_curve(5)])
def test_a_mouth_that_does_not_move_follows_nothing(flat: metrics.Curve) -> None:
    found = metrics.agreement(opening_curve(200), flat)
    assert (found.r, found.peak_r) == (0.0, 0.0)
    assert np.isnan(found.lag_ms)


def test_flicker_is_the_mean_change_of_still_pixels() -> None:
    frames = grey_video(4)
    frames[1::2, :16] += np.uint8(6)
    above = np.zeros((32, 32), dtype=np.bool_)
    above[:16] = True
    assert metrics.flicker(frames, above) == 6.0
    assert metrics.flicker(frames, ~above) == 0.0


def test_drift_sees_a_slow_loss_of_colour() -> None:
    frames, everywhere = grey_video(60), np.ones((32, 32), dtype=np.bool_)
    frames[-10:, ..., 2] -= np.uint8(8)
    found = metrics.drift(frames, frames[0], everywhere, 10)
    assert found.first_psnr_db == metrics.HIGHEST_PSNR_DB
    assert found.last_psnr_db == pytest.approx(34.84, abs=0.01)
    assert found.colour_shift == 8.0
    assert found.loss_db == pytest.approx(65.16, abs=0.01)


def test_stillness_compares_silence_with_speech() -> None:
    found = metrics.stillness(np.tile([0.0, 0.2], 50), np.tile([0.01, 0.03], 50))
    assert found.speech_mean == pytest.approx(0.1)
    assert found.silence_mean == pytest.approx(0.02)
    assert found.sd_ratio == pytest.approx(0.1)
    assert np.isnan(metrics.stillness(np.zeros(50), np.zeros(50)).sd_ratio)


def test_the_mouth_crop_is_a_share_of_the_mouth() -> None:
    box = regions.mouth_box(face_points(), 256)
    assert (box.left, box.right, box.top, box.bottom) == (88, 168, 147, 213)
    beside = regions.mouth_box(face_points() - np.array([120, 0]), 256)
    assert beside.left == 0
    assert beside.right > beside.left


def test_mouth_psnr_ignores_the_rest_of_the_face() -> None:
    clean, spoilt = grey_video(2, 256), grey_video(2, 256)
    spoilt[:, :100] = 0
    points = np.stack([face_points()] * 2)
    assert regions.mouth_psnr(clean, spoilt, points) == metrics.HIGHEST_PSNR_DB
    spoilt[:, 180:181, 128:129] = 0
    assert regions.mouth_psnr(clean, spoilt, points) < 50


def test_the_background_is_a_fixed_share_away_from_the_face() -> None:
    mask = regions.background(face_points(), 256)
    assert mask.mean() == pytest.approx(regions.BACKGROUND_SHARE, abs=0.01)
    assert mask[0, 0]
    assert mask[0, -1]
    assert not mask[150, 128]


def landmarks_of(gap: float, eyes: float = 60.0) -> mouth.Landmarks:
    """Return 478 points with a mouth `gap` high between eyes `eyes` apart."""
    points = np.zeros((facemesh_worker.LANDMARK_COUNT, 2), dtype=np.float32)
    points[mouth.LOWER_LIP, 1] = gap
    points[mouth.LEFT_EYE, 0] = eyes
    return points


def test_opening_is_the_gap_over_the_eyes() -> None:
    points = np.stack([landmarks_of(0.0), landmarks_of(12.0), np.full((478, 2), np.nan)])
    np.testing.assert_allclose(mouth.opening(points), [0.0, 0.2, np.nan])


def test_the_worker_answers_each_frame_in_pixels() -> None:
    found = SimpleNamespace(landmark=[SimpleNamespace(x=0.5, y=0.25)] * 478)
    seen = SimpleNamespace(process=lambda _: SimpleNamespace(multi_face_landmarks=[found]))
    unseen = SimpleNamespace(process=lambda _: SimpleNamespace(multi_face_landmarks=None))
    image = np.zeros((40, 80, 3), dtype=np.uint8)
    assert (facemesh_worker.locate(seen, image) == [40.0, 10.0]).all()
    assert np.isnan(facemesh_worker.locate(unseen, image)).all()


def test_the_worker_starts_a_new_tracker_for_each_video(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[SimpleNamespace] = []

    def open_tracker() -> SimpleNamespace:
        opened.append(SimpleNamespace(process=lambda _: SimpleNamespace(multi_face_landmarks=None)))
        return opened[-1]

    monkeypatch.setattr(facemesh_worker, "open_tracker", open_tracker)
    pixels = bytes(2 * 3 * 3)
    requests = [facemesh_worker.REQUEST.pack(2, 3, first) + pixels for first in (1, 0, 1)]
    answers = io.BytesIO()
    facemesh_worker.serve(io.BytesIO(b"".join(requests)), answers)
    assert len(opened) == 2
    assert len(answers.getvalue()) == 3 * facemesh_worker.ANSWER_BYTES


def test_a_missing_or_failing_environment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackendUnavailable, match="make facemesh"):
        mouth.FaceMesh(tmp_path / "python")
    failing = tmp_path / "worker.py"
    failing.write_text("raise SystemExit('this one never worked')")
    monkeypatch.setattr(mouth, "WORKER", failing)
    with (
        mouth.FaceMesh(Path(sys.executable)) as mesh,
        pytest.raises(BackendUnavailable, match="this one never worked"),
    ):
        mesh.track([np.zeros((8, 8, 3), dtype=np.uint8)])


def test_a_moved_background_is_followed_and_a_dimmed_one_is_not() -> None:
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (96, 96, 3)).astype(np.float32), (0, 0), 4)
    reference = np.clip((noise - 128) * 6 + 128, 0, 255).astype(np.uint8)
    moved = np.stack([np.roll(reference, 3, axis=1)] * 2)
    inside = np.zeros((96, 96), dtype=np.bool_)
    inside[16:-16, 16:-16] = True
    followed = regions.followed(reference, moved)
    assert metrics.psnr(moved, reference, inside) < 25
    assert metrics.psnr(moved, followed, inside) > 31
    dimmed = (moved * 0.9).astype(np.uint8)
    assert metrics.psnr(dimmed, regions.followed(reference, dimmed), inside) < 28
