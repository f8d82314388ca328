"""What a variant requires is checked before its graphs are read, and versions are ordered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import rap_edge
from rap_edge import requirements
from rap_edge.bundle import Part, open_bundle, write_bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.manifest import Requires
from rap_edge.requirements import unmet
from rap_edge.versions import is_below, is_least, is_older, is_semver


def test_what_is_empty_is_not_asked_for() -> None:
    assert unmet(Requires()) == []
    assert unmet(Requires(isa=("avx1024",))) == []  # only wanted
    assert unmet(Requires({"numpy": "1.0"}, ("linux", "macos", "windows"), (), 16)) == []


@pytest.mark.parametrize(
    ("requires", "message"),
    [
        (Requires(packages={"numpy": "999"}), "numpy 999 or newer"),
        (Requires(packages={"no_such_package": "1"}), "which is not installed"),
        (Requires(packages={"openvino": "1"}), "pip install 'rap-edge[openvino]'"),
        (Requires(memory_mb=1 << 40), "MB of memory"),
    ],
)
def test_what_is_lacking_is_named(
    requires: Requires, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = requirements.version_of
    monkeypatch.setattr(
        requirements, "version_of", lambda name: None if name == "openvino" else found(name)
    )
    (problem,) = unmet(requires)
    assert message in problem


def test_a_variant_that_cannot_run_here_gives_way(synthetic_bundle: Path, tmp_path: Path) -> None:
    bundle = open_bundle(synthetic_bundle)
    (works,) = bundle.manifest.variants
    heavy = replace(works, precision="int8", requires=Requires(packages={"numpy": "999"}))
    manifest = replace(bundle.manifest, variants=(heavy, works))
    parts = {e.path: Part(bundle.read(e.path), e.role, e.licence) for e in manifest.files}
    path = write_bundle(tmp_path / "two.rapb", manifest, parts).path
    placed = rap_edge.open(path, threads=1).placement
    assert {place.precision for place in placed.values()} == {"fp32"}
    with pytest.raises(BackendUnavailable, match=r"onnxruntime/int8 needs numpy 999 or newer"):
        rap_edge.open(path, precision="int8", threads=1)
    assert rap_edge.open(open_bundle(path), threads=1).bundle.name == "synthetic"


@pytest.mark.parametrize(
    ("older", "newer"),
    [("0.9.0", "0.10.0"), ("1.0.0-rc.2", "1.0.0"), ("1.0.0-rc.2", "1.0.0-rc.10"), ("1", "1.0.1")],
)
def test_versions_are_ordered(older: str, newer: str) -> None:
    assert is_older(older, newer)
    assert not is_older(newer, older)
    assert not is_older(newer, newer)


def test_what_is_a_version() -> None:
    assert all(map(is_semver, ("0.1.0", "1.20.3-rc.1")))
    assert not any(map(is_semver, ("1.0", "01.0.0", "1.0.0\n", "1.0.0-", "\u0661.0.0")))
    assert all(map(is_least, ("1", "1.18", "2026.4.1")))
    assert not any(map(is_least, ("", "1.", "v1", "1.2.3.4.5")))


def test_zeros_at_the_end_do_not_count() -> None:
    assert not is_below("1.18", "1.18.0")
    assert not is_below("1.18.0", "1.18")
    assert is_below("1.18", "1.18.0.1")
    assert is_below("1.9+cu12", "1.18")
