"""Every stage of training runs on shards, and what it trains is what it says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from rap_edge.config import CONFIGS, LIVE
from rap_edge.errors import ConfigError
from rap_edge.models.checkpoint import load_checkpoint
from rap_edge.models.model import RapModel
from rap_edge.training import shards
from rap_edge.training.pictures import PictureSource
from rap_edge.training.pipeline import PARTS, Job, build_plain, run
from rap_edge.training.recipe import Recipe
from rap_edge.training.vae_stages import tilted

SMALL = dataclasses.replace(
    LIVE,
    name="small",
    audio=dataclasses.replace(LIVE.audio, width=16, shapes=2, dilations=(1, 2)),
    vae=dataclasses.replace(LIVE.vae, channels=8, width=4, encoder_width=4, reference_channels=8),
    dit=dataclasses.replace(LIVE.dit, width=16, depth=2, heads=2),
)
FRAMES = shards.CLIP_FRAMES
HEAD_NAMES = 57


def clip_arrays(rng: np.random.Generator, clips: int) -> dict[str, np.ndarray]:
    samples = shards.LEFT_SAMPLES + FRAMES * 640 + shards.RIGHT_SAMPLES
    lips = np.full((clips, FRAMES, 64, 64), -120, np.int8)
    lips[:, ::2, 40:44, 28:36] = 90
    return {
        "audio": rng.integers(-9000, 9000, (clips, samples), np.int16),
        "reference": rng.integers(0, 256, (clips, 256, 256, 3), np.uint8),
        "coordinates": rng.uniform(-1, 1, (clips, 64, 64, 4)).astype(np.float16),
        "flow": rng.normal(0, 2, (clips, FRAMES, 64, 64, 2)).astype(np.float16),
        "lips": lips,
        "teeth": rng.integers(0, 256, lips.shape, np.uint8),
    }


def write_shards(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for split in ("train", "heldout"):
        arrays = clip_arrays(rng, 2)
        about = [{"seed": 0}] * 2
        shards.write(folder / f"motion_{split}" / "motion-00000.safetensors", arrays, about)
        _, jpeg = cv2.imencode(".jpg", arrays["reference"][0])
        packed, ends = shards.pack([[jpeg.tobytes()] * FRAMES] * 2)
        video = {**arrays, "jpeg": packed, "jpeg_ends": ends}
        shards.write(folder / f"video_{split}" / "video-00000.safetensors", video, about)
        speech = {
            "audio": rng.integers(-9000, 9000, (2, 12 * 16000), np.int16),
            "expression": rng.uniform(0, 1, (2, 300, HEAD_NAMES)).astype(np.float16),
        }
        shards.write(folder / f"speech_{split}" / "speech-00000.safetensors", speech, about)


class Head:
    names = ("jawOpen", "mouthClose", *(f"brow{i}" for i in range(HEAD_NAMES - 2)))

    @classmethod
    def load(cls, folder: Path) -> Head:
        return cls()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stages")
    write_shards(folder / "shards")
    recipe = {
        "config": "small",
        "seed": 0,
        "clips": {},
        "stages": {
            name: {"steps": 2, "batch": 2, "validate_every": 2, "save_every": 2}
            for name in (*PARTS, "plain")
            if name != "codec"
        },
    }
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return folder


@pytest.fixture
def job(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setitem(CONFIGS, "small", SMALL)
    monkeypatch.setattr("rap_edge.training.pipeline.HeadModel", Head)
    recipe = Recipe.read(folder / "recipe.json")
    return Job(folder, folder / "shards", folder / "run", recipe, tuple(recipe.stages))


def assert_every_stage_changed_its_own(job: Job) -> None:
    """Compare what each stage left with what stood there before it."""
    torch.manual_seed(job.recipe.seed)
    before = RapModel(SMALL).state_dict()
    for stage in ("codec", *(name for name in job.stages if name in PARTS)):
        after = load_file(job.out / f"{stage}.safetensors")
        for part in PARTS[stage]:
            own = [name for name in before if name.startswith(part)]
            assert any(not torch.equal(after[name], before[name]) for name in own), (stage, part)
        assert all(name.startswith(PARTS[stage]) for name in after), stage
        before |= after
    torch.manual_seed(job.recipe.seed)
    fresh = build_plain(RapModel(SMALL), job).modules.state_dict()
    plain = load_file(job.out / "plain.safetensors")
    assert any(not torch.equal(plain[name], fresh[name]) for name in fresh)


def test_all_stages_run_and_leave_a_checkpoint(job: Job) -> None:
    run(job)
    assert_every_stage_changed_its_own(job)
    model = load_checkpoint(job.out / "checkpoint")
    assert model.config == SMALL
    changed = [path.stat().st_mtime_ns for path in sorted(job.out.glob("*.safetensors"))]
    run(job)
    again = [path.stat().st_mtime_ns for path in sorted(job.out.glob("*.safetensors"))]
    assert changed == again, "a stage that is done is not trained again"


def test_mirrored_pictures_have_mirrored_motion(folder: Path) -> None:
    write_shards(folder / "shards")
    picture = PictureSource(folder / "shards" / "video_train").draw(np.random.default_rng(0), 1)
    mirrored = picture.mirror()
    torch.testing.assert_close(mirrored.frames.flip(3), picture.frames)
    torch.testing.assert_close(mirrored.motion[:, 0], -picture.motion[:, 0].flip(2))
    torch.testing.assert_close(mirrored.motion[:, 1:], picture.motion[:, 1:].flip(3))


def test_a_run_goes_on_from_a_checkpoint(job: Job, tmp_path: Path) -> None:
    run(job)
    onward = dataclasses.replace(
        job, out=tmp_path / "on", stages=("denoising",), start=job.out / "checkpoint"
    )
    run(onward)
    before = load_checkpoint(job.out / "checkpoint").state_dict()
    after = load_checkpoint(onward.out / "checkpoint").state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith(PARTS["denoising"]) for name in changed)


def test_frozen_ears_stay_as_their_own_stage_left_them(job: Job, tmp_path: Path) -> None:
    run(job)
    frozen = dataclasses.replace(job.recipe, frozen=("audio",))
    deaf = dataclasses.replace(
        job, recipe=frozen, out=tmp_path, stages=("coordinates", "denoising")
    )
    with pytest.raises(ConfigError, match="train the stage speech first"):
        run(deaf)
    (tmp_path / "speech.safetensors").write_bytes((job.out / "speech.safetensors").read_bytes())
    run(deaf)
    learned = load_file(tmp_path / "speech.safetensors")
    after = load_checkpoint(tmp_path / "checkpoint").state_dict()
    assert any(name.startswith("dit.hearing.shapes") for name in learned)
    assert all(torch.equal(after[name], value) for name, value in learned.items())


def test_tilted_maps_keep_lying_on_each_other() -> None:
    ramp = torch.linspace(-1, 1, 64).expand(2, 1, 64, 64)
    fine = torch.nn.functional.interpolate(ramp, scale_factor=4.0, mode="bilinear")
    tilted_fine, tilted_ramp = tilted(np.random.default_rng(0), fine, ramp)
    coarse = torch.nn.functional.avg_pool2d(tilted_fine, 4)
    inner = slice(24, 40)
    assert not torch.allclose(tilted_ramp[..., inner, inner], ramp[..., inner, inner], atol=0.02)
    torch.testing.assert_close(
        coarse[..., inner, inner], tilted_ramp[..., inner, inner], atol=0.01, rtol=0
    )
