"""Components beside their alternatives: who takes turns, what a row says, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from rap_edge.benchmarks.components import (
    COMPONENTS,
    NOTES,
    bundle,
    features,
    features_peers,
    measure_component,
    resampler,
    scheduler,
)
from rap_edge.benchmarks.components.contest import (
    absent,
)
from rap_edge.benchmarks.components.rows import AGAINST
from rap_edge.benchmarks.sync import POLICIES
from rap_edge.bundle import Bundle, extract_bundle, open_bundle, sign_bundle
from rap_edge.errors import NotSupported, ParityError, UntrustedKey
from rap_edge.keys import make_key_pair, read_private_key


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


def test_alternatives_that_are_not_installed_are_named(
    monkeypatch: pytest.MonkeyPatch, check: Callable[..., None]
) -> None:
    for package in ("kaldi_native_fbank", "librosa", "transformers"):
        monkeypatch.setitem(sys.modules, package, None)
    found = measure_component("features", 0.0, 1)
    check(found, "features")
    measured = [row.subject for row in found if row.values]
    assert measured == list(features.OURS)
    missing = {row.subject: row.missing["us_per_call"] for row in found if not row.values}
    assert set(missing) == set(features.PEERS)
    assert all("pip install 'rap-edge[components]'" in why for why in missing.values())


def test_a_version_without_its_private_path_is_named(
    monkeypatch: pytest.MonkeyPatch, check: Callable[..., None]
) -> None:
    extractor = SimpleNamespace(WhisperFeatureExtractor=lambda **_: object(), __version__="9.1")
    monkeypatch.setattr(features_peers, "optional", lambda package: extractor)
    names = [name for name in features.PEERS if "transformers" in name]
    peers = {name: features.PEERS[name] for name in names}
    monkeypatch.setattr(
        features, "PEERS", {n: replace(p, package="numpy") for n, p in peers.items()}
    )
    found = measure_component("features", 0.0, 1)
    check(found, "features")
    missing = {row.subject: row.missing["us_per_call"] for row in found if row.missing}
    assert set(missing) == set(names)
    assert all(why.startswith("transformers 9.1 has no ") for why in missing.values())


def test_what_is_installed_is_not_absent() -> None:
    assert absent("numpy") is None


@pytest.mark.parametrize("rate", resampler.RATES)
def test_ours_keeps_what_it_promises(rate: int) -> None:
    found = resampler.quality_of(rate, partial(resampler.ours, rate))
    assert found["passband_error_db"].value < -90
    assert found["alias_db"].value < -90
    assert 0 < found["trail_ms"].value < 6


def test_the_resampler_stands_beside_soxr(check: Callable[..., None]) -> None:
    pytest.importorskip("soxr")
    found = resampler.at_rate(44_100, 0.0)
    check(found, "resampler")
    assert [row.subject for row in found if "ratio" in row.values] == [
        f"rap-edge{AGAINST}soxr HQ",
        f"rap-edge{AGAINST}soxr MQ",
    ]
    assert all(row.values["passband_error_db"].value < -40 for row in found)


def test_skew_is_told_for_every_policy_and_ours_recovers(check: Callable[..., None]) -> None:
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


def test_every_way_to_get_a_bundle_is_measured(small: Bundle, check: Callable[..., None]) -> None:
    found = measure_component("bundle", 0.0, 1, small)
    check(found, "bundle")
    assert sum("ratio" in row.values for row in found) == 8
    assert set(bundle.digests_of(small)) == set(small.files)


def test_copies_of_a_bundle_are_opened_with_the_keys_that_it_was_opened_with(
    synthetic_bundle: Path, tmp_path: Path
) -> None:
    extract_bundle(open_bundle(synthetic_bundle), tmp_path / "signed")
    private = tmp_path / "own.pem"
    public, _ = make_key_pair(private)
    sign_bundle(tmp_path / "signed", read_private_key(private))
    signed = open_bundle(tmp_path / "signed", [public])
    assert any(row.values for row in measure_component("bundle", 0.0, 1, signed, [public]))
    with pytest.raises(UntrustedKey):
        measure_component("bundle", 0.0, 1, signed)
