"""Pinned inputs: a photo and a recording that travel with a bundle, for its benchmarks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rap_edge.bundle import Bundle, Inputs, Papers, compare_bundles, extract_bundle, open_bundle
from rap_edge.bundle import pack_bundles as pack
from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app
from rap_edge.errors import AudioError, ConfigError, InvalidBundle, PortraitError
from rap_edge.manifest import Manifest, PinnedPaths

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
INPUTS = Inputs(EXAMPLES / "portrait.jpg", EXAMPLES / "speech.flac", "MIT", "CC-PDM-1.0")
PATHS = PinnedPaths("inputs/portrait.jpg", "inputs/speech.flac")
FP32 = "onnxruntime/fp32"


@pytest.fixture
def source(folder: Path, trusted: list[Path], tmp_path: Path) -> Bundle:
    """A bundle of one variant, without inputs."""
    whole = open_bundle(folder, trusted)
    return pack([extract_bundle(whole, tmp_path / "part", [FP32])], tmp_path / "source")


@pytest.fixture
def pinned(source: Bundle, tmp_path: Path) -> Bundle:
    return pack([source], tmp_path / "pinned", Papers(inputs=INPUTS))


def test_inputs_are_packed_as_they_are_with_their_licences(pinned: Bundle) -> None:
    assert pinned.manifest.pinned == PATHS
    for path, file in ((PATHS.portrait, INPUTS.portrait), (PATHS.speech, INPUTS.speech)):
        assert pinned.read(path) == file.read_bytes()
    entries = [pinned.manifest.entry(path) for path in (PATHS.portrait, PATHS.speech)]
    assert [(e.role, e.licence) for e in entries if e] == [
        ("input", "MIT"),
        ("input", "CC-PDM-1.0"),
    ]


def test_a_bundle_without_inputs_is_as_before(source: Bundle) -> None:
    values = json.loads(source.manifest_bytes)
    del values["pinned"]
    assert Manifest.from_json(json.dumps(values)) == source.manifest
    assert source.manifest.pinned is None


def test_packing_again_and_parts_keep_the_inputs(
    pinned: Bundle, folder: Path, trusted: list[Path], tmp_path: Path
) -> None:
    other = extract_bundle(open_bundle(folder, trusted), tmp_path / "o", ["openvino/fp32"])
    both = pack([other, pinned], tmp_path / "both")
    assert both.manifest.pinned == PATHS
    part = extract_bundle(both, tmp_path / "part.rapb", [FP32])
    assert part.read(PATHS.speech) == INPUTS.speech.read_bytes()


def test_inputs_that_are_named_replace_those_of_the_bundles(
    pinned: Bundle, source: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "other.JPG").write_bytes(INPUTS.portrait.read_bytes())
    named = replace(INPUTS, portrait=tmp_path / "other.JPG", portrait_licence="CC0-1.0")
    packed = pack([pinned], tmp_path / "packed", Papers(inputs=named))
    entry = packed.manifest.entry(PATHS.portrait)
    assert entry is not None
    assert entry.licence == "CC0-1.0"


def test_bundles_that_pin_different_inputs_need_one_named(
    pinned: Bundle, folder: Path, trusted: list[Path], tmp_path: Path
) -> None:
    from PIL import Image

    Image.open(INPUTS.portrait).save(tmp_path / "p.png")
    Image.open(INPUTS.portrait).save(tmp_path / "q.jpg", quality=50)
    part = extract_bundle(open_bundle(folder, trusted), tmp_path / "o", ["openvino/fp32"])
    for name, message in (("p.png", "pin different inputs"), ("q.jpg", "differs from that")):
        papers = Papers(inputs=replace(INPUTS, portrait=tmp_path / name))
        other = pack([part], tmp_path / f"with-{name}", papers)
        with pytest.raises(InvalidBundle, match=message):
            pack([pinned, other], tmp_path / "packed")
        chosen = pack([pinned, other], tmp_path / f"chosen-{name}", Papers(inputs=INPUTS))
        assert chosen.manifest.pinned == PATHS
        assert chosen.read(PATHS.portrait) == INPUTS.portrait.read_bytes()
        assert {p for p in chosen.files if p.startswith("inputs/")} == {
            PATHS.portrait,
            PATHS.speech,
        }


def test_what_is_no_photo_or_no_recording_is_not_packed(source: Bundle, tmp_path: Path) -> None:
    for inputs, error in (
        (replace(INPUTS, portrait=INPUTS.speech), PortraitError),
        (replace(INPUTS, speech=EXAMPLES / "README.md"), AudioError),
        (replace(INPUTS, speech=tmp_path / "nowhere.wav"), ConfigError),
    ):
        with pytest.raises(error):
            pack([source], tmp_path / "packed", Papers(inputs=inputs))
    assert not (tmp_path / "packed").exists()


@pytest.mark.parametrize("name", ["card.md", "inputs/elsewhere.flac"])
def test_a_pinned_path_that_is_no_input_is_refused(pinned: Bundle, name: str) -> None:
    values = json.loads(pinned.manifest_bytes)
    values["pinned"]["speech"] = name
    with pytest.raises(InvalidBundle, match=f"pinned '{name}' is not in files as an 'input'"):
        Manifest.from_json(json.dumps(values))


def test_the_difference_names_inputs(source: Bundle, pinned: Bundle) -> None:
    changed = [change.what for change in compare_bundles(source, pinned).changes]
    assert changed == ["pinned", f"file.{PATHS.portrait}", f"file.{PATHS.speech}"]


@pytest.fixture
def run(source: Bundle, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(source.path.parent)
    return lambda *words: CliRunner().invoke(app, ["bundle", *map(str, words)])


def test_the_command_packs_both_inputs_or_none(run: Callable[..., Result]) -> None:
    words = ("pack", "source", "--out", "out.rapb", "--allow-unsigned", "--json")
    portrait = ("--portrait", INPUTS.portrait, "--portrait-licence", "MIT")
    refused = run(*words, *portrait)
    assert refused.exit_code == ExitCode.USAGE
    assert "expected all four or none" in refused.stderr
    done = run(*words, *portrait, "--speech", INPUTS.speech, "--speech-licence", "CC-PDM-1.0")
    assert done.exit_code == ExitCode.OK, done.stderr
    shown = json.loads(run("inspect", "out.rapb", "--json").stdout)
    assert shown["manifest"]["pinned"] == {"portrait": PATHS.portrait, "speech": PATHS.speech}
