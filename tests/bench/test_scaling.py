"""Every way of scaling gives rows in rising order and what was fitted, or says what is missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rap_edge.benchmarks.costs import FrameCost
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.quantities import quantity_of
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.scaling import SCALINGS, measure_scaling
from rap_edge.benchmarks.scaling.length import lengths_to, measure_length
from rap_edge.benchmarks.scaling.levels import measure_levels
from rap_edge.benchmarks.scaling.resolution import fits, measure_resolution
from rap_edge.benchmarks.scaling.rounds import Costs
from rap_edge.benchmarks.scaling.sessions import measure_sessions
from rap_edge.benchmarks.scaling.threads import measure_threads, thread_counts
from rap_edge.benchmarks.subjects import Opened
from rap_edge.bundle import Bundle, open_bundle
from rap_edge.config import LIVE, TINY
from rap_edge.errors import ConfigError, NotSupported


def test_rounds_are_rows_of_points_and_the_first_do_not_count() -> None:
    asked: list[int] = []

    def turn(point: int) -> FrameCost:
        asked.append(point)
        return FrameCost(float(len(asked)), 2.0 * len(asked))

    costs = Costs.of([partial(turn, point) for point in range(3)], 2)
    assert asked == [0, 1, 2, 1, 2, 0, 2, 0, 1, 0, 2, 1]
    assert costs.wall_ms.tolist() == [[8, 9, 7], [10, 12, 11]]
    assert costs.cpu_ms.tolist() == [[16, 18, 14], [20, 24, 22]]


def check(results: Sequence[Result], scenario: str, varied: str, places: Sequence[float]) -> Result:
    """Look at the rows of one subject, and return what was fitted."""
    *rows, fit = results
    assert {r.scenario for r in results} == {f"scaling.{scenario}"}
    assert len({r.subject for r in results}) == 1
    assert [dict(row.at) for row in rows] == [{varied: place} for place in places]
    assert fit.at == {}
    for result in results:
        for name, value in result.values.items():
            quantity_of(name)
            assert np.isfinite(value.value)
            assert name not in result.missing
    for row in rows:
        assert {"x_realtime", "frame_ms", "cpu_ms_per_frame"} <= set(row.values)
        assert row.values["x_realtime"].value > 0
    return fit


def test_length_is_one_pass_read_off_on_the_way(opened: list[Opened], pinned: Pinned) -> None:
    lengths = (1.0, 2.0, 4.0, 8.0)
    results = measure_length(opened[0], pinned, lengths)
    fit = check(results, "length", "audio_s", lengths)
    assert {"exponent", "cpu_exponent", "misfit_percent"} <= {*fit.values, *fit.missing}
    assert fit.values["exponent"].n == len(lengths)
    chunks = [row.values["frame_ms"].n for row in results[:-1]]
    assert chunks == [4, 3, 6, 12]  # of 320 ms each
    assert all(row.values["of_fresh"].value > 0 for row in results[:-1])
    assert fit.values["fresh_exponent"].n == len(lengths)


def test_lengths_end_at_the_longest() -> None:
    assert lengths_to(10) == (10, 30, 60, 180, 600)
    assert lengths_to(2) == (10, 30, 60, 120)
    assert lengths_to(60)[-2:] == (1800, 3600)
    for minutes in (0, -1, float("nan")):
        with pytest.raises(ConfigError, match="expected above 0"):
            lengths_to(minutes)


def test_sessions_share_the_model_and_each_count_has_its_row(
    opened: list[Opened], pinned: Pinned
) -> None:
    results = measure_sessions(opened[0], pinned, (1, 2, 3), n_rounds=3)
    fit = check(results, "sessions", "sessions", (1, 2, 3))
    for row in results[:-1]:
        assert "rss_now_mb" in {*row.values, *row.missing}
        assert "rss_mb" not in row.values  # that is a peak
    assert "exponent" in fit.values
    assert "rss_mb_per_session" in {*fit.values, *fit.missing}


def test_threads_are_opened_once_each_and_fitted_on_physical_cores(
    opened: list[Opened], pinned: Pinned
) -> None:
    asked: list[int] = []

    def open_with(count: int) -> Opened:
        asked.append(count)
        return opened[0]

    fit = check(
        measure_threads(open_with, pinned, (1, 2, 4), n_rounds=3, n_physical=2),
        "threads",
        "threads",
        (1, 2, 4),
    )
    assert asked == [1, 2, 4]
    assert "serial_share" in fit.values
    assert "2 points" in fit.missing["misfit_percent"]
    *_, alone = measure_threads(open_with, pinned, (1, 2), n_rounds=3, n_physical=1)
    assert "1 physical core" in alone.missing["serial_share"]


def test_counts_of_threads_go_up_to_the_cores_and_to_16() -> None:
    assert thread_counts(1) == (1,)
    assert thread_counts(2) == (1, 2)
    assert thread_counts(5) == (1, 2, 3, 4, 5)
    assert thread_counts(12)[-1] == 12
    assert thread_counts(128)[-1] == 16


def test_every_level_that_makes_frames_has_a_row(opened: list[Opened], pinned: Pinned) -> None:
    results = measure_levels(opened[0], pinned, n_rounds=3)
    fit = check(results, "levels", "level", (0, 1, 2, 3))
    assert results[0].values["of_level_0"].value == 1
    assert {"chunk_fixed_ms", "step_ms", "latent_ms"} == set(fit.values)


def test_resolutions_of_random_weights_are_measured_and_counted() -> None:
    results = measure_resolution(TINY, "onnxruntime", 1, (64, 70, 96), n_rounds=3)
    fit = check(results, "resolution", "pixels", (64.0**2, 96.0**2))
    assert results[0].subject == "onnxruntime/fp32, random weights"
    small, large = (row.values["gflop_per_frame"].value for row in results[:-1])
    assert 0 < small < large
    assert {"exponent", "decoder_exponent", "denoiser_exponent"} <= set(fit.values)
    assert 0 < fit.values["gflop_exponent"].value < 2


def test_the_default_architecture_has_every_resolution() -> None:
    assert all(fits(LIVE, side) for side in (128, 192, 256, 384, 512))
    assert not fits(LIVE, 224)
    assert not fits(LIVE, 0)


def test_a_missing_torch_is_told(monkeypatch: pytest.MonkeyPatch, tested: Bundle) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (only,) = measure_scaling("resolution", tested, "onnxruntime")
    assert only.values == {}
    assert "torch" in only.missing["frame_ms"]
    assert "pip install 'rap-edge[convert]'" in only.missing["frame_ms"]


def test_a_backend_that_does_not_read_onnx_is_told() -> None:
    (only,) = measure_resolution(TINY, "coreml", 1)
    assert "does not read ONNX" in only.missing["frame_ms"]


def test_an_unknown_scaling_is_refused_with_those_that_there_are(synthetic_bundle: Path) -> None:
    with pytest.raises(NotSupported, match="length, sessions, threads, resolution, levels"):
        measure_scaling("height", open_bundle(synthetic_bundle))


@pytest.mark.parametrize("name", [name for name in SCALINGS if name != "resolution"])
def test_a_bundle_without_inputs_is_refused(name: str, synthetic_bundle: Path) -> None:
    with pytest.raises(NotSupported, match="no portrait and no speech"):
        measure_scaling(name, open_bundle(synthetic_bundle))
