"""A part of a bundle: fewer variants under the same signature, and nothing else missing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rap_edge.bundle import SIGNATURE, SUBSET, extract_bundle, open_bundle, verify_bundle
from rap_edge.bundle import sign_bundle as sign
from rap_edge.errors import InvalidBundle, NotSupported

if TYPE_CHECKING:
    from hostile.sample import Sample


@pytest.mark.parametrize("name", ["part", "part.rapb"])
def test_a_part_holds_what_it_needs_and_verifies(
    folder: Path, trusted: list[Path], tmp_path: Path, name: str
) -> None:
    whole = open_bundle(folder, trusted)
    extract_bundle(whole, tmp_path / name, ["onnxruntime/fp32"])
    part = verify_bundle(tmp_path / name, trusted)
    assert [variant.label for variant in part.variants] == ["onnxruntime/fp32"]
    assert part.manifest == whole.manifest
    assert set(part.files) == {
        "onnx/decoder.onnx",
        "card.md",
        "golden.npz",
        "licences/LICENSE.txt",
    }
    with pytest.raises(InvalidBundle):
        part.read("openvino/decoder.xml")


def test_a_part_of_a_part_is_the_same_as_of_the_whole(
    folder: Path, trusted: list[Path], tmp_path: Path
) -> None:
    whole = open_bundle(folder, trusted)
    two = ["coreml/fp16", "openvino/fp32"]
    middle = extract_bundle(whole, tmp_path / "middle", two)
    assert [variant.label for variant in middle.variants] == ["openvino/fp32", "coreml/fp16"]
    extract_bundle(middle, tmp_path / "a.rapb", ["coreml/fp16"])
    extract_bundle(whole, tmp_path / "b.rapb", ["coreml/fp16"])
    assert (tmp_path / "a.rapb").read_bytes() == (tmp_path / "b.rapb").read_bytes()
    with pytest.raises(InvalidBundle, match=r"a part of a bundle, without onnxruntime/fp32"):
        extract_bundle(middle, tmp_path / "c", ["onnxruntime/fp32"])


def test_all_variants_are_no_part(folder: Path, trusted: list[Path], tmp_path: Path) -> None:
    whole = open_bundle(folder, trusted)
    labels = [variant.label for variant in whole.variants]
    extract_bundle(whole, tmp_path / "all", labels)
    assert not (tmp_path / "all" / SUBSET).exists()
    with pytest.raises(NotSupported, match="it offers onnxruntime/fp32"):
        extract_bundle(whole, tmp_path / "x", ["onnxruntime/int8"])


def test_a_missing_file_needs_a_subset_and_no_needed_one_may_miss(
    folder: Path, trusted: list[Path], tmp_path: Path
) -> None:
    part = extract_bundle(open_bundle(folder, trusted), tmp_path / "part", ["onnxruntime/fp32"])
    (part.path / "card.md").unlink()
    with pytest.raises(InvalidBundle, match=r"card\.md is missing"):
        open_bundle(part.path, trusted)
    shutil.copy(folder / "card.md", part.path)
    (part.path / SUBSET).unlink()
    with pytest.raises(InvalidBundle, match="is missing"):
        open_bundle(part.path, trusted)


def test_a_subset_beside_a_whole_bundle_is_refused(folder: Path, trusted: list[Path]) -> None:
    (folder / SUBSET).write_text('{\n "variants": [\n  "onnxruntime/fp32"\n ]\n}\n')
    with pytest.raises(InvalidBundle, match="not listed"):
        open_bundle(folder, trusted)


def test_a_part_is_not_signed(
    folder: Path, trusted: list[Path], tmp_path: Path, sample: Sample
) -> None:
    (folder / SIGNATURE).unlink()
    part = extract_bundle(open_bundle(folder), tmp_path / "part", ["onnxruntime/fp32"])
    with pytest.raises(InvalidBundle, match="sign the whole one"):
        sign(part.path, sample.key)
