"""Bundles: what is written is read back, and what is damaged or foreign is refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rap_edge.bundle import MANIFEST, Part, open_bundle, write_bundle
from rap_edge.config import CONFIGS, TINY
from rap_edge.errors import InvalidBundle, NotSupported
from rap_edge.manifest import (
    FORMAT_VERSION,
    FeatureContract,
    GraphSpec,
    Manifest,
    TensorSpec,
    Variant,
    check_path,
)

PARTS = {
    "graphs/a.onnx": Part(b"graph", "graph", "Apache-2.0"),
    "card.md": Part(b"card", "card", "CC0-1.0"),
}


def manifest_of(name: str = "small") -> Manifest:
    tensor = TensorSpec("x", (1, 2), "float32")
    return Manifest(
        format_version=FORMAT_VERSION,
        name=name,
        minimum_runtime="0.1.0",
        config=TINY,
        features=FeatureContract("rap", "0123"),
        graphs={"a": GraphSpec((tensor,), (tensor,))},
        variants=(Variant("onnxruntime", "fp32", {"a": "graphs/a.onnx"}),),
        card="card.md",
        provenance={"data": ["one", "two"]},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle", manifest_of(), PARTS).path


def names(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.iterdir())


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    values = json.loads((folder / MANIFEST).read_text())
    change(values)
    (folder / MANIFEST).write_text(json.dumps(values))


def test_what_is_written_is_read_back(folder: Path) -> None:
    bundle = open_bundle(folder)
    bundle.verify()
    assert replace(bundle.manifest, files=()) == manifest_of()
    assert {path: bundle.read(path) for path in PARTS} == {
        path: part.content for path, part in PARTS.items()
    }


@pytest.mark.parametrize("config", CONFIGS.values(), ids=lambda config: config.name)
def test_every_configuration_survives_the_manifest(config: Any) -> None:
    manifest = replace(manifest_of(), config=config, card=None, variants=(), graphs={})
    text = replace(manifest, variants=(Variant("onnxruntime", "fp32", {}),)).to_json()
    assert Manifest.from_json(text).config == config


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_bundle(tmp_path / n, manifest_of(), PARTS) for n in ("a", "b"))
    assert (first.path / MANIFEST).read_bytes() == (second.path / MANIFEST).read_bytes()


@pytest.mark.parametrize("content", [b"grapH", b"graph2", b"grap", b""])
def test_a_changed_file_is_refused(folder: Path, content: bytes) -> None:
    (folder / "graphs/a.onnx").write_bytes(content)
    with pytest.raises(InvalidBundle, match=r"a\.onnx"):
        open_bundle(folder).verify()


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "card.md").unlink()
    with pytest.raises(InvalidBundle, match=r"card\.md"):
        open_bundle(folder)


def test_a_file_that_is_not_listed_is_refused(folder: Path) -> None:
    (folder / "graphs/more.bin").write_bytes(b"")
    with pytest.raises(InvalidBundle, match=r"more\.bin is not listed"):
        open_bundle(folder)
    with pytest.raises(InvalidBundle, match="not listed"):
        open_bundle_without("more.bin", folder).read("more.bin")


def open_bundle_without(name: str, folder: Path) -> Any:
    (folder / "graphs" / name).unlink()
    return open_bundle(folder)


@pytest.mark.parametrize("name", ["card.md", "graphs"])
def test_a_link_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    shutil.move(folder / name, tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidBundle):
        open_bundle(folder).verify()


@pytest.mark.parametrize(
    "path",
    [
        "../a",
        "a/../b",
        "/a",
        "a//b",
        "./a",
        "a\\b",
        "c:a",
        "",
        "a/",
        "nul",
        "a/COM1.txt",
        "a.",
        "é",
    ],
)
def test_a_name_that_leaves_the_folder_or_a_system_is_refused(path: str) -> None:
    with pytest.raises(InvalidBundle, match="plain relative name"):
        check_path(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(hooks=[]), "hooks is unknown"),
        (lambda m: m["config"].update(secret=1), "config.secret is unknown"),
        (lambda m: m["files"][0].update(mode=7), r"files\[0\].mode is unknown"),
        (lambda m: m.pop("variants"), "variants is missing"),
        (lambda m: m.update(variants=[]), "variants is empty"),
        (lambda m: m.update(version="1.0"), "version is '1.0': expected MAJOR"),
        (lambda m: m.update(golden="golden.npz"), "golden 'golden.npz' is not in files"),
        (lambda m: m["variants"].append(m["variants"][0]), "onnxruntime/fp32 is there twice"),
        (lambda m: m["variants"][0]["requires"].update(os=["dos"]), "requires os 'dos'"),
        (lambda m: m["files"][1].update(role="hook"), "role of .* is 'hook'"),
        (lambda m: m.update(provenance={"n": 1 << 64}), "at most 63 bits"),
        (lambda m: m.update(format_version=True), "format_version is True"),
        (lambda m: m.update(name=3), "name is 3: expected text"),
        (lambda m: m["config"]["sampler"].update(overlap=5), "sampler.overlap is 5"),
        (lambda m: m["config"]["vae"].update(kind="odd"), "kind is 'odd'"),
        (lambda m: m["files"][0].update(path="../x"), "plain relative name"),
        (lambda m: m["files"][0].update(size=1 << 40), "bytes: expected 0 to"),
        (lambda m: m["files"][0].update(sha256="00"), "expected 64 hex digits"),
        (lambda m: m["files"].append(m["files"][0]), "listed twice"),
        (lambda m: m["variants"][0]["files"].update(a="b.onnx"), "not in files"),
        (lambda m: m["variants"][0]["files"].update(b="card.md"), "has files for"),
        (lambda m: m["graphs"]["a"]["inputs"][0].update(shape=[0]), "sizes of 1 or more"),
        (lambda m: m["graphs"]["a"]["inputs"][0].update(shape=[1 << 40]), "elements"),
        (lambda m: m["graphs"]["a"]["inputs"][0].update(dtype="object"), "is object"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_by_name(
    folder: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit(folder, change)
    with pytest.raises(InvalidBundle, match=message):
        open_bundle(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b"1" * 5000,
        b"[" * 100_000,
        b" " * (2 << 20),
    ],
    ids=[
        "empty",
        "cut",
        "list",
        "bytes",
        "repeated",
        "nan",
        "infinite",
        "half",
        "digits",
        "deep",
        "huge",
    ],
)
def test_a_manifest_that_is_not_one_is_refused(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(InvalidBundle):
        open_bundle(folder)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidBundle, match=MANIFEST):
        open_bundle(tmp_path)
    with pytest.raises(InvalidBundle, match="nowhere does not exist"):
        open_bundle(tmp_path / "nowhere")


def test_a_bundle_of_the_future_asks_for_an_upgrade(folder: Path) -> None:
    edit(folder, lambda m: m.update(minimum_runtime="99.0"))
    with pytest.raises(NotSupported, match="pip install --upgrade"):
        open_bundle(folder)


@pytest.mark.parametrize(("version", "remedy"), [(3, "pip install --upgrade"), (1, "convert")])
def test_another_format_is_refused_in_one_sentence_before_anything_else(
    folder: Path, version: int, remedy: str
) -> None:
    edit(folder, lambda m: m.update(format_version=version, hooks=[], variants=7))
    with pytest.raises(NotSupported, match=f"format_version is {version}.*{remedy}"):
        open_bundle(folder)


def test_a_bundle_is_replaced_and_nothing_else_is(folder: Path, tmp_path: Path) -> None:
    assert write_bundle(folder, manifest_of("newer"), PARTS).name == "newer"
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "photo.jpg").write_bytes(b"photo")
    for _ in range(2):
        with pytest.raises(InvalidBundle, match=r"is not a bundle .* by hand"):
            write_bundle(precious, manifest_of(), PARTS)
        (precious / MANIFEST).write_bytes((folder / MANIFEST).read_bytes())
    assert names(tmp_path) == ["bundle", "precious"]
    assert names(precious) == [MANIFEST, "photo.jpg"]


@pytest.mark.parametrize("name", ["bundle", "bundle.rapb"])
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, name: str) -> None:
    nested: dict[str, Any] = {}
    for _ in range(40):
        nested = {"x": nested}
    write_bundle(tmp_path / name, manifest_of(), PARTS)
    for value in (1 << 64, nested, "x" * (1 << 20), float("nan"), {1, 2}):
        broken = replace(manifest_of("newer"), provenance={"value": value})
        with pytest.raises(InvalidBundle):
            write_bundle(tmp_path / name, broken, PARTS)
    assert open_bundle(tmp_path / name).name == "small"
    assert names(tmp_path) == [name]


def test_all_files_together_have_a_limit(folder: Path) -> None:
    edit(folder, lambda m: m["files"].extend(
        {**m["files"][0], "path": f"f{n}", "size": 1 << 30} for n in range(4)
    ))  # fmt: skip
    with pytest.raises(InvalidBundle, match="files have 4294967305 bytes"):
        open_bundle(folder)


def test_a_bundle_that_cannot_be_written_leaves_the_old_one(folder: Path) -> None:
    with pytest.raises(InvalidBundle):
        write_bundle(folder, manifest_of("newer"), {"../x": Part(b"", "graph", "CC0-1.0")})
    assert open_bundle(folder).name == "small"
    assert names(folder.parent) == ["bundle"]
