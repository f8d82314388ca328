"""The whole of training: make the shards that are missing, run the stages, save a checkpoint.

Every stage leaves its weights in ``OUT/<stage>.safetensors``; a stage whose file is there is done.
Two runs over the same folder may train different stages at the same time.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import load_file

from rap_edge.config import CONFIGS, VAEConfig
from rap_edge.errors import ConfigError
from rap_edge.models.checkpoint import load_checkpoint, save_checkpoint, save_tensors
from rap_edge.models.guided import GuidedVAE
from rap_edge.models.model import RapModel
from rap_edge.models.plain import PlainVAE
from rap_edge.training import latents, vae_stages
from rap_edge.training.dit_stage import Denoising
from rap_edge.training.loop import Place, Stage, train
from rap_edge.training.pictures import ClipSource, PictureSource
from rap_edge.training.plain_stage import PlainPixels
from rap_edge.training.recipe import Recipe
from rap_edge.training.rig import HeadModel
from rap_edge.training.speech_stage import Speaking
from rap_edge.training.spoken import SpeechSource
from rap_edge.training.supply import make_shards

PARTS = {
    "codec": ("vae.codec.", "vae.map_codec."),
    "speech": ("audio.", "dit.hearing.shapes."),
    "coordinates": ("vae.portrait_encoder.locate.",),
    "painting": ("vae.painter.", "vae.portrait_encoder.describe."),
    "motion": ("vae.motion_encoder.",),
    "joint": ("vae.painter.", "vae.portrait_encoder.describe.", "vae.motion_encoder."),
    "denoising": ("dit.", "audio."),
}
"""What of the model each stage trains; later stages overrule earlier ones."""

LOCATED = ("motion", "joint", "denoising")
"""Stages that see where on a head the places of a portrait lie."""

MOUTH = ("jaw", "mouth", "cheek", "tongue")
LONGEST_WAIT = timedelta(days=2)
"""How long processes wait for the first one to make shards and code them."""


@dataclass(frozen=True)
class Job:
    """One call of ``rap-edge train``."""

    data: Path
    shards: Path
    out: Path
    recipe: Recipe
    stages: tuple[str, ...]
    jobs: int = 2
    start: Path | None = None  # a checkpoint whose weights every stage begins with

    def folder(self, kind: str, split: str) -> Path:
        return self.shards / f"{kind}_{split}"


def run(job: Job) -> None:
    """Train the stages of a job that are not done, and write ``OUT/checkpoint``."""
    place = join_processes()
    if place.rank == 0:
        make_shards(job.data, job.shards, job.recipe.clips, job.jobs)
    torch.manual_seed(job.recipe.seed)
    model = RapModel(CONFIGS[job.recipe.config])
    if job.start is not None:
        begin_with(model, job, place)
    load_stages(model, job.out)
    prepare_codec(model, job, place)
    model.to(place.device)
    for name in job.stages:
        if (job.out / f"{name}.safetensors").exists():
            continue
        load_stages(model, job.out)  # another process may have finished one
        require_coordinates(name, job.out)
        if name == "denoising" and "audio" in job.recipe.frozen:
            require_speech(job)
        if name == "denoising":
            code_latents(model, job, place)
        torch.manual_seed(job.recipe.seed)  # what a stage adds begins alike in every process
        stage = build_stage(name, model, job)
        train(stage, job.recipe.stages[name], job.out, place, job.recipe.seed)
        if place.rank == 0:
            save_baseline(stage, job) if name == "plain" else save_part(model, name, job.out)
        wait_for_all(place)
    if place.rank == 0:
        load_stages(model, job.out)
        save_checkpoint(model.cpu(), job.out / "checkpoint")
    wait_for_all(place)
    if place.world > 1:
        dist.destroy_process_group()


def begin_with(model: RapModel, job: Job, place: Place) -> None:
    """Load a checkpoint; its codecs and portrait encoder stay, unless they were trained here."""
    assert job.start is not None
    try:
        model.load_state_dict(load_checkpoint(job.start).state_dict())
    except RuntimeError as error:
        raise ConfigError(
            f"{job.start} does not fit configuration {job.recipe.config!r} ({error}): start from a "
            "checkpoint of the same configuration"
        ) from error
    for part in ("codec", "coordinates"):
        if place.rank == 0 and not (job.out / f"{part}.safetensors").exists():
            save_part(model, part, job.out)


def join_processes() -> Place:
    """Join the other processes when started by ``torchrun``."""
    if "RANK" in os.environ:
        backend = "nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=LONGEST_WAIT)
    return Place.here()


def wait_for_all(place: Place) -> None:
    if place.world > 1:
        dist.barrier()


def guided_vae(model: RapModel) -> GuidedVAE:
    """Return the VAE; raises ConfigError for a plain one, which has no labels to learn."""
    if not isinstance(model.vae, GuidedVAE):
        raise ConfigError(
            f"configuration {model.config.name!r} has a plain VAE: expected a guided one, the "
            "stages train motion latents; the stage plain trains a plain VAE beside it"
        )
    return model.vae


def prepare_codec(model: RapModel, job: Job, place: Place) -> None:
    """Fit the codecs once; the other processes wait for the file."""
    vae = guided_vae(model)
    if place.rank == 0 and not (job.out / "codec.safetensors").exists():
        latents.fit_codecs(vae, job.folder("motion", "train"))
        save_part(model, "codec", job.out)
    wait_for_all(place)
    load_stages(model, job.out)


def require_coordinates(stage: str, out: Path) -> None:
    """Raise ConfigError where a stage would build on a portrait encoder that knows nothing yet."""
    if stage in LOCATED and not (out / "coordinates.safetensors").exists():
        raise ConfigError(
            f"{out} has no coordinates.safetensors: stage {stage} builds on the stage coordinates, "
            "train that one first"
        )


def require_speech(job: Job) -> None:
    """Raise ConfigError where the transformer would listen with ears that never learned."""
    if job.start is None and not (job.out / "speech.safetensors").exists():
        raise ConfigError(
            f"{job.out} has no speech.safetensors: the recipe keeps the audio encoder as it is, "
            "train the stage speech first"
        )


def code_latents(model: RapModel, job: Job, place: Place) -> None:
    """Code the motion shards as latents once; the other processes wait for the files."""
    vae = guided_vae(model)
    for split in ("train", "heldout"):
        path = latents_path(job, split)
        if place.rank == 0 and not path.exists():
            latents.code_clips(vae, job.folder("motion", split), path)
    wait_for_all(place)


def latents_path(job: Job, split: str) -> Path:
    return job.out / f"latents_{split}.safetensors"


def save_part(model: RapModel, stage: str, out: Path) -> None:
    """Write the weights that a stage has trained."""
    tensors = {
        name: tensor.cpu()
        for name, tensor in model.state_dict().items()
        if name.startswith(PARTS[stage])
    }
    save_tensors(tensors, out / f"{stage}.safetensors")


def save_baseline(stage: Stage, job: Job) -> None:
    """Write the plain VAE as a checkpoint of its own, ``OUT/plain``, for evaluation."""
    config = CONFIGS[job.recipe.config]
    model = RapModel(dataclasses.replace(config, vae=plain_config(config.vae)))
    model.vae.load_state_dict(stage.modules["vae"].state_dict())
    save_checkpoint(model, job.out / "plain")
    save_tensors(stage.modules.state_dict(), job.out / "plain.safetensors")


def plain_config(vae: VAEConfig) -> VAEConfig:
    return dataclasses.replace(vae, kind="plain", reference_channels=vae.channels)


def load_stages(model: RapModel, out: Path) -> None:
    """Load what has been trained so far, in the order of the stages."""
    for stage in PARTS:
        path = out / f"{stage}.safetensors"
        if path.exists():
            model.load_state_dict(load_file(path), strict=False)


def build_stage(name: str, model: RapModel, job: Job) -> Stage:
    """Open the data of a stage and set it up."""
    if name == "speech":
        return build_speaking(model, job)
    if name == "denoising":
        return build_denoising(model, job)
    if name == "plain":
        return build_plain(model, job)
    stages: dict[str, Callable[..., Stage]] = {
        "coordinates": vae_stages.Coordinates,
        "motion": vae_stages.MotionEncoding,
        "painting": vae_stages.Painting,
        "joint": vae_stages.Joint,
    }
    train_set, heldout = (PictureSource(job.folder("video", s)) for s in ("train", "heldout"))
    return stages[name](guided_vae(model), train_set, heldout)


def build_plain(model: RapModel, job: Job) -> Stage:
    """Set up the baseline: the plain VAE of the same size, trained on squares of half the side."""
    side = model.config.vae.resolution // 2
    config = dataclasses.replace(plain_config(model.config.vae), resolution=side)
    sources = (ClipSource(job.folder("video", split), side) for split in ("train", "heldout"))
    return PlainPixels(PlainVAE(config), *sources)


def build_speaking(model: RapModel, job: Job) -> Stage:
    names = HeadModel.load(job.data / "heads" / "ict").names
    mouth = [index for index, name in enumerate(names) if name.startswith(MOUTH)]
    sources = (
        SpeechSource(job.folder("speech", split), model.config, mouth)
        for split in ("train", "heldout")
    )
    return Speaking(model.audio, model.dit.hearing, model.config, *sources)


def build_denoising(model: RapModel, job: Job) -> Stage:
    vae = guided_vae(model)
    train_set, heldout = (
        latents.LatentSource(latents_path(job, split), model.config, vae)
        for split in ("train", "heldout")
    )
    return Denoising(model, train_set, heldout, train_audio="audio" not in job.recipe.frozen)
