"""What is measured, and what is refused without a number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rap_edge import golden
from rap_edge.benchmarks.against_fp32 import reference_of
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.subjects import Opened, exact_of, open_subjects
from rap_edge.bundle import Bundle, Part, open_bundle, write_bundle
from rap_edge.errors import NotSupported


def test_every_variant_that_runs_here_is_a_subject(opened: list[Opened]) -> None:
    assert [one.label for one in opened] == ["onnxruntime/fp32", "openvino/fp32"]
    for one in opened:
        assert one.subject.threads == 1
        assert one.subject.version
        assert one.subject.megabytes > 0
        assert set(one.subject.providers) == {"portrait", "audio", "denoiser", "decoder"}
        assert one.open_ms > 0


def test_a_wrong_golden_answer_is_refused(tested: Bundle, pinned: Pinned, tmp_path: Path) -> None:
    vectors = {
        graph: {name: value.copy() for name, value in tensors.items()}
        for graph, tensors in (tested.golden() or {}).items()
    }
    vectors["audio"]["tokens"] += 1.0
    parts = {
        entry.path: Part(tested.read(entry.path), entry.role, entry.licence)
        for entry in tested.manifest.files
    }
    parts["golden.npz"] = Part(golden.write(vectors), "golden", "CC0-1.0")
    wrong = write_bundle(tmp_path / "wrong", tested.manifest, parts)
    found, refused = open_subjects(wrong, pinned.portrait, threads=1)
    assert not found
    assert {one.label for one in refused} == {"onnxruntime/fp32", "openvino/fp32"}
    assert all("computes wrongly" in one.refused for one in refused)


def test_without_golden_vectors_nothing_is_measured(synthetic_bundle: Path, pinned: Pinned) -> None:
    found, refused = open_subjects(open_bundle(synthetic_bundle), pinned.portrait, threads=1)
    assert not found
    assert all("no golden vectors" in one.refused for one in refused)


def test_a_label_that_there_is_not_is_named_with_those_that_are(
    tested: Bundle, pinned: Pinned
) -> None:
    with pytest.raises(NotSupported, match=r"tpu/int1.*onnxruntime/fp32"):
        open_subjects(tested, pinned.portrait, only=["tpu/int1"])


def test_speed_is_compared_on_the_same_backend_and_device(opened: list[Opened]) -> None:
    of_openvino = replace(opened[1].subject, label="openvino/int8", precision="int8")
    assert exact_of(of_openvino, opened) is opened[1]
    assert exact_of(replace(of_openvino, device="gpu"), opened) is None
    assert exact_of(replace(of_openvino, backend="coreml"), opened) is None


def test_pictures_are_compared_with_one_reference(
    tested: Bundle, opened: list[Opened], pinned: Pinned
) -> None:
    assert reference_of(tested, opened, pinned) is opened[0]
    alone = reference_of(tested, opened[1:], pinned)
    assert alone is not None
    assert alone.label == opened[0].label


def test_the_avatar_shows_the_middle_where_no_face_is_sought(opened: list[Opened]) -> None:
    assert np.all(opened[0].avatar.image == 77)
