"""The cache: contents once, installs whole, and a way back to the last good bundle."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rap_edge
from rap_edge.bundle import Part, open_bundle, write_bundle
from rap_edge.cache import Cache
from rap_edge.cache_lookup import open_named
from rap_edge.errors import ConfigError, InvalidBundle, NotSupported, UnsignedBundle

if TYPE_CHECKING:
    from hostile.sample import Sample


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def versions(folder: Path, trusted: list[Path], tmp_path: Path) -> list[Path]:
    """Three unsigned versions of the sample that differ in their card."""
    bundle = open_bundle(folder, trusted)
    parts = {e.path: Part(bundle.read(e.path), e.role, e.licence) for e in bundle.manifest.files}
    paths = []
    for number in range(1, 4):
        card = Part(b"%d" % number * 100, "card", "CC0-1.0")
        manifest = replace(bundle.manifest, version=f"{number}.0.0")
        parts = {**parts, "card.md": card}
        paths.append(write_bundle(tmp_path / f"v{number}", manifest, parts).path)
    return paths


def blobs(cache: Cache) -> set[Path]:
    return {path for path in (cache.root / "blobs").rglob("*") if path.is_file()}


def test_what_is_installed_is_opened(cache: Cache, rapb: Path, trusted: list[Path]) -> None:
    installed = cache.install(rapb, trust=trusted)
    assert (installed.name, installed.current, installed.last_good) == ("sample", True, False)
    bundle, source = cache.open("sample", trusted), open_bundle(rapb, trusted)
    assert bundle.manifest == source.manifest
    assert {n: bundle.read(n) for n in bundle.files} == {n: source.read(n) for n in source.files}
    for variant in bundle.variants:
        assert bundle.read_graph(variant, "decoder")
    with pytest.raises(NotSupported, match="no bundle 'other' is installed: there is sample"):
        cache.open("other")


def test_only_missing_contents_are_copied(cache: Cache, versions: list[Path]) -> None:
    cache.install(versions[0], allow_unsigned=True)
    before = blobs(cache)
    cache.install(versions[1], allow_unsigned=True)
    assert len(blobs(cache) - before) == 1
    assert before <= blobs(cache)


def test_an_unsigned_bundle_is_not_installed_unasked(cache: Cache, versions: list[Path]) -> None:
    with pytest.raises(UnsignedBundle):
        cache.install(versions[0])
    assert not blobs(cache)


def test_variants_are_installed_alone(cache: Cache, rapb: Path, trusted: list[Path]) -> None:
    installed = cache.install(rapb, ["openvino/fp32"], trusted)
    assert installed.variants == ("openvino/fp32",)
    bundle = cache.open("sample", trusted)
    assert [variant.label for variant in bundle.variants] == ["openvino/fp32"]
    assert bundle.signed_by is not None
    assert "onnx/decoder.onnx" not in bundle.files


def test_rollback_goes_back_and_forth(cache: Cache, versions: list[Path]) -> None:
    cache.install(versions[0], allow_unsigned=True)
    with pytest.raises(NotSupported, match="go back to"):
        cache.rollback("sample")
    cache.install(versions[1], allow_unsigned=True)
    assert cache.rollback("sample").version == "1.0.0"
    assert cache.open("sample").manifest.version == "1.0.0"
    assert cache.rollback("sample").version == "2.0.0"
    marks = [(b.version, b.current, b.last_good) for b in cache.installed()]
    assert marks == [("2.0.0", True, False), ("1.0.0", False, True)]


def test_a_damaged_content_is_found_and_mended(cache: Cache, versions: list[Path]) -> None:
    cache.install(versions[0], allow_unsigned=True)
    assert cache.verify("sample") == ()
    digest = next(e.sha256 for e in open_bundle(versions[0]).manifest.files if e.path == "card.md")
    for damage in (b"damaged", None):
        place = next(path for path in blobs(cache) if path.name == digest)
        place.unlink() if damage is None else place.write_bytes(damage)
        with pytest.raises(InvalidBundle, match=r"card\.md .* is damaged"):
            cache.verify("sample")
        with pytest.raises(InvalidBundle, match="another card"):
            cache.verify("sample", versions[1])
        assert cache.verify("sample", versions[0]) == ("card.md",)
        assert cache.verify("sample") == ()


def test_a_damaged_content_is_not_read_and_installing_mends(
    cache: Cache, versions: list[Path]
) -> None:
    cache.install(versions[0], allow_unsigned=True)
    for place in blobs(cache):
        place.write_bytes(place.read_bytes()[:-1] + b"?")
    with pytest.raises(InvalidBundle):
        cache.open("sample").verify()
    cache.install(versions[0], allow_unsigned=True)
    cache.open("sample").verify()


def test_a_missing_content_is_listed_and_installing_mends(
    cache: Cache, versions: list[Path]
) -> None:
    cache.install(versions[0], allow_unsigned=True)
    for place in blobs(cache):
        place.unlink()
    assert [bundle.damaged for bundle in cache.installed()] == [True]
    assert cache.install(versions[1], allow_unsigned=True).current
    assert not cache.install(versions[0], allow_unsigned=True).damaged
    cache.open("sample").verify()


@pytest.mark.parametrize("damage", ["cut", "gone", "more", "other"])
def test_a_damaged_manifest_is_listed_and_installing_mends(
    cache: Cache, versions: list[Path], damage: str
) -> None:
    for version in versions[:2]:
        installed = cache.install(version, allow_unsigned=True)
    folder = cache.root / "bundles" / installed.id
    text = (folder / "manifest.json").read_bytes()
    if damage == "gone":
        shutil.rmtree(folder)
    elif damage == "more":
        (folder / "more").touch()
    else:
        changed = text[:99] if damage == "cut" else text.replace(b"2.0.0", b"2.0.1")
        (folder / "manifest.json").write_bytes(changed)
    assert [(b.version, b.damaged) for b in cache.installed()] == [("?", True), ("1.0.0", False)]
    with pytest.raises(InvalidBundle, match="install"):
        cache.open("sample")
    other = Cache(cache.root)
    assert not other.install(versions[1], allow_unsigned=True).damaged
    marks = [(b.version, b.current, b.last_good, b.damaged) for b in cache.installed()]
    assert marks == [("2.0.0", True, False, False), ("1.0.0", False, True, False)]
    cache.open("sample").verify()


def test_a_damaged_current_bundle_gives_way_to_the_last_good_one(
    cache: Cache, versions: list[Path]
) -> None:
    first, second = (cache.install(v, allow_unsigned=True) for v in versions[:2])
    (cache.root / "bundles" / second.id / "manifest.json").write_bytes(b"{")
    cache.install(versions[2], allow_unsigned=True)
    assert cache.rollback("sample").id == first.id


def test_the_budget_takes_the_longest_unused_never_current_or_last_good(
    cache: Cache, versions: list[Path]
) -> None:
    installed = [cache.install(path, allow_unsigned=True) for path in versions]
    assert len(cache.installed()) == 3
    size = installed[0].size
    tight = Cache(cache.root, size + 120)
    tight.install(versions[2], allow_unsigned=True)
    assert [b.version for b in tight.installed()] == ["3.0.0", "2.0.0"]
    assert len(blobs(tight)) == len(open_bundle(versions[0]).files) + 1
    with pytest.raises(ConfigError, match="larger budget"):
        Cache(cache.root, size + 50).install(versions[2], allow_unsigned=True)
    assert cache.open("sample").manifest.version == "3.0.0"
    cache.open("sample").verify()


def test_an_interrupted_install_leaves_what_was(
    cache: Cache, versions: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.install(versions[0], allow_unsigned=True)

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("rap_edge.cache_files.write_whole", full)
        with pytest.raises(OSError, match="No space"):
            cache.install(versions[1], allow_unsigned=True)
    assert cache.open("sample").manifest.version == "1.0.0"
    cache.open("sample").verify()


def test_installs_at_the_same_time_leave_a_whole_cache(cache: Cache, versions: list[Path]) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda path: cache.install(path, allow_unsigned=True), versions * 2))
    cache.open("sample").verify()
    assert len(cache.installed()) == 3


def test_a_damaged_state_is_said(cache: Cache, sample: Sample, versions: list[Path]) -> None:
    cache.install(versions[0], allow_unsigned=True)
    (cache.root / "state.json").write_text(json.dumps({"current": 7}))
    with pytest.raises(InvalidBundle, match=r"state\.json is damaged"):
        cache.installed()
    (cache.root / "state.json").write_text(json.dumps({"schema_version": 2, "more": 7}))
    with pytest.raises(NotSupported, match="schema_version 2: expected 1"):
        cache.installed()


def test_an_installed_bundle_is_opened_by_its_name(
    cache: Cache, versions: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAP_EDGE_CACHE", str(cache.root))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidBundle, match="nothing is installed"):
        open_named("sample")
    assert not cache.root.exists()
    cache.install(versions[0], allow_unsigned=True)
    assert open_named("sample").manifest.version == "1.0.0"
    with pytest.raises(UnsignedBundle):
        open_named("sample", [tmp_path / "key.pub.pem"])
    with pytest.raises(InvalidBundle, match="lacks the graphs"):
        rap_edge.open("sample")
    with pytest.raises(InvalidBundle, match="sample is installed"):
        open_named("other")
    with pytest.raises(InvalidBundle, match="does not exist"):
        open_named(Path("folder") / "sample")
    shutil.copytree(versions[1], "sample")
    assert open_named("sample").manifest.version == "2.0.0"


def test_default_is_the_built_in_one_unless_there_is_such_a_path(
    versions: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_named("default").path == open_named(None).path
    shutil.copytree(versions[1], "default")
    assert open_named("default").manifest.version == "2.0.0"
