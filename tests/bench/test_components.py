"""Components beside their alternatives: who takes turns, what a row says, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rap_edge.benchmarks.components import (
    COMPONENTS,
    NOTES,
    bundle,
    features,
    measure_component,
    resampler,
    scheduler,
)
from rap_edge.benchmarks.components.contest import Contender, Times, Turn, absent, contest
from rap_edge.benchmarks.components.rows import AGAINST, Rows, agreed
from rap_edge.benchmarks.report.quantities import quantity_of
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.sync import POLICIES
from rap_edge.bundle import extract_bundle, open_bundle
from rap_edge.errors import NotSupported, ParityError


def noted(log: list[str], name: str) -> Callable[[], Turn]:
    return lambda: partial(log.append, name)


def times(*seconds: float) -> Times:
    return Times(np.array(seconds), 2 * np.array(seconds))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default bundle, of which only onnxruntime's variants."""
    out = tmp_path_factory.mktemp("small") / "bundle"
    extract_bundle(open_bundle(), out, ["onnxruntime/int8", "onnxruntime/fp32"])
    return out


def check(results: list[Result], component: str) -> None:
    """Every value has a unit; every row says something, or why it cannot."""
    assert results
    for result in results:
        assert result.scenario == f"component.{component}"
        assert result.values or result.missing
        for name in (*result.values, *result.missing):
            quantity_of(name)


def test_contenders_take_turns_and_every_other_round_goes_back() -> None:
    log: list[str] = []

    def slow(name: str) -> Contender:
        def start() -> Turn:
            log.append(name)
            return lambda: sum(range(1_000_000))

        return Contender(name, start)

    found = contest([slow("a"), slow("b"), slow("c")], 0.0)
    assert "".join(log) == "abc" + "abccba" * 2
    assert {name: len(spent.cpu_s) for name, spent in found.items()} == dict.fromkeys("abc", 4)


def test_short_turns_are_taken_often_and_a_call_is_what_is_told() -> None:
    log: list[str] = []
    found = contest([Contender("a", noted(log, "a"), calls=7)], 0.0)
    assert len(log) > 400
    assert (found["a"].wall_s < 0.001).all()


def test_a_ratio_says_how_many_times_faster_ours_is_pair_by_pair() -> None:
    rows = Rows("x", "us_per_call", {"ours": times(1, 2, 4, 8), "theirs": times(3, 6, 12, 24)})
    row = rows.beside("ours", "theirs")
    assert row.subject == f"ours{AGAINST}theirs"
    ratio = row.values["ratio"]
    assert (ratio.value, ratio.low, ratio.high, ratio.n) == (3, 3, 3, 4)
    assert row.values["us_per_call"].value == 3e6
    assert Rows("x", "ms_per_call", rows.times).alone("ours").values["ms_per_call"].value == 6e3


def test_contenders_that_disagree_are_not_compared() -> None:
    one = np.linspace(0, 2, 100)
    assert agreed("x", "a", "b", one, one + 0.001, 1e-3).value == pytest.approx(0.0005, rel=0.01)
    with pytest.raises(ParityError, match=r"component x: a and b differ by 0\.0476 of"):
        agreed("x", "a", "b", one, one + 0.1, 1e-3)
    with pytest.raises(ParityError, match="expected the same"):
        agreed("x", "a", "b", one, one[1:], 1e-3)
    with pytest.raises(ParityError):
        agreed("x", "a", "b", one, np.full(100, np.nan), 1e-3)


def test_a_component_that_is_none_is_refused() -> None:
    with pytest.raises(NotSupported, match="'vocoder' is unknown: expected features, "):
        measure_component("vocoder", 1.0, 1)
    assert set(COMPONENTS) == set(NOTES)


@pytest.mark.parametrize("name", features.PEERS)
def test_features_of_others_are_ours(name: str) -> None:
    pytest.importorskip(features.PEERS[name].package)
    assert features.compare(name, features.noise(64)).value < 1e-4


def test_features_that_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def start() -> features.Stream:
        honest = features.ours("rap-edge rap")()
        return lambda chunks: [1.01 * frames for frames in honest(chunks)]

    monkeypatch.setitem(features.PEERS, "other", features.Peer("rap-edge rap", "numpy", start))
    with pytest.raises(ParityError, match="rap-edge rap and other differ"):
        features.compare("other", features.noise(16))


def test_alternatives_that_are_not_installed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("kaldi_native_fbank", "librosa", "transformers"):
        monkeypatch.setitem(sys.modules, package, None)
    found = measure_component("features", 0.0, 1)
    check(found, "features")
    measured = [row.subject for row in found if row.values]
    assert measured == list(features.OURS)
    missing = {row.subject: row.missing["us_per_call"] for row in found if not row.values}
    assert set(missing) == set(features.PEERS)
    assert all("pip install 'rap-edge[components]'" in why for why in missing.values())


def test_what_is_installed_is_not_absent() -> None:
    assert absent("numpy") is None


@pytest.mark.parametrize("rate", resampler.RATES)
def test_ours_keeps_what_it_promises(rate: int) -> None:
    found = resampler.quality_of(rate, partial(resampler.ours, rate))
    assert found["passband_error_db"].value < -90
    assert found["alias_db"].value < -90
    assert 0 < found["trail_ms"].value < 6


def test_the_resampler_stands_beside_soxr() -> None:
    pytest.importorskip("soxr")
    found = resampler.at_rate(44_100, 0.0)
    check(found, "resampler")
    assert [row.subject for row in found if "ratio" in row.values] == [
        f"rap-edge{AGAINST}soxr HQ",
        f"rap-edge{AGAINST}soxr MQ",
    ]
    assert all(row.values["passband_error_db"].value < -40 for row in found)


def test_skew_is_told_for_every_policy_and_ours_recovers() -> None:
    found = [scheduler.skew(name, policy, 800, 1) for name, policy in POLICIES.items()]
    check(found, "scheduler")
    for row in found[:2]:
        assert row.values["skew_ms_max"].value < 20
        assert row.values["recovery_ms"].value < 1000
        assert row.values["voice_late_ms"].value < 1
    assert found[2].missing["recovery_ms"] == scheduler.NEVER
    again = scheduler.skew("again", next(iter(POLICIES.values())), 800, 1)
    assert again.values == found[0].values


def test_the_calls_that_are_timed_are_those_of_a_stream() -> None:
    calls = scheduler.recorded(5)
    assert sum(name == "push_audio" for name, _ in calls) == 250
    fresh = scheduler.new_scheduler()
    for name, given in calls:
        getattr(fresh, name)(*given)
    stats = fresh.stats()
    assert stats.presented > 100
    assert stats.chunks > 25
    assert stats.underruns == 0


def test_a_zip_that_was_changed_is_found(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.bin").write_bytes(b"content")
    archive = bundle.pack(tmp_path / "files", tmp_path / "a.zip", "deflated")
    unpacking = bundle.Unpacking(archive, tmp_path, {"a.bin": "0" * 64})
    with pytest.raises(ParityError, match=r"a\.bin is not the file"):
        unpacking.start()()
    assert not list((tmp_path / "a-False-1").glob("*"))


def test_every_way_to_get_a_bundle_is_measured(small: Path) -> None:
    found = measure_component("bundle", 0.0, 1, small)
    check(found, "bundle")
    assert sum("ratio" in row.values for row in found) == 8
    assert set(bundle.digests_of(open_bundle(small))) == set(open_bundle(small).files)


def test_the_runtime_stands_beside_its_bare_graphs() -> None:
    found = measure_component("runtime", 0.0, 1)
    check(found, "runtime")
    ours = [row for row in found if AGAINST in row.subject]
    assert any(row.subject.startswith("onnxruntime/") for row in ours)
    for row in ours:
        assert row.values["error"].value <= 0.01
        assert {"cpu_ratio", "ratio", "ms_per_call", "us_per_call"} < set(row.values)


def test_variants_stand_beside_fp32_graph_by_graph(small: Path) -> None:
    found = {row.subject: row for row in measure_component("variants", 0.0, 1, small)}
    check(list(found.values()), "variants")
    assert "speed_to_fp32" in found["onnxruntime/int8"].values
    assert "speed_to_fp32" not in found["onnxruntime/fp32"].values
    for graph in ("audio", "denoiser", "decoder"):
        row = found[f"onnxruntime/int8 {graph}{AGAINST}onnxruntime/fp32 {graph}"]
        assert 0 < row.values["error"].value < 0.5


def test_the_yardstick_is_as_large_as_wav2lip() -> None:
    pytest.importorskip("onnx")
    from rap_edge.benchmarks.components.wav2lip_shape import build, n_parameters
    from rap_edge.benchmarks.flops import count_flop

    network = build()
    assert n_parameters(network) == pytest.approx(36.3e6, rel=0.002)
    assert count_flop(network) == pytest.approx(7.93e9, rel=0.002)


def test_a_frame_of_ours_stands_beside_one_of_the_yardstick(small: Path) -> None:
    pytest.importorskip("onnx")
    found = measure_component("yardstick", 0.0, 1, small)
    check(found, "yardstick")
    ours = [row for row in found if AGAINST in row.subject]
    assert len(ours) == 2
    gflop = {row.values["gflop_per_frame"].value for row in ours}
    assert len(gflop) == 1
    assert 0.5 < gflop.pop() < 3
