"""Conversion: what is converted computes what torch computes, all the way to the frames."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

import rap_edge
from rap_edge import converters, golden, reference
from rap_edge._core import FeatureSpec, offline_features
from rap_edge.bundle import Bundle, open_bundle
from rap_edge.cli.group import app
from rap_edge.config import TINY, ModelConfig
from rap_edge.converters import make_bundle
from rap_edge.converters.chain import compare_streams, torch_run
from rap_edge.converters.formats import onnx_files
from rap_edge.converters.graphs import GraphSource, contract, graphs_of
from rap_edge.converters.parity import Difference, compare, require_parity
from rap_edge.converters.running import run_of
from rap_edge.converters.sources import round_to_half
from rap_edge.converters.speaking import Run, talker_of
from rap_edge.errors import ConfigError, NoFaceFound
from rap_edge.features import silent_hop
from rap_edge.models.checkpoint import load_checkpoint, save_checkpoint
from rap_edge.models.eyes import EyeFinder
from rap_edge.models.locator import Locators
from rap_edge.models.model import RapModel
from rap_edge.portrait import Crop

SAMPLES = 640 * 30 + 5  # 31 frames: three chunks


def lively(config: ModelConfig) -> RapModel:
    """A model whose every layer has a say: fresh ones start as the identity."""
    torch.manual_seed(0)
    model = RapModel(config)
    for weight in model.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.1)
    return model.eval()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(lively(TINY), folder)
    return folder


@pytest.fixture(scope="module")
def made(
    checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Bundle, list[Difference]]:
    out = tmp_path_factory.mktemp("made") / "tiny"
    locator, eyes = (out.parent / f"{name}.safetensors" for name in ("locator", "eyes"))
    torch.manual_seed(0)
    Locators().save(locator)
    EyeFinder().save(eyes)
    return make_bundle(checkpoint, out, locator=locator, eyes=eyes)


def converted(sources: tuple[GraphSource, ...]) -> Run:
    specs = {source.name: contract(source) for source in sources}
    files = {source.name: onnx_files(source, False) for source in sources}
    return run_of("onnxruntime", specs, files)


@pytest.fixture(scope="module")
def bundle(made: tuple[Bundle, list[Difference]]) -> Bundle:
    return made[0]


def test_the_runtime_gives_the_frames_of_the_reference(checkpoint: Path, bundle: Bundle) -> None:
    """A stream starts from one window of silence: the reference hears it, and 120 ms more."""
    rng = np.random.default_rng(0)
    portrait = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    pcm = (rng.standard_normal(SAMPLES) * 0.1).astype(np.float32)
    pcm[: 3 * 640] = 0
    avatar = rap_edge.open(bundle.path, threads=1).avatar(portrait, crop=Crop(0, 0, 64))
    frames = np.stack([f.image for f in avatar.render(pcm, sample_rate=16000, seed=3)])

    model = load_checkpoint(checkpoint)
    round_to_half(model)
    unseen = 1 + 4 * 4  # frames of the first window
    hops = offline_features(FeatureSpec.rap(), np.pad(pcm, (unseen * 640, 16000)))
    expected = reference.render(model, portrait, hops, unseen + len(frames), seed=3)[unseen:]
    assert len(frames) == 31
    assert np.abs(frames.astype(int) - expected).max() <= 1
    assert not np.array_equal(frames[5], frames[20])


def test_a_face_is_looked_for_with_the_bundle_s_own_graphs(bundle: Bundle) -> None:
    with pytest.raises(NoFaceFound):
        rap_edge.open(bundle.path, threads=1).avatar(np.zeros((200, 300, 3), np.uint8))


def test_silence_before_a_stream_is_the_reference_silence() -> None:
    np.testing.assert_allclose(silent_hop(), reference.SILENCE, rtol=1e-6)


def test_every_graph_agrees_with_torch(made: tuple[Bundle, list[Difference]]) -> None:
    bundle, differences = made
    compared = {(difference.graph, difference.output) for difference in differences}
    graphs = bundle.manifest.graphs
    single = {(name, t.name) for name, spec in graphs.items() for t in spec.outputs}
    assert compared == single | {("stream", "latents"), ("stream", "frames")}
    assert {difference.backend for difference in differences} == {"onnxruntime", "openvino"}
    assert not any(difference.failed for difference in differences)


def test_graphs_are_opset_20_and_hold_no_trace_of_this_machine(bundle: Bundle) -> None:
    for path in bundle.manifest.variants[0].files.values():
        content = bytes(bundle.read(path))
        assert str(Path(torch.__file__).parents[1]).encode() not in content
        assert b"stack_trace" not in content
        model = onnx.load_model_from_string(content)
        assert [(o.domain, o.version) for o in model.opset_import] == [("", 20)]
        assert [p.key for p in model.metadata_props] == ["rap_edge.graph"]
        assert not any(node.doc_string or node.metadata_props for node in model.graph.node)


def test_a_bundle_holds_its_shapes_and_what_made_it(bundle: Bundle) -> None:
    opened = open_bundle(bundle.path)
    opened.verify()
    assert opened.manifest.config == TINY
    assert set(opened.manifest.provenance["packages"]) >= {"torch", "onnx"}
    denoiser = opened.manifest.graphs["denoiser"]
    assert [tensor.name for tensor in denoiser.inputs] == [
        "latent",
        "timestep",
        "tokens",
        "reference_map",
    ]
    assert denoiser.outputs[0].shape == (1, 5, 8, 2, 2)


def test_every_backend_gives_the_golden_vectors_of_torch(bundle: Bundle) -> None:
    graphs = bundle.manifest.graphs
    vectors = golden.read(bundle.read("golden.npz"), graphs)
    for variant in bundle.variants:
        files = {g: bundle.read_graph(variant, g) for g in graphs}
        run = run_of(variant.backend, graphs, files)
        for name, spec in graphs.items():
            outputs = run(name, vectors[name])
            allowed = variant.tolerances.get(name, 0.0), variant.tolerances_levels.get(name, 0.0)
            assert set(outputs) == {t.name for t in spec.outputs}
            found = golden.compare(dict(outputs), vectors[name], *allowed, contract=spec)
            assert found == []


def test_the_plain_decoder_hands_its_state_on() -> None:
    config = replace(TINY, vae=replace(TINY.vae, kind="plain"))
    decoder = graphs_of(lively(config))[3]
    spec = contract(decoder)
    states = [t for t in spec.inputs if t.name.startswith("state.")]
    following = [t for t in spec.outputs if t.name.startswith("next_state.")]
    assert [f"next_{t.name}" for t in states] == [t.name for t in following]
    assert [t.shape for t in states] == [t.shape for t in following]
    assert "reference_image" not in decoder.inputs
    require_parity(compare(decoder, converted((decoder,))))
    sources = graphs_of(lively(config))
    require_parity(compare_streams(config, sources, converted(sources)))


def test_a_folder_that_is_no_checkpoint_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a checkpoint"):
        make_bundle(tmp_path / "nothing", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_the_eye_finder_is_a_graph_of_the_bundle(bundle: Bundle) -> None:
    spec = bundle.manifest.graphs["eyes"]
    assert [(t.name, t.shape, t.dtype) for t in spec.inputs] == [
        ("image", (1, 256, 256, 3), "uint8")
    ]
    assert [(t.name, t.shape, t.dtype) for t in spec.outputs] == [
        ("points", (1, 2, 11, 2), "float32")
    ]
    assert len(bundle.manifest.provenance["eyes"]) == 64


def test_a_file_that_is_no_locator_leaves_nothing_behind(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no weights of the face finder"):
        make_bundle(checkpoint, tmp_path / "out", locator=checkpoint / "config.json")
    assert not list(tmp_path.iterdir())


def test_the_command_prints_what_was_made(
    made: tuple[Bundle, list[Difference]], checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converters, "make_bundle", lambda *arguments: made)
    result = CliRunner().invoke(app, ["convert", str(checkpoint), "--out", "bundle", "--json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.output)
    assert (printed["schema_version"], printed["name"]) == (2, "tiny")
    assert printed["variants"] == ["onnxruntime/fp32", "openvino/fp32"]
    assert [p["value"] for p in printed["parity"]] == [d.value for d in made[1]]
    refused = CliRunner().invoke(app, ["convert", "checkpoint", "--out", "bundle", "--to", "tape"])
    assert refused.exit_code == 2
    missing = CliRunner().invoke(app, ["convert", "nowhere", "--out", "bundle"])
    assert missing.exit_code == 66


def test_the_same_frames_come_from_graphs_in_torch_as_from_the_pipeline(checkpoint: Path) -> None:
    rng = np.random.default_rng(1)
    portrait = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    pcm = (rng.standard_normal(SAMPLES) * 0.1).astype(np.float32)
    model = load_checkpoint(checkpoint)
    graphs = graphs_of(model)
    talker = talker_of(TINY, torch_run(graphs), contract(graphs[3]))
    frames = np.stack(list(talker(portrait, pcm, 3)))
    hops = offline_features(FeatureSpec.rap(), pcm)
    expected = reference.render(model, portrait, hops, len(frames), seed=3)
    assert len(frames) == 31
    assert np.abs(frames.astype(int) - expected).max() <= 1


def test_what_is_wrong_only_when_it_is_fed_back_is_refused(checkpoint: Path) -> None:
    portrait, audio, denoiser, decoder = graphs_of(load_checkpoint(checkpoint))
    sources = (portrait, audio, denoiser, decoder)
    forgetful = replace(denoiser, module=Forgetful(denoiser.module))
    wrong = torch_run((portrait, audio, forgetful, decoder))
    assert not any(d.failed for d in compare_streams(TINY, sources, torch_run(sources)))
    failing = [d.output for d in compare_streams(TINY, sources, wrong) if d.failed]
    assert "latents" in failing


class Forgetful(nn.Module):
    """A denoiser that answers well when asked from pure noise, and else a little too small."""

    def __init__(self, denoiser: nn.Module) -> None:
        super().__init__()
        self.denoiser = denoiser

    def forward(self, latent: Tensor, timestep: Tensor, *rest: Tensor) -> Tensor:
        clean: Tensor = self.denoiser(latent, timestep, *rest)
        return torch.where(timestep[:, :1, None, None, None] == 1, clean, 0.99 * clean)
